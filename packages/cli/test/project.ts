import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NodeRun } from './run-node.ts';

const bin = join(import.meta.dirname, '..', 'bin', 'thereafter.js');

/** An app that answers `/` with a word. */
export const hello = (word: string): string => `
import { Controller, createApp, Get } from 'thereafter';

@Controller()
class Hello {
  @Get('/')
  hello() {
    return { hello: '${word}' };
  }
}

export const app = createApp({ title: 'Hello' }).include(Hello);
`;

/** A folder in which `thereafter` runs, below this package, so that what it imports is found. */
export class Project implements Disposable {
  readonly folder: string;

  constructor(files: Readonly<Record<string, string>>) {
    const parent = join(import.meta.dirname, 'fixtures', 'dist');
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, 'project-'));
    this.write({ 'package.json': '{ "type": "module" }', ...files });
  }

  /** Files by their paths in the project. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** Runs `thereafter` to its end. */
  async run(...args: string[]): Promise<NodeRun> {
    await using command = this.start(...args);
    const [exitCode] = (await command.closed) as [number | null];
    return { exitCode: exitCode ?? -1, stdout: command.stdout, stderr: command.stderr };
  }

  /** Starts `thereafter`, on a free port unless the arguments say otherwise. */
  start(...args: string[]): Running {
    return this.startNode([bin, ...args]);
  }

  startNode(args: readonly string[]): Running {
    const { NODE_ENV: _, FORCE_COLOR: __, ...env } = process.env; // vitest's
    return new Running(
      spawn(process.execPath, ['--conditions=thereafter-source', ...args], {
        cwd: this.folder,
        env: { ...env, PORT: '0' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A process that runs, and what it has printed so far. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Settles with code and signal when it has ended and its output is read. */
  readonly closed: Promise<unknown[]>;
  stdout = '';
  stderr = '';
  readonly #waiting = new Set<() => void>();
  #isClosed = false;
  /** How much of the output was waited for. */
  #seen = 0;
  #output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.closed = once(child, 'close').finally(() => {
      this.#isClosed = true;
      this.#wake();
    });
    const take = (line: string): void => {
      this.#output += `${line}\n`;
      this.#wake();
    };
    createInterface(child.stdout!).on('line', (line) => {
      this.stdout += `${line}\n`;
      take(line);
    });
    createInterface(child.stderr!).on('line', (line) => {
      this.stderr += `${line}\n`;
      take(line);
    });
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until something is printed, after what was waited for before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output.slice(this.#seen));
      if (match) {
        this.#seen += match.index + match[0].length;
        return match;
      }
      if (this.#isClosed) throw new Error(`It ended without ${pattern}:\n${this.#output}`);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  /** The address that the next start of the app is served at. */
  async served(): Promise<string> {
    const [, url] = await this.printed(/(?:▲ serving |"url":")(http:\/\/[^\s"]+)/);
    return url!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGTERM');
    await this.closed;
  }
}
