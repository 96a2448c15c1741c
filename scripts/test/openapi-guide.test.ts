import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it('the listings of the OpenAPI guide are one program, which prints its document', async () => {
  const guide = readFileSync(join(root, 'docs/guides/openapi.md'), 'utf8');
  const listings = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  // In the tour's folder for data, where the packages are found as a user would find them.
  const data = join(root, 'apps/tour/data');
  await mkdir(data, { recursive: true });
  const folder = await mkdtemp(join(data, 'guide-'));
  try {
    const program = join(folder, 'guide.mts');
    await writeFile(program, listings.join('\n'));
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=thereafter-source',
      '--input-type=module',
      '--import',
      join(root, 'packages/cli/src/register.ts'),
      '--eval',
      `await import(${JSON.stringify(program)})`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      info: { title: 'Users', version: '1.0.0' },
      paths: {
        '/users/{id}': {
          get: { summary: 'One user', security: [{ bearer: [] }], parameters: [{ name: 'id' }] },
        },
      },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
