import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server of `fixtures`, in a process of its own. */
export interface ServerProgram extends Program {
  readonly port: number;
}

/** A program of `fixtures`, in a process of its own. */
export interface Program extends AsyncDisposable {
  /** The lines it has printed; those of its log are JSON. */
  readonly lines: readonly string[];
  /** Waits until it has printed a line that contains a text, or so many. */
  line(text: string, count?: number): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Waits for its end, and returns its exit code. */
  end(): Promise<number | null>;
}

const REGISTER = import.meta
  .resolve('@thereafter/cli/register')
  .replace(/dist\/register\.js$/, 'src/register.ts');

/** Starts a server, and waits until it listens. */
export async function start(fixture: string, ...args: string[]): Promise<ServerProgram> {
  const program = launch(fixture, ...args);
  const { url } = JSON.parse(await program.line('"listening"')) as { url: string };
  return { ...program, port: Number(new URL(url).port) };
}

/** Starts a program. */
export function launch(fixture: string, ...args: string[]): Program {
  const file = join(import.meta.dirname, '..', 'fixtures', fixture);
  const child = spawn(
    process.execPath,
    ['--conditions=thereafter-source', '--import', REGISTER, file, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '..', '..') },
  );
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const lines: string[] = [];
  let isOver = false;
  let wake = (): void => undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  void exit.then(() => {
    isOver = true;
    wake();
  });
  const line = async (text: string, count = 1): Promise<string> => {
    for (;;) {
      const found = lines.filter((l) => l.includes(text))[count - 1];
      if (found !== undefined) return found;
      if (isOver) throw new Error(`It ended without '${text}':\n${lines.join('\n')}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return {
    lines,
    line,
    kill(signal) {
      child.kill(signal);
    },
    async end() {
      const [exitCode] = await exit;
      return exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
