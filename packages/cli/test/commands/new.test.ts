import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../project.ts';
import type { NodeRun } from '../run-node.ts';

const root = join(import.meta.dirname, '../../../..');
const run = promisify(execFile);

let project: Project;
let made: NodeRun;
beforeAll(async () => {
  project = new Project({});
  made = await project.run('new', 'demo');
});
afterAll(() => project[Symbol.dispose]());

const demo = (): string => join(project.folder, 'demo');

describe('what thereafter new makes', () => {
  it('comes with the next steps', () => {
    expect(made).toEqual({
      exitCode: 0,
      stdout: 'demo is ready. Next:\n\n  cd demo\n  npm install\n  npm test\n  npm run dev\n',
      stderr: '',
    });
  });

  it('has a controller, a task, a test, an image and its own name', () => {
    const all = readdirSync(demo(), { recursive: true, withFileTypes: true });
    const files = all.filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).toSorted()).toEqual(
      [
        '.dockerignore',
        '.gitignore',
        '.oxlintrc.json',
        'Dockerfile',
        'README.md',
        'announce-note.ts',
        'app.ts',
        'notes-controller.ts',
        'notes.test.ts',
        'notes.ts',
        'package.json',
        'tsconfig.json',
        'vitest.config.ts',
      ].toSorted(),
    );
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain('my-app');
    }
    expect(project.read('demo/.oxlintrc.json')).toMatch(
      /\/\/.*import type[^]*"typescript\/consistent-type-imports": "off"/,
    );
  });

  it('depends on what this repository is tested with', () => {
    const { version } = JSON.parse(
      readFileSync(join(root, 'packages/thereafter/package.json'), 'utf8'),
    ) as { version: string };
    const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
    const { dependencies, devDependencies } = JSON.parse(
      project.read('demo/package.json'),
    ) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
    const { thereafter, ...others } = { ...dependencies, ...devDependencies };
    expect(thereafter).toBe(`^${version}`);
    expect(others['@thereafter/cli']).toBe(`^${version}`);
    delete others['@thereafter/cli'];
    for (const [name, wanted] of Object.entries(others)) {
      expect(catalog).toMatch(new RegExp(`^ {2}'?${name}'?: ${wanted}$`, 'm'));
    }
  });

  it('has types and lint that are right', async () => {
    await run(join(root, 'node_modules/.bin/tsc'), ['--customConditions', 'thereafter-source'], {
      cwd: demo(),
    });
    // Elsewhere, since the linter leaves out what git does.
    const elsewhere = mkdtempSync(join(tmpdir(), 'thereafter-new-'));
    cpSync(demo(), elsewhere, { recursive: true });
    const { stdout } = await run(join(root, 'node_modules/.bin/oxlint'), ['--deny-warnings'], {
      cwd: elsewhere,
    });
    expect(stdout).toMatch(/Found 0 warnings and 0 errors\.\nFinished in .* on 6 files/);
    rmSync(elsewhere, { recursive: true });
  });

  it('runs, and works after the answer', async () => {
    const entry = 'demo/src/app.ts';
    expect((await project.run('doctor', entry)).exitCode).toBe(0);
    await using dev = project.start('dev', entry);
    const added = await fetch(`${await dev.served()}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'Buy milk' }),
    });
    expect(added.status).toBe(201);
    expect(await added.json()).toEqual({ id: 1, text: 'Buy milk' });
    await dev.printed(/info {2}a new note: Buy milk/);
  });
});

describe('thereafter new', () => {
  it.for([
    [['new'], /^thereafter: Where to\? Name the folder: thereafter new my-app\.\n$/],
    [['new', 'demo'], /^thereafter: .*demo is not empty\. Choose a folder that is.*\n$/],
    [['new', 'package.json'], /^thereafter: .*package\.json is a file\. Choose another name\.\n$/],
    [['new', 'My App'], /^thereafter: My App cannot be the name of a package\. Use .*\n$/],
  ] as const)('refuses %j', async ([args, line]) => {
    const { exitCode, stdout, stderr } = await project.run(...args);
    expect(stderr).toMatch(line);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });
});
