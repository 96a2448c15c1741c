// The Nodes that are supported. Their binaries come from the npm registry, once, into
// node_modules/.cache.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The oldest of each major that is supported. */
export const NODE_VERSIONS = ['22.19.0', '24.21.0', '26.10.0'];

const cache = join(import.meta.dirname, '..', 'node_modules', '.cache', 'nodes');

/** The path of a Node; `undefined`, and a line that says why, where it is not to be had. */
export function nodeBinary(version: string): string | undefined {
  if (process.versions.node === version) return process.execPath;
  const { platform, arch } = process;
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const file = platform === 'win32' ? 'node.exe' : join('bin', 'node');
  const folder = join(cache, version);
  const node = join(folder, file);
  if (existsSync(node)) return node;
  const unpacked = join(cache, `${version}.partial`);
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  try {
    const archive = execFileSync('npm', ['pack', '--silent', `${name}@${version}`], {
      cwd: unpacked,
      encoding: 'utf8',
      shell: platform === 'win32', // npm is a script there
    }).trim();
    execFileSync('tar', ['xzf', archive], { cwd: unpacked });
    renameSync(join(unpacked, 'package'), folder); // now it is complete
  } catch (error) {
    console.error(
      `Node ${version} is not to be had: npm pack ${name}@${version} failed (${(error as Error).message.split('\n')[0]}). ` +
        'Check that the registry can be reached and has this package for your platform.',
    );
    return undefined;
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return node;
}
