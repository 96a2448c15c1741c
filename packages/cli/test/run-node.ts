import { execFile } from 'node:child_process';
import { join } from 'node:path';

const packageFolder = join(import.meta.dirname, '..');

/** The path of a file under test/fixtures. */
export function fixture(name: string): string {
  return join(import.meta.dirname, 'fixtures', name);
}

/** What a finished Node process left behind. */
export interface NodeRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs Node in this package's folder, where `@thereafter/cli/...` is the package itself. */
export function runNode(...args: string[]): Promise<NodeRun> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: packageFolder }, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
