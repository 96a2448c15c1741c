// Whether the types of the packed packages are found by those who install them: `pnpm attw`, after a
// build. CommonJS is not asked for: every package is ESM, which Node 22 can also require.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAll } from './packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'thereafter-attw-'));
try {
  for (const { manifest, tarball } of packAll(folder)) {
    const args = [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'];
    const { status, stdout, stderr } = spawnSync('attw', args, {
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    if (status === 0) {
      console.log(`${manifest.name}: the types of every entry are found`);
      continue;
    }
    console.error(`${stdout}${stderr}\n${manifest.name}: not all types are found`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
