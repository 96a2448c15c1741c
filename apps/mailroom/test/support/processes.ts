import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../..', import.meta.url));

/** A process of the mailroom. Killed at the end of a block, unless it has ended. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = '';

  constructor(file: 'main' | 'worker', env: Readonly<Record<string, string>>) {
    this.#child = spawn(
      process.execPath,
      ['--conditions=thereafter-source', '--import', '@thereafter/cli/register', `src/${file}.ts`],
      { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#child.emit('output');
      });
    }
  }

  /** Waits until the output has a match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match) return match;
      if (this.#child.exitCode !== null) throw new Error(`It ended and said:\n${this.#output}`);
      await Promise.race([once(this.#child, 'output'), once(this.#child, 'exit')]);
    }
  }

  /** @returns The exit code; null when the signal killed it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}
