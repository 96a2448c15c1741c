import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = join(import.meta.dirname, '..', 'check-boundaries.ts');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thereafter-boundaries-'));
  addPackage('di', '@thereafter/di', ['.']);
  addPackage('tasks', '@thereafter/tasks', ['.']);
  addPackage('thereafter', 'thereafter', ['.', './testing']);
  addPackage('cli', '@thereafter/cli', ['./register']);
});
afterEach(() => rmSync(root, { recursive: true }));

function addFile(file: string, text: string): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function addPackage(folder: string, name: string, doors: string[]): void {
  const exports = Object.fromEntries(doors.map((door) => [door, './src/index.ts']));
  addFile(`packages/${folder}/package.json`, JSON.stringify({ name, exports }));
}

function check(): { exitCode: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], {
    encoding: 'utf8',
  });
  return { exitCode: status, output: stdout + stderr };
}

describe('check-boundaries', () => {
  it('accepts imports along the arrows', () => {
    addFile('packages/tasks/src/a.ts', "import { x } from '@thereafter/di';\n");
    addFile('packages/tasks/test/a.test.ts', "import { a } from '../src/a.ts';\n");
    addFile('packages/thereafter/test/b.test.ts', "import '@thereafter/cli/register';\n");
    addFile('apps/tour/src/main.ts', "import 'thereafter/testing';\nimport './other.ts';\n");
    expect(check()).toEqual({ exitCode: 0, output: '4 files keep the boundaries.\n' });
  });

  it('does not take a comment or a string for an import', () => {
    addFile(
      'packages/di/src/a.ts',
      "/** import 'thereafter' */ const s = `import 'thereafter'`;\n",
    );
    expect(check().exitCode).toBe(0);
  });

  it.each([
    ['a static import', "import { App } from 'thereafter';"],
    ['an import of a type', "import type { App } from 'thereafter';"],
    ['a re-export', "export * from 'thereafter';"],
    ['a dynamic import', "await import('thereafter');"],
    ['an import type', "type App = import('thereafter').App;"],
  ])('refuses %s against the arrows, with its line and a way out', (_, code) => {
    addFile('packages/tasks/src/deep/a.ts', `// first line\n${code}\n`);
    const { exitCode, output } = check();
    expect(exitCode).toBe(1);
    expect(output).toContain(
      'packages/tasks/src/deep/a.ts:2 imports thereafter: packages/tasks may import only di. Move the code',
    );
  });

  it.each([
    ['tests', 'packages/di/test/a.test.ts'],
    ['sources', 'packages/di/src/a.ts'],
  ])('refuses a package in %s that the arrows do not reach', (_, file) => {
    addFile(file, "import 'thereafter';\n");
    expect(check().output).toContain(
      `${file}:1 imports thereafter: packages/di may import no other package.`,
    );
  });

  it('refuses the loader in sources', () => {
    addFile('packages/thereafter/src/a.ts', "import '@thereafter/cli/register';\n");
    expect(check().output).toContain('packages/thereafter may import only router, tasks, di.');
  });

  it('refuses a path into a package, from an app too', () => {
    addFile('apps/tour/src/main.ts', "import { App } from 'thereafter/src/app.ts';\n");
    expect(check().output).toContain(
      'apps/tour/src/main.ts:1 imports thereafter/src/app.ts: it is not a public entry of thereafter. Use thereafter or thereafter/testing,',
    );
  });

  it('refuses the same in a listing of the documentation', () => {
    addFile('docs/listings/inputs/body.ts', "import { App } from 'thereafter/src/app.ts';\n");
    expect(check().output).toContain('docs/listings/inputs/body.ts:1 imports thereafter/src/');
  });

  it('refuses a relative import that leaves the package', () => {
    addFile('packages/tasks/src/a.ts', "import '../../di/src/index.ts';\n");
    addFile('apps/tour/src/main.ts', "import '../../../packages/di/src/index.ts';\n");
    const { output } = check();
    expect(output).toContain('../../di/src/index.ts: it leaves packages/tasks.');
    expect(output).toContain('../../../packages/di/src/index.ts: it leaves apps/tour.');
    expect(output).toContain('2 forbidden imports, 0 circles.');
  });

  it('refuses sources that import what is not published with them', () => {
    addFile('packages/di/src/a.ts', "import '../test/fixture.ts';\n");
    expect(check().output).toContain('imports ../test/fixture.ts: src/ is published without');
  });

  it('refuses a package that imports its own name', () => {
    addFile('packages/di/src/a.ts', "import '@thereafter/di';\n");
    expect(check().output).toContain('a package is not its own user.');
  });

  it('refuses a store that imports more of the engine than its door, but for its tests', () => {
    addPackage('queue', '@thereafter/queue', ['.', './driver', './testing']);
    addFile('packages/queue-redis/test/a.test.ts', "import '@thereafter/queue/testing';\n");
    addFile('packages/queue-redis/src/a.ts', "import '@thereafter/queue/driver';\n");
    expect(check().exitCode).toBe(0);
    addFile('packages/queue-redis/src/b.ts', "import type { Jobs } from '@thereafter/queue';\n");
    expect(check().output).toContain(
      'packages/queue-redis/src/b.ts:1 imports @thereafter/queue: packages/queue-redis may import only @thereafter/queue/driver of it.',
    );
  });

  it('asks for a new package to be added to the table', () => {
    addFile('packages/mystery/src/a.ts', "import '@thereafter/di';\n");
    expect(check().output).toContain('packages/mystery is not in the table');
  });
});

