import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { comesFromTerminal, forwardSignals } from '../child.ts';
import { findEntry } from '../entry.ts';
import { CommandError } from '../failure.ts';
import { Supervisor } from '../dev/supervisor.ts';
import { toListenOptions, type ListenFlags } from './listen-flags.ts';

export interface DevFlags extends ListenFlags {
  readonly watch: readonly string[];
  readonly drain: number;
  readonly pretty: boolean;
  readonly inspect?: string | true;
}

/** What clean-up at the end of an app may take beyond its drain before the program is killed. */
const GRACE_MS = 1000;

/** Runs a program, and again whenever one of its files is saved. Ends with the signal that ends it. */
export async function dev(given: string | undefined, flags: DevFlags): Promise<void> {
  const entry = findEntry(given);
  const envFile = flags.envFile && resolve(flags.envFile);
  const supervisor = new Supervisor({
    program: {
      entry,
      mode: 'serve',
      listen: toListenOptions(flags),
      drainTimeout: `${flags.drain}ms`,
      envFile,
    },
    patienceMs: flags.drain + GRACE_MS,
    watch: sortPaths([...flags.watch, ...(flags.envFile ? [flags.envFile] : [])]),
    nodeFlags: flags.inspect
      ? [`--inspect${flags.inspect === true ? '' : `=${flags.inspect}`}`]
      : [],
    isPretty: flags.pretty,
  });
  supervisor.start();
  const signal = await new Promise<NodeJS.Signals>((resolveSignal) => {
    forwardSignals(resolveSignal);
  });
  await supervisor.close(comesFromTerminal(signal));
}

/** @throws {CommandError} For a path with nothing there. */
function sortPaths(paths: readonly string[]): { files: string[]; folders: string[] } {
  const files: string[] = [];
  const folders: string[] = [];
  for (const path of paths) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) throw new CommandError(`There is no ${path} to watch. Create it, or leave it out.`);
    (stats.isDirectory() ? folders : files).push(resolve(path));
  }
  return { files, folders };
}
