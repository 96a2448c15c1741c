import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const script = join(import.meta.dirname, '..', 'check-node.js');

function checkAs(version: string): { exitCode: number | null; stderr: string } {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, script],
    { encoding: 'utf8' },
  );
  return { exitCode: status, stderr };
}

describe('check-node', () => {
  it.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0'])('accepts Node %s', (version) => {
    expect(checkAs(version)).toEqual({ exitCode: 0, stderr: '' });
  });

  it.each(['20.20.2', '22.18.0'])('refuses Node %s in one line', (version) => {
    expect(checkAs(version)).toEqual({
      exitCode: 1,
      stderr: `Thereafter needs Node 22.19 or later, but this is ${version}. Install a newer one and run this again.\n`,
    });
  });
});
