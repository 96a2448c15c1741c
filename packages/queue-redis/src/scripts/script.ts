import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { withShared } from './shared.ts';

/** A program that Redis runs at one go: nobody sees what is half done. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): Script {
  const source = withShared(lua);
  return { lua: source, sha: createHash('sha1').update(source).digest('hex') };
}

/** @param prefix - Of everything, without its colon. */
export async function run(
  client: Redis,
  { sha, lua }: Script,
  prefix: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const rest = [1, `${prefix}:`, ...args];
  try {
    return await client.call('EVALSHA', [sha, ...rest]);
  } catch (error) {
    // Redis was restarted, or has never seen it.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.call('EVAL', [lua, ...rest]);
  }
}
