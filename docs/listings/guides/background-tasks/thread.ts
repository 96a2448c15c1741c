import { inThread, type Context } from 'thereafter';
import type * as primes from './primes.ts';

// Its name in a build. Where the program runs from its sources, primes.ts is found all the same.
const countPrimes = inThread<typeof primes.countPrimes>(
  new URL('./primes.js', import.meta.url),
  'countPrimes',
);

export const results: number[] = [];

export function count({ ctx }: { ctx: Context }): string {
  ctx.tasks.with({ timeout: '1m' }).add(countPrimes, 100_000); // ends the thread, if need be
  ctx.tasks.add(async () => results.push(await countPrimes(100))); // or as a part of a task
  return 'counting';
}
