import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../src/esbuild.ts';
import { report, type Report } from './fixtures/compilers/report.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const fixtures = join(import.meta.dirname, 'fixtures');
const main = join(fixtures, 'compilers/main.ts');

// Within the package, so that what is compiled into it finds its dependencies.
let folder: string;
beforeAll(async () => {
  await mkdir(join(fixtures, 'dist'), { recursive: true });
  folder = await mkdtemp(join(fixtures, 'dist', 'compiled-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a program that reports. What the fixtures import is compiled by the loader, unless it is bundled. */
async function runReport(file: string, loader = '@thereafter/cli/register'): Promise<Report> {
  const args = ['--conditions=thereafter-source', '--import', loader, file];
  const { stdout } = await run(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(fixtures, 'compilers/tsconfig.json') },
  });
  return JSON.parse(stdout) as Report;
}

async function compiledByTsc(): Promise<Report> {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const out = join(folder, 'tsc');
  await run(tsc, ['-p', join(fixtures, 'compilers'), '--outDir', out, '--noCheck']);
  return runReport(join(out, 'packages/cli/test/fixtures/compilers/main.js'));
}

async function compiledByPlugin(): Promise<Report> {
  const outfile = join(folder, 'plugin.mjs');
  await bundle(main, outfile, { conditions: ['thereafter-source'] });
  return runReport(outfile);
}

async function compiledByEsbuild(): Promise<Report> {
  const outfile = join(folder, 'esbuild.mjs');
  await build({
    entryPoints: [main],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    keepNames: true,
  });
  return runReport(outfile);
}

/** Two compilers name the type of an erased import differently; both are refused. */
const refused = {
  WithInterface: 'TA103',
  WithTypeImport: 'TA103',
  WithNull: 'TA103',
  WithString: 'TA104',
  WithArray: 'TA104',
  WithPromise: 'TA104',
  NotDecorated: 'TA102',
};

describe('a compiler that emits metadata', () => {
  it('gives a plan with one of everything', async () => {
    await expect(`${(await report()).plan as string}\n`).toMatchFileSnapshot(
      'fixtures/compilers/plan.txt',
    );
  });

  it.for([
    ['tsc 7', compiledByTsc],
    ['the loader', () => runReport(main)],
    ['the plugin of esbuild', compiledByPlugin],
    ['vitest', report],
  ] as const)('gives the same plan, and refuses the same: %s', async ([, compiled]) => {
    const { plan, faults } = await compiled();
    expect(plan).toBe((await report()).plan);
    expect(faults).toEqual(refused);
  });
});

describe('a compiler that emits none', () => {
  it.for([
    ['esbuild alone', compiledByEsbuild],
    ['tsx', () => runReport(main, 'tsx')],
  ] as const)('stops the app with TA101: %s', async ([, compiled]) => {
    const { plan, faults } = await compiled();
    expect(plan).toEqual(['TA101']);
    const { NotDecorated, ...decorated } = faults;
    expect(new Set(Object.values(decorated))).toEqual(new Set(['TA101']));
    expect(NotDecorated).toBe('TA102');
  });
});

describe('a circular import', () => {
  const circular = join(fixtures, 'compilers/circular/main.ts');

  it('in a bundle, where the class has become Object, is refused and never injected', async () => {
    const outfile = join(folder, 'circular.mjs');
    await bundle(circular, outfile, { conditions: ['thereafter-source'] });
    const { stdout } = await run(process.execPath, [outfile]);
    expect(stdout).toContain('[TA103]');
    expect(stdout).toContain('in a bundle, look for a circular import');
  });

  it('stops the import with TA105 and the cycle of files, under the loader', async () => {
    const args = [
      '--conditions=thereafter-source',
      '--import',
      '@thereafter/cli/register',
      circular,
    ];
    const failure: unknown = await run(process.execPath, args, { cwd: import.meta.dirname }).catch(
      (error: unknown) => error,
    );
    const { stderr } = failure as { stderr: string };
    expect(stderr).toMatch(/ReferenceError: Cannot access '(Hen|Egg)' before initialization/);
    expect(stderr).toMatch(
      /\[TA105\].*circular\/(hen|egg)\.ts → .*(egg|hen)\.ts → .*circular\/(hen|egg)\.ts/,
    );
  });
});
