import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hello, Project } from '../project.ts';

let project: Project;
beforeEach(() => {
  project = new Project({ 'src/app.ts': hello('world') });
});
afterEach(() => project[Symbol.dispose]());

const say = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('thereafter build', () => {
  it('makes one file that Node runs, with a source map and the docs page', async () => {
    const { exitCode, stdout, stderr } = await project.run('build');
    expect(stdout).toMatch(/^dist\/app\.mjs {2}\d+ kB from \d+ files in \d+ ms\n$/);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(existsSync(join(project.folder, 'dist/app.mjs.map'))).toBe(true);
    await using app = project.startNode(['dist/app.mjs']);
    const url = await app.served();
    expect(await say(url)).toEqual({ hello: 'world' });
    expect((await fetch(`${url}/docs`)).status).toBe(200);
    app.child.kill('SIGTERM');
    expect(await app.closed).toEqual([0, null]);
  });

  it('starts once what starts itself, and can be looked at', async () => {
    project.write({
      'src/app.ts': `${hello('self')}\nconst { url } = await app.run();\nconsole.log('self-started', url);`,
    });
    await project.run('build', '--out', 'out/self.mjs', '--minify');
    await using app = project.startNode(['out/self.mjs']);
    await app.printed(/self-started/);
    app.child.kill('SIGTERM');
    expect(await app.closed).toEqual([0, null]);
    expect(app.stderr).toBe('');
    expect((await project.run('routes', 'out/self.mjs')).stdout).toBe('GET  /  Hello.hello\n');
  });

  it('ends with a line when the app cannot start', async () => {
    project.write({ 'src/app.ts': hello('x').replace('hello()', 'hello(name: string)') });
    await project.run('build');
    await using app = project.startNode(['dist/app.mjs']);
    expect(await app.closed).toEqual([1, null]);
    expect(app.stderr).toMatch(/^The app cannot start:\n {2}\[TA104\] .*\n$/);
  });

  it('puts code for worker threads beside, and says what else there is to do', async () => {
    project.write({
      'src/app.ts': `
        import { createApp, inThread } from 'thereafter';
        const double = inThread<(n: number) => number>(new URL('./math/double.js', import.meta.url), 'double');
        const table = new URL('./table.csv', import.meta.url);
        export const app = createApp().post('/', ({ ctx }) => {
          ctx.tasks.add(async () => console.log('double', await double(21)));
          return { table: table.pathname };
        });
      `,
      'src/math/double.ts': `
        import { Worker } from 'node:worker_threads';
        import { times } from './times.ts';
        export const other = (): Worker => new Worker(new URL('../double.ts', import.meta.url));
        export function double(n: number): number { return times(n, 2); }
      `,
      'src/math/times.ts': 'export const times = (a: number, b: number): number => a * b;',
      'src/double.ts': 'export {};',
      'src/table.csv': 'a,b',
    });
    const { exitCode, stdout, stderr } = await project.run('build');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(1)).toEqual([
      'dist/double.mjs  for worker threads',
      'dist/double-2.mjs  for worker threads',
      'dist/thread-worker.js  for worker threads',
      '',
    ]);
    expect(stderr).toMatch(/^thereafter: .*src\/app\.ts:4: \.\/table\.csv is not code and .*\n/);
    expect(stderr).toContain('thereafter: Threads need the package piscina where the bundle runs');
    expect(project.read('dist/double.mjs')).toContain('"./double-2.mjs"');
    await using app = project.startNode(['dist/app.mjs']);
    await fetch(await app.served(), { method: 'POST' });
    await app.printed(/^double 42$/m);
  });

  it('leaves out what is to stay outside', async () => {
    await project.run('build', '--external', 'thereafter');
    expect(project.read('dist/app.mjs')).toMatch(/^import .* from "thereafter";$/m);
  });

  it('shows the line of what does not compile, and what cannot be resolved', async () => {
    project.write({ 'src/app.ts': 'export const x = = 1;' });
    const broken = await project.run('build');
    expect(broken.stderr).toMatch(
      /^thereafter: The program cannot be bundled:\n\n.*Unexpected token/,
    );
    expect(broken.stderr).toMatch(/src\/app\.ts:1:17:\n +1 │ export const x = = 1;/);
    expect(broken.exitCode).toBe(1);
    project.write({ 'src/app.ts': "import 'not-there';" });
    expect((await project.run('build')).stderr).toContain('Could not resolve "not-there"');
  });
});
