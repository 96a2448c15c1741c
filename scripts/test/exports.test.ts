import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Manifest {
  name: string;
  exports: Record<string, string>;
}

/** The names of the values that each public entry of a package exports, read in a process of its own. */
async function namesByDoor(manifestFile: string): Promise<string[]> {
  const { name, exports } = JSON.parse(readFileSync(join(root, manifestFile), 'utf8')) as Manifest;
  const doors = Object.keys(exports)
    .filter((door) => door !== './package.json')
    .map((door) => door.replace('.', name));
  const program = `
    const names = {};
    for (const door of ${JSON.stringify(doors)}) names[door] = Object.keys(await import(door)).sort();
    console.log(JSON.stringify(names));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=thereafter-source',
      '--import',
      join(root, 'packages/cli/src/register.ts'),
      '--input-type=module',
      '--eval',
      program,
    ],
    // In its folder, a package may import itself by its name.
    { cwd: join(root, dirname(manifestFile)) },
  );
  const names = JSON.parse(stdout) as Record<string, string[]>;
  return doors.map((door) => [door, ...names[door]!.map((n) => `  ${n}`)].join('\n'));
}

it('exports the names that are listed, and no others', async () => {
  const manifests = globSync('packages/*/package.json', { cwd: root }).toSorted();
  const listing = (await Promise.all(manifests.map(namesByDoor))).flat().join('\n\n');
  await expect(`${listing}\n`).toMatchFileSnapshot('exports.txt');
});

it('keeps what the main door offers under sixty names', () => {
  const doors = readFileSync(join(import.meta.dirname, 'exports.txt'), 'utf8').split('\n\n');
  const [main = ''] = doors.filter((door) => door.startsWith('thereafter\n'));
  const names = main.split('\n').slice(1);
  expect(names.length).toBeGreaterThan(0);
  expect(names.length).toBeLessThan(60);
});
