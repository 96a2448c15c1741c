// Commands as someone types them who has only Node and npm, and who knows a certain registry.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const DEADLINE_MS = 60_000;

const root = join(import.meta.dirname, '..');
const isWindows = process.platform === 'win32';

export class Shell {
  readonly #env: NodeJS.ProcessEnv;

  /** @param node - The path of the Node that everything runs on. */
  constructor(node: string, registry: string) {
    // Nothing of this workspace, nor of the pnpm that runs this.
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_)|pnpm_|NODE_(PATH|ENV|OPTIONS)$)/i.test(name),
    );
    const path = (process.env['PATH'] ?? '').split(delimiter).filter((p) => !p.startsWith(root));
    this.#env = {
      ...Object.fromEntries(own),
      PATH: [dirname(node), ...path].join(delimiter),
      npm_config_registry: registry,
      npm_config_update_notifier: 'false',
    };
  }

  /** Runs a command to its end, and shows what it prints. Rejects when it fails. */
  async run(cwd: string, command: string, ...args: string[]): Promise<void> {
    await this.#finish(cwd, [command, ...args], 'inherit');
  }

  /** Runs a command to its end. @returns What it prints on standard output. */
  read(cwd: string, command: string, ...args: string[]): Promise<string> {
    return this.#finish(cwd, [command, ...args], 'pipe');
  }

  async #finish(
    cwd: string,
    [command, ...args]: readonly [string, ...string[]],
    stdout: 'inherit' | 'pipe',
  ): Promise<string> {
    const line = [command, ...args].join(' ');
    console.log(`$ ${line}`);
    const child = spawn(command, args, {
      cwd,
      env: this.#env,
      stdio: ['ignore', stdout, 'inherit'],
      shell: isWindows,
      timeout: DEADLINE_MS * 2,
    });
    const [printed, [code, signal]] = await Promise.all([
      child.stdout ? text(child.stdout) : '',
      once(child, 'close') as Promise<[number | null, string | null]>,
    ]);
    if (code === 0) return printed;
    throw new Error(`${line} ended with ${signal ?? `code ${code}`}`);
  }

  /** Starts a server; it ends with the block. */
  start(cwd: string, [command, ...args]: readonly [string, ...string[]], port = 0): Server {
    console.log(`$ ${[command, ...args].join(' ')} &`);
    return new Server(
      spawn(command, args, {
        cwd,
        env: { ...this.#env, PORT: String(port) },
        stdio: ['ignore', 'pipe', 'inherit'],
        // A group of its own, so that what npm started ends too.
        detached: !isWindows,
        shell: isWindows,
      }),
    );
  }
}

class Server implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    createInterface(child.stdout!).on('line', (line) => {
      this.#output += `${line}\n`;
      child.emit('line');
    });
  }

  /** The address that it is served at. */
  async served(): Promise<string> {
    const [, url] = await this.printed(/(?:url=|"url":")(http:\/\/[^\s"]+)/);
    return url!;
  }

  /** Waits until something is printed. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match) return match;
      const ended = this.#closed.then(() => Promise.reject(new Error('it has ended')));
      try {
        await Promise.race([once(this.#child, 'line', { signal }), ended]);
      } catch (cause) {
        throw new Error(`It did not print ${pattern}:\n${this.#output}`, { cause });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode } = this.#child;
    if (exitCode === null && pid !== undefined) {
      if (isWindows) execFileSync('taskkill', ['/pid', String(pid), '/T', '/F']);
      else process.kill(-pid, 'SIGTERM');
    }
    await this.#closed;
  }
}
