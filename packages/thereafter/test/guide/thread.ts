import { inThread, type Context } from 'thereafter';
import type * as primes from './primes.ts';

// The name that the file has when the program runs: './primes.js' in a build.
const countPrimes = inThread<typeof primes.countPrimes>(
  new URL('./primes.ts', import.meta.url),
  'countPrimes',
);

export const results: number[] = [];

export function count({ ctx }: { ctx: Context }): string {
  ctx.tasks.with({ timeout: '1m' }).add(countPrimes, 100_000); // ends the thread, if need be
  ctx.tasks.add(async () => results.push(await countPrimes(100))); // or as a part of a task
  return 'counting';
}
