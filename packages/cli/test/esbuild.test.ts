import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../src/esbuild.ts';
import { expectedMetadata } from './expected-metadata.ts';
import { fixture, runNode } from './run-node.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-bundle-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('bundle', () => {
  it('keeps the parameter types that injection reads', async () => {
    const outfile = join(folder, 'metadata.mjs');
    await bundle(fixture('metadata/main.ts'), outfile);
    const { stdout, stderr } = await runNode(outfile);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(expectedMetadata);
  });

  it('takes decorators and using at the top level of one file, for Node 22 too', async () => {
    const outfile = join(folder, 'using.mjs');
    await bundle(fixture('using/main.ts'), outfile);
    expect(await readFile(outfile, 'utf8')).not.toMatch(/^ *using /m);
    expect((await runNode(outfile)).stdout).toBe('Pool\nclosed\n');
  });

  it('leaves no import behind, decorator helpers included', async () => {
    const outfile = join(folder, 'helpers.mjs');
    const report = await bundle(fixture('metadata/main.ts'), outfile);
    const code = await readFile(outfile, 'utf8');
    expect(code.match(/^import .*/gm)).toEqual([
      "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    ]);
    expect(report).toEqual({
      outfile,
      bytes: Buffer.byteLength(code),
      files: expect.any(Number),
      workers: [],
      warnings: [],
    });
    expect(report.files).toBeGreaterThanOrEqual(3);
  });

  it('starts an app without what its first answer does not need', async () => {
    const outfile = join(folder, 'start.mjs');
    await bundle(fixture('start/main.ts'), outfile, { conditions: ['thereafter-source'] });
    // One other character, and V8 keeps all of the code in two bytes for each.
    expect((await readFile(outfile)).every((byte) => byte < 0x80)).toBe(true);
    const loaded = JSON.parse((await runNode(outfile)).stdout) as string[];
    expect(loaded).toContain('NativeModule _http_server');
    expect(loaded).not.toContain('NativeModule crypto');
    expect(loaded).not.toContain('NativeModule https');
  });

  it('leaves the files of a page whole while other programs are bundled beside', async () => {
    const together = join(folder, 'together');
    const bundleOne = (name: string) =>
      bundle(fixture('start/main.ts'), join(together, name), {
        conditions: ['thereafter-source'],
        sourcemap: false,
      });
    await bundleOne('first.mjs');
    const script = join(together, 'docs-page/swagger-ui-bundle.js');
    const { size } = await stat(script);
    let isOver = false;
    const others = Promise.all([bundleOne('second.mjs'), bundleOne('third.mjs')]);
    const done = others.finally(() => (isOver = true));
    while (!isOver) expect((await stat(script)).size).toBe(size);
    await done;
    expect((await readdir(join(together, 'docs-page'))).toSorted()).toEqual([
      'LICENSE',
      'NOTICE',
      'swagger-ui-bundle.js',
      'swagger-ui-bundle.js.LICENSE.txt',
      'swagger-ui.css',
    ]);
  });

  it('points a stack trace at the TypeScript source', async () => {
    const outfile = join(folder, 'stack.mjs');
    await bundle(fixture('stack/main.ts'), outfile);
    const { stderr } = await runNode('--enable-source-maps', outfile);
    expect(stderr).toMatch(/Error: boom\n\s+at .*explode \(.*stack[\\/]main\.ts:11:11\)/);
  });

  it('fails with file, line and column of a syntax error', async () => {
    const entry = fixture('must-not-compile/syntax-error.ts');
    const failure = await bundle(entry, join(folder, 'no.mjs'), { logLevel: 'silent' }).catch(
      (error: unknown) => error,
    );
    const lineText = "export const broken = greeting + '🎉' + * 2;";
    expect(failure).toMatchObject({
      errors: [
        {
          location: {
            file: expect.stringContaining('syntax-error.ts'),
            line: 3,
            column: Buffer.byteLength(lineText.slice(0, lineText.indexOf('*'))),
            lineText,
          },
        },
      ],
    });
  });
});
