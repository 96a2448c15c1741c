import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { spawnProgram } from '../child.ts';
import type { ProgramReport } from '../program.ts';
import type { ProgramOptions } from '../run-program.ts';
import { LogLines } from './log-lines.ts';
import { FileWatcher } from './watch.ts';

export interface SupervisorOptions {
  readonly program: ProgramOptions;
  /** How long the program may drain before it is killed. */
  readonly patienceMs: number;
  /** Files and folders to watch besides what the program loads. */
  readonly watch: { readonly files: readonly string[]; readonly folders: readonly string[] };
  readonly nodeFlags: readonly string[];
  /** Whether log lines are made readable. */
  readonly isPretty: boolean;
}

/**
 * Runs a program and starts it again when a file that it has loaded changes.
 *
 * - running: a child process is there; a change stops it
 * - stopping: the child drains; what changes meanwhile is in the next start anyway
 * - down: the program has ended by itself, most often because it does not compile; a change starts it
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #watcher: FileWatcher;
  #child: ChildProcess | undefined;
  /** Set while a restart is under way. */
  #restarting: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#watcher = new FileWatcher((files) => this.#restart(files));
    const { files, folders } = options.watch;
    for (const file of [options.program.entry, ...files]) this.#watcher.add(file);
    for (const folder of folders) this.#watcher.addFolder(folder);
  }

  start(): void {
    const startedAtMs = performance.now();
    const { program, nodeFlags, isPretty } = this.#options;
    const child = spawnProgram(program, {
      nodeFlags,
      env: keepColours(),
      stdio: ['inherit', isPretty ? 'pipe' : 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.stdout?.pipe(new LogLines()).pipe(process.stdout, { end: false });
    child.on('message', (report: ProgramReport) => {
      if ('loaded' in report) this.#watcher.add(report.loaded);
      else {
        const docs = report.docs ? `, docs ${report.docs}` : '';
        say(`serving ${report.listening}`, `ready in ${elapsed(startedAtMs)}${docs}`);
      }
    });
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#restarting || this.#isClosed) return;
      say(`the program ended with ${signal ?? `code ${code}`}`, 'waiting for a change');
    });
  }

  /** Ends the program, and the watch over it. */
  async close(isTold: boolean): Promise<void> {
    this.#isClosed = true;
    this.#watcher.close();
    await this.#stop(isTold);
  }

  #restart(files: readonly string[]): void {
    if (this.#isClosed) return;
    say(`${files.map((file) => relative(process.cwd(), file)).join(', ')} changed`, 'restarting');
    this.#restarting ??= this.#stop(false).then(() => {
      this.#restarting = undefined;
      if (!this.#isClosed) this.start();
    });
  }

  /** @param isTold - Whether the program has had the signal already; a second one would cut it short. */
  async #stop(isTold: boolean): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const exited = once(child, 'exit');
    if (!isTold) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      say('the program does not end', 'killing it');
      child.kill('SIGKILL');
    }, this.#options.patienceMs);
    await exited;
    clearTimeout(timer);
  }
}

/** Its output passes through a pipe here, and is still seen by a person. */
function keepColours(): NodeJS.ProcessEnv {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const isWanted = process.stdout.isTTY && NO_COLOR === undefined && FORCE_COLOR === undefined;
  return isWanted ? { FORCE_COLOR: '1' } : {};
}

function elapsed(sinceMs: number): string {
  return `${Math.round(performance.now() - sinceMs)} ms`;
}

/** A line of the supervisor among those of the program. */
function say(what: string, detail: string): void {
  const mark = styleText('cyan', '▲', { stream: process.stdout });
  const rest = styleText('gray', `(${detail})`, { stream: process.stdout });
  console.log(`${mark} ${what} ${rest}`);
}
