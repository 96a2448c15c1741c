import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundle } from '@thereafter/cli/esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const entry = join(import.meta.dirname, '../../apps/quickstart/src/main.ts');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-docs-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(outfile: string) {
  const { NODE_PATH: _, ...env } = process.env; // pnpm's way to the library in the repository
  const program = spawn(process.execPath, [outfile], {
    cwd: folder,
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async [Symbol.asyncDispose]() {
      const exited = once(program, 'exit');
      program.kill('SIGTERM');
      await exited;
    },
  };
}

describe('a bundled app', () => {
  it('has the docs page beside it, not inside', async () => {
    const outfile = join(folder, 'with/main.mjs');
    const { bytes } = await bundle(entry, outfile, { conditions: ['thereafter-source'] });
    const { size } = await stat(join(folder, 'with/docs-page/swagger-ui-bundle.js'));
    expect(bytes).toBeLessThan(size);
    await using app = await start(outfile);
    expect(await (await fetch(`${app.url}/docs`)).text()).toContain('docs/start.js');
    const script = await fetch(`${app.url}/docs/swagger-ui-bundle.js`);
    expect(await script.text()).toContain('SwaggerUIBundle');
  });

  it('says what is missing when it is deployed without that folder', async () => {
    const outfile = join(folder, 'without/main.mjs');
    await bundle(entry, outfile, { conditions: ['thereafter-source'] });
    await rm(join(folder, 'without/docs-page'), { recursive: true });
    await using app = await start(outfile);
    const page = await fetch(`${app.url}/docs`);
    expect(page.status).toBe(404);
    expect(await page.json()).toMatchObject({ detail: expect.stringContaining('docs-page') });
    expect((await fetch(`${app.url}/openapi.json`)).status).toBe(200);
  });
});
