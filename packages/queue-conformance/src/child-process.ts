import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duration } from '@thereafter/tasks';

export interface ChildOptions {
  /** The module with `openDriver`. */
  readonly module: string;
  readonly address: string;
  /** The file in which tasks leave their lines. */
  readonly effects: string;
  /** 0: it runs no jobs. */
  readonly concurrency: number;
  readonly hasSchedule: boolean;
  readonly lease: Duration;
}

type Question =
  | { readonly method: 'enqueue'; readonly task: string }
  | { readonly method: 'wait'; readonly id: string }
  | { readonly method: 'produce' | 'bulk' | 'close' };

export type ChildAsk = Question & { readonly number: number };

export type ChildTell =
  | { readonly ready: true }
  | { readonly begun: string }
  | { readonly acknowledged: string }
  | { readonly answerTo: number; readonly value: unknown };

/** A process of the suite, with an engine on a place. Killed when it is disposed. */
export class Child implements AsyncDisposable {
  /** What it said to have stored, and to be about to store. */
  readonly acknowledged: string[] = [];
  readonly begun: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, (value: unknown) => void>();
  readonly #watchers = new Set<() => void>();
  #asked = 0;

  private constructor(options: ChildOptions) {
    const isSource = import.meta.url.endsWith('.ts');
    this.#process = fork(
      new URL(`./child.${isSource ? 'ts' : 'js'}`, import.meta.url),
      [JSON.stringify(options)],
      {
        execArgv: isSource ? ['--conditions=thereafter-source'] : [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    this.exited = once(this.#process, 'exit').then(([code]) => code as number | null);
    this.#process.on('message', (message: ChildTell) => this.#hear(message));
  }

  /** Resolves when its engine has started. */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options);
    let complaint = '';
    child.#process.stderr!.on('data', (text: Buffer) => (complaint += text.toString()));
    const ready = once(child.#process, 'message');
    const isReady = await Promise.race([ready.then(() => true), child.exited.then(() => false)]);
    if (!isReady) throw new Error(`The child process did not start:\n${complaint}`);
    return child;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  #hear(message: ChildTell): void {
    if ('acknowledged' in message) this.acknowledged.push(message.acknowledged);
    if ('begun' in message) this.begun.push(message.begun);
    if ('answerTo' in message) this.#answers.get(message.answerTo)?.(message.value);
    for (const look of this.#watchers) look();
  }

  /** Until it has said to have stored so much. */
  async hasAcknowledged(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.acknowledged.length < count) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Asks, and does not wait for the answer. */
  tell(question: Question): void {
    this.#process.send({ ...question, number: (this.#asked += 1) });
  }

  async ask(question: Question): Promise<unknown> {
    const number = this.#asked + 1;
    const answer = new Promise((resolve) => this.#answers.set(number, resolve));
    this.tell(question);
    return await answer;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name);
  }

  /** Ends it as a crash would: at once, with nothing written or closed. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
