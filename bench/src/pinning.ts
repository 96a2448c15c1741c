import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const canPin = cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** The command, bound to one core where the system has `taskset`: 0 for servers, 1 for load. */
export function pinned(core: 0 | 1, command: readonly string[]): [string, ...string[]] {
  return (canPin ? ['taskset', '-c', String(core), ...command] : command) as [string, ...string[]];
}
