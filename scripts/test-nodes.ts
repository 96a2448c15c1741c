// Runs the tests of what depends on Node most, on every Node that is supported: `pnpm test:nodes`, or
// with majors as arguments.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { NODE_VERSIONS, nodeBinary } from './nodes.ts';

const PROJECTS = ['di', 'tasks', 'thereafter'];

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);

let failures = 0;
for (const version of NODE_VERSIONS) {
  const [major = ''] = version.split('.');
  if (wanted.length > 0 && !wanted.includes(major)) continue;
  const node = nodeBinary(version);
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
