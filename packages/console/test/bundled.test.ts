import { bundle } from '@thereafter/cli/esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const page = join(import.meta.dirname, '../src/page');
let folder: string;
let outfile: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-console-'));
  outfile = join(folder, 'main.mjs');
  const program = join(import.meta.dirname, 'fixtures/program.ts');
  await bundle(program, outfile, { conditions: ['thereafter-source'], sourcemap: false });
});
afterAll(() => rm(folder, { recursive: true }));

async function start() {
  const program = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface(program.stdout), 'line')) as [string];
  return {
    url,
    async [Symbol.asyncDispose]() {
      const exited = once(program, 'exit');
      program.kill('SIGTERM');
      await exited;
    },
  };
}

describe('a bundled console', () => {
  it('has the files of its page beside it', async () => {
    const names = (await readdir(page)).toSorted();
    expect((await readdir(join(folder, 'console-page'))).toSorted()).toEqual(names);
    await using app = await start();
    for (const name of names) {
      const file = await fetch(`${app.url}/console/page/${name}`);
      expect([name, await file.text()]).toEqual([name, await readFile(join(page, name), 'utf8')]);
    }
    expect(await (await fetch(`${app.url}/console`)).text()).toContain('page/main.js');
  });

  it('says what is missing when it is deployed without that folder', async () => {
    await rm(join(folder, 'console-page'), { recursive: true });
    await using app = await start();
    for (const path of ['', 'page/main.js']) {
      const answer = await fetch(`${app.url}/console/${path}`);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({
        detail:
          'The files of this page are not here. Deploy the folder console-page beside the bundle.',
      });
    }
    expect((await fetch(`${app.url}/console/api/app`)).status).toBe(200);
  });
});
