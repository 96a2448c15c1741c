// The life of a measured process: opens a store, does what it is told with it, and answers how long it
// took.
import type { Order, Answer } from '../src/jobs.ts';

export interface Payload {
  readonly n: number;
  readonly email: string;
}

/** A store of jobs that is open in this process. */
export interface OpenStore {
  /** Resolves when the job is stored. */
  enqueue(payload: Payload): Promise<unknown>;
  /** Resolves when all are stored. */
  enqueueMany(payloads: readonly Payload[]): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Contestant {
  /**
   * @param store - Names a store of its own: a new file, prefix or schema.
   * @param run - What a job does. Without it, nothing is run in this process.
   */
  open(store: string, run?: (payload: Payload) => void): Promise<OpenStore>;
}

/** How many jobs run at once in every contestant. */
export const CONCURRENCY = 10;

const CALLERS = 32;
const BATCH = 1000;

/** Answers orders. */
export function contest(contestant: Contestant): void {
  process.on('message', (order: Order) => {
    void perform(contestant, order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}

const payload = (n: number): Payload => ({ n, email: `guest${n}@example.com` });

const payloads = (from: number, to: number): Payload[] =>
  Array.from({ length: to - from }, (_, i) => payload(from + i));

async function perform(contestant: Contestant, { work, times, store }: Order): Promise<Answer> {
  switch (work) {
    case 'one': {
      const open = await contestant.open(store);
      const answer = await timed(times, async () => {
        for (let n = 0; n < times; n++) await open.enqueue(payload(n));
      });
      await open.close();
      return answer;
    }
    case 'callers': {
      const open = await contestant.open(store);
      let n = 0;
      const answer = await timed(times, () =>
        Promise.all(
          Array.from({ length: CALLERS }, async () => {
            while (n < times) await open.enqueue(payload(n++));
          }),
        ),
      );
      await open.close();
      return answer;
    }
    case 'bulk': {
      const open = await contestant.open(store);
      const answer = await timed(times, async () => {
        for (let n = 0; n < times; n += BATCH) await open.enqueueMany(payloads(n, n + BATCH));
      });
      await open.close();
      return answer;
    }
    case 'drain':
      return drain(contestant, store, times);
    case 'latency':
      return latency(contestant, store, times);
  }
}

/** Jobs are stored; then the time from opening the store to the end of the last. */
async function drain(contestant: Contestant, store: string, times: number): Promise<Answer> {
  const filling = await contestant.open(store);
  for (let n = 0; n < times; n += BATCH) {
    await filling.enqueueMany(payloads(n, Math.min(n + BATCH, times)));
  }
  await filling.close();
  const seen = new Set<number>();
  const all = Promise.withResolvers<void>();
  let open: OpenStore | undefined;
  const answer = await timed(times, async () => {
    open = await contestant.open(store, ({ n }) => {
      seen.add(n);
      if (seen.size === times) all.resolve();
    });
    await all.promise;
  });
  await open!.close(); // opened above
  return answer;
}

/** From the call that enqueues a job to its start, one job at a time and the worker idle. */
async function latency(contestant: Contestant, store: string, times: number): Promise<Answer> {
  let started: (() => void) | undefined;
  const open = await contestant.open(store, () => started?.());
  const latenciesMs: number[] = [];
  const answer = await timed(times, async () => {
    for (let n = 0; n < times; n++) {
      const start = new Promise<void>((resolve) => (started = resolve));
      const atMs = performance.now();
      await Promise.all([open.enqueue(payload(n)), start]);
      latenciesMs.push(performance.now() - atMs);
    }
  });
  await open.close();
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))]!;
  return { ...answer, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function timed(times: number, run: () => Promise<unknown>): Promise<Answer> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  await run();
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return {
    perSecond: (times / elapsedMs) * 1000,
    cpuUs: (user + system) / times,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    p50Ms: 0,
    p99Ms: 0,
  };
}
