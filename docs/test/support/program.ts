import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const BUNDLES_SOURCES = new URL('./bundle-sources.js', import.meta.url).href;

/**
 * Longest wait for a line. A page that waits in vain is wrong, and should say what was printed, which it
 * cannot once its test has reached the limit of vitest.config.ts.
 */
const DEADLINE_MS = 250_000;

/** Between two looks at what a program brings about without a word. */
const PAUSE_MS = 10;

/** A program that a page starts, and what it has printed so far. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';
  #readTo = 0;
  #wake = Promise.withResolvers<void>();

  /** @param words - The command line; settings of the environment may come first. */
  constructor(words: readonly string[], folder: string) {
    const settings = words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('='));
    const [, ...args] = words.slice(settings.length);
    const { NODE_ENV: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    const flags = ['--conditions=thereafter-source', '--import', BUNDLES_SOURCES];
    this.#child = spawn(process.execPath, [...flags, ...args], {
      cwd: folder,
      env: { ...env, PORT: '0', ...Object.fromEntries(settings) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'close').then(() => this.#wake.resolve());
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#wake.resolve();
        this.#wake = Promise.withResolvers();
      });
    }
  }

  /** What it has printed, at the address that pages show. */
  get output(): string {
    return this.#output.replaceAll(/http:\/\/localhost:\d+/g, 'http://localhost:3000');
  }

  /** Where it listens; `undefined` until it says so. */
  get url(): string | undefined {
    return /(?:"url":"|listening .*url=)(http:\/\/localhost:\d+)/.exec(this.#output)?.[1];
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Null while it runs, and when a signal has killed it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Resolves when it has ended by itself. */
  get ended(): Promise<unknown> {
    return this.#exited;
  }

  /** Waits until it listens or has ended. */
  async ready(): Promise<void> {
    while (this.url === undefined && !this.hasEnded) await this.#wake.promise;
    if (this.url === undefined) await this.#exited;
  }

  /**
   * Waits until it prints what a pattern describes, after what was waited for before.
   *
   * @returns Whether it did before it ended, or before the test has to.
   */
  async prints(pattern: RegExp): Promise<boolean> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const isOver = once(deadline, 'abort');
    for (;;) {
      const match = pattern.exec(this.output.slice(this.#readTo));
      if (match) {
        this.#readTo += match.index + match[0].length;
        return true;
      }
      if (this.hasEnded || deadline.aborted) return false;
      await Promise.race([this.#wake.promise, isOver]);
    }
  }

  /**
   * Waits until something holds that the program brings about without a word.
   *
   * @returns Whether it does, before the deadline.
   */
  async until(holds: () => boolean): Promise<boolean> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (!holds()) {
      if (deadline.aborted) return false;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return true;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.hasEnded) this.#child.kill(signal);
    await this.#exited;
  }
}
