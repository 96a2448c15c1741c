// Runs the tests of what depends on Node most, on every Node that is supported: `pnpm test:nodes`, or
// with majors as arguments. The binaries come from the npm registry, once, into node_modules/.cache.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const VERSIONS = ['22.19.0', '24.21.0', '26.10.0'];
const PROJECTS = ['tasks', 'thereafter'];

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules', '.cache', 'nodes');
const wanted = process.argv.slice(2);

let failures = 0;
for (const version of VERSIONS) {
  const [major = ''] = version.split('.');
  if (wanted.length > 0 && !wanted.includes(major)) continue;
  const node = binary(version);
  if (node === undefined) {
    failures += 1;
    continue;
  }
  console.log(`\n=== Node ${version}: ${PROJECTS.join(', ')}`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const projects = PROJECTS.flatMap((project) => ['--project', project]);
  const { status } = spawnSync(node, [vitest, 'run', '--reporter=default', ...projects], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) failures += 1;
}
if (failures > 0) {
  console.error(`\n${failures} of the Nodes failed.`);
  process.exitCode = 1;
}

/** The path of a Node; nothing, and a line that says why, where it is not to be had. */
function binary(version: string): string | undefined {
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
