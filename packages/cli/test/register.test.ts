import { describe, expect, it } from 'vitest';
import { expectedMetadata } from './expected-metadata.ts';
import { fixture, runNode } from './run-node.ts';

const runWithLoader = (name: string) =>
  runNode('--conditions=thereafter-source', '--import', '@thereafter/cli/register', fixture(name));

describe('@thereafter/cli/register', () => {
  it('keeps the parameter types that injection reads', async () => {
    const { stdout, stderr } = await runWithLoader('metadata/main.ts');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(expectedMetadata);
  });

  it('takes decorators and using at the top level of one file', async () => {
    const { stdout, stderr } = await runWithLoader('using/main.ts');
    expect(stderr).toBe('');
    expect(stdout).toBe('Pool\nclosed\n');
  });

  it('compiles in worker threads too', async () => {
    const { stdout } = await runWithLoader('metadata/in-worker.ts');
    expect(JSON.parse(stdout)).toEqual(expectedMetadata);
  });

  it('points a stack trace at the TypeScript source', async () => {
    const { stderr, exitCode } = await runWithLoader('stack/main.ts');
    expect(stderr).toMatch(/Error: boom\n\s+at .*explode \(.*stack[\\/]main\.ts:11:11\)/);
    expect(exitCode).toBe(1);
  });

  it('names file, line and column of a syntax error and shows the line', async () => {
    const { stderr, exitCode } = await runWithLoader('must-not-compile/syntax-error.ts');
    expect(stderr).toContain(`${fixture('must-not-compile/syntax-error.ts')}:3:41: `);
    expect(stderr).toContain("export const broken = greeting + '🎉' + * 2;");
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(1);
  });

  it('reports a missing file by the name that was imported', async () => {
    const { stderr, exitCode } = await runWithLoader('must-not-compile/imports-missing.ts');
    expect(stderr).toMatch(/Cannot find module .*no-such-file\.js/);
    expect(exitCode).toBe(1);
  });
});