describe('check-boundaries, of circles', () => {
  it.each([
    ['a static import', "import { b } from './b.ts';"],
    ['an import of a type', "import type { B } from './b.ts';"],
    ['a re-export', "export * from './b.ts';"],
    ['a dynamic import', "await import('./b.ts');"],
    ['an import type', "type B = import('./b.ts').B;"],
  ])('refuses one that %s is part of, once an import is turned round', (_, code) => {
    addFile('packages/di/src/a.ts', `${code}\nimport './c.ts';\n`);
    addFile('packages/di/src/b.ts', "import './c.ts';\n");
    addFile('packages/di/src/c.ts', '');
    expect(check()).toEqual({ exitCode: 0, output: '3 files keep the boundaries.\n' });
    addFile('packages/di/src/a.ts', `${code}\n`);
    addFile('packages/di/src/c.ts', "import './a.ts';\n");
    expect(check()).toEqual({
      exitCode: 1,
      output:
        'packages/di/src/a.ts → packages/di/src/b.ts → packages/di/src/c.ts → packages/di/src/a.ts: ' +
        'files import each other. Move what both need into a leaf.\n\n0 forbidden imports, 1 circle.\n',
    });
  });

  it('follows imports through the doors of packages', () => {
    addFile('packages/di/src/index.ts', "import 'thereafter/testing';\n");
    addFile('packages/thereafter/src/index.ts', "import './app.ts';\n");
    addFile('packages/thereafter/src/app.ts', "import '@thereafter/di';\n");
    const { exitCode, output } = check();
    expect(exitCode).toBe(1);
    expect(output).toContain(
      'packages/di/src/index.ts → packages/thereafter/src/index.ts → packages/thereafter/src/app.ts → ' +
        'packages/di/src/index.ts: files import each other.',
    );
  });

  it('names the shortest circle of every file, once', () => {
    addFile('scripts/a.ts', "import './b.ts';\nimport './c.ts';\n");
    addFile('scripts/b.js', "import './a.ts';\n");
    addFile('scripts/b.ts', "import './c.ts';\nimport './a.ts';\n");
    addFile('scripts/c.ts', "import './a.ts';\n");
    addFile('scripts/itself.ts', "import './itself.ts';\n");
    const { output } = check();
    expect(output.split('\n').map((line) => line.split(':')[0])).toEqual([
      'scripts/a.ts → scripts/b.ts → scripts/a.ts',
      'scripts/c.ts → scripts/a.ts → scripts/c.ts',
      'scripts/itself.ts → scripts/itself.ts',
      '',
      '0 forbidden imports, 3 circles.',
      '',
    ]);
  });

  it('lets fixtures be circular when their folder says so', () => {
    addFile('packages/cli/test/fixtures/circular/egg.ts', "import './hen.ts';\n");
    addFile('packages/cli/test/fixtures/circular/hen.ts', "import './egg.ts';\n");
    expect(check().exitCode).toBe(0);
  });
});
