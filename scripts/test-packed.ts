// Uses the packed packages as a stranger would, in folders outside of the workspace: `pnpm test:packed`,
// after a build, or with majors of Node as arguments. On every Node that is supported, npm installs them,
// their pages are served and the quickstart runs; on the newest LTS also what `thereafter new` makes, up
// to a saved change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NODE_VERSIONS, nodeBinary } from './nodes.ts';
import { packAll, type PackedPackage } from './packages.ts';
import { startRegistry } from './registry.ts';
import { Shell } from './shell.ts';
import { freePort } from './free-port.ts';

/** What was fetched once is not asked for again. */
const NPM_FLAGS = ['--no-audit', '--no-fund', '--prefer-offline'];
const STORY_MAJOR = '24';
/** An app whose pages are files of the packages. */
const CONSOLE = `
  import { adminConsole } from '@thereafter/console';
  import { createApp } from 'thereafter';
  await createApp().include(adminConsole({ authorize: () => true })).run();
`;
const SAVED_WITHIN_MS = 1000;
const DEADLINE_MS = 60_000;

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'thereafter-packed-'));

try {
  const packages = packAll(folder);
  console.log(packages.map(({ manifest }) => `${manifest.name} ${manifest.version}`).join(', '));
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  await using registry = await startRegistry(packages, upstream);
  for (const version of NODE_VERSIONS) {
    const [major = ''] = version.split('.');
    if (wanted.length > 0 && !wanted.includes(major)) continue;
    const node = nodeBinary(version);
    if (node === undefined) {
      process.exitCode = 1;
      continue;
    }
    const shell = new Shell(node, registry.url);
    console.log(`\n=== Node ${version}: quickstart`);
    await quickstart(shell, join(folder, `quickstart-${major}`), packages);
    if (major !== STORY_MAJOR) continue;
    console.log(`\n=== Node ${version}: thereafter new`);
    await story(shell, join(folder, 'story'));
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** An empty project in which the quickstart runs by the loader, by the command, and bundled. */
async function quickstart(
  shell: Shell,
  project: string,
  packages: readonly PackedPackage[],
): Promise<void> {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  cpSync(join(root, 'apps/quickstart/src/main.ts'), join(project, 'main.ts'));
  const names = packages.map(({ manifest }) => manifest.name);
  await shell.run(project, 'npm', 'install', ...NPM_FLAGS, 'typebox', ...names);

  writeFileSync(join(project, 'doors.mjs'), openEveryDoor(packages));
  await shell.run(project, 'node', 'doors.mjs');

  writeFileSync(join(project, 'console.mjs'), CONSOLE);
  {
    await using program = shell.start(project, ['node', 'console.mjs']);
    const url = await program.served();
    for (const path of ['', 'page/main.js', 'page/style.css', 'api/app']) {
      const answer = await fetch(`${url}/console/${path}`);
      assert.deepEqual([path, answer.status], [path, 200]);
    }
    assert.equal((await fetch(`${url}/docs/swagger-ui.css`)).status, 200);
  }

  // What Node 22 does not know is compiled for it.
  cpSync(join(root, 'packages/cli/test/fixtures/using/main.ts'), join(project, 'using.ts'));
  const loader = ['--import', '@thereafter/cli/register'];
  assert.equal(await shell.read(project, 'node', ...loader, 'using.ts'), 'Pool\nclosed\n');

  await useQuickstart(shell, project, ['node', ...loader, 'main.ts']);
  await useQuickstart(shell, project, ['npx', 'thereafter', 'start']);
  assert.equal(
    await shell.read(project, 'npx', 'thereafter', 'routes'),
    'GET   /        Quickstart.hello\nPOST  /remind  Quickstart.remind\n',
  );
  await shell.run(project, 'npx', 'thereafter', 'build');
  const deployed = `${project}-deployed`; // as in an image: without node_modules
  cpSync(join(project, 'dist'), deployed, { recursive: true });
  await useQuickstart(shell, deployed, ['node', 'main.mjs']);
}

/** A program that imports every entry of every package. Those whose peer is optional may lack it. */
function openEveryDoor(packages: readonly PackedPackage[]): string {
  const doors = packages.flatMap(({ manifest: { name, exports, peerDependenciesMeta } }) =>
    Object.keys(exports ?? {})
      .filter((door) => door !== './package.json')
      .map((door) => [door.replace('.', name), Object.keys(peerDependenciesMeta ?? {})] as const),
  );
  return `
    for (const [door, peers] of ${JSON.stringify(doors)}) {
      await import(door).catch((error) => {
        const isMissing = peers.some((peer) => error.message.includes(\`package '\${peer}'\`));
        if (error.code !== 'ERR_MODULE_NOT_FOUND' || !isMissing) throw error;
      });
    }
  `;
}

async function useQuickstart(
  shell: Shell,
  project: string,
  command: readonly [string, ...string[]],
): Promise<void> {
  await using program = shell.start(project, command);
  const url = await program.served();
  assert.deepEqual(await (await fetch(url)).json(), { hello: 'world' });
  const reminded = await fetch(`${url}/remind?what=milk`, { method: 'POST' });
  assert.deepEqual(await reminded.json(), { message: 'You will be reminded' });
  await program.printed(/^Remember: milk$/m);
}

/** What the README tells people to do first. */
async function story(shell: Shell, parent: string): Promise<void> {
  mkdirSync(parent);
  const demo = join(parent, 'demo');
  // A cache of its own: npx keeps what it has fetched by version, and the version here is always the same.
  const cache = join(parent, 'npx-cache');
  await shell.run(parent, 'npx', '--yes', '--cache', cache, '@thereafter/cli', 'new', 'demo');
  await shell.run(demo, 'npm', 'install', ...NPM_FLAGS);
  for (const script of ['test', 'typecheck', 'lint', 'doctor'])
    await shell.run(demo, 'npm', 'run', script);

  {
    // The same one after each restart.
    await using dev = shell.start(demo, ['npm', 'run', 'dev'], await freePort());
    const url = await dev.served();
    const times: number[] = [];
    for (const word of ['one', 'two', 'three']) times.push(await save(demo, url, word));
    console.log(`a saved change is served after ${times.map(Math.round).join(', ')} ms`);
    assert.ok(Math.min(...times) <= SAVED_WITHIN_MS, `not within ${SAVED_WITHIN_MS} ms`);
  }

  await shell.run(demo, 'npm', 'run', 'build');
  const deployed = join(parent, 'deployed'); // what its Dockerfile copies
  cpSync(join(demo, 'dist'), join(deployed, 'dist'), { recursive: true });
  await using app = shell.start(deployed, ['node', '--enable-source-maps', 'dist/app.mjs']);
  const url = await app.served();
  const added = await fetch(`${url}/notes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'Buy milk' }),
  });
  assert.equal(added.status, 201);
  await app.printed(/a new note: Buy milk/);
}

/** Adds a route to the project, and waits until it answers. @returns Milliseconds from the save. */
async function save(demo: string, firstUrl: string, word: string): Promise<number> {
  const file = join(demo, 'src/app.ts');
  const source = readFileSync(file, 'utf8');
  const route = `\napp.get('/${word}', () => ({ saved: '${word}' }));\n`;
  const startedAtMs = performance.now();
  writeFileSync(file, source + route);
  for (;;) {
    const answer = await fetch(`${firstUrl}/${word}`).catch(() => undefined);
    if (answer?.status === 200) {
      assert.deepEqual(await answer.json(), { saved: word });
      return performance.now() - startedAtMs;
    }
    assert.ok(performance.now() - startedAtMs < DEADLINE_MS, 'a saved change is never served');
    await delay(10);
  }
}
