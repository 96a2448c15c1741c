// Enqueues and runs jobs while so many others are stored, most of them ended, some for later.
import { sqlite } from '@thereafter/queue/sqlite';
import { Task } from 'thereafter';
import { contest, CONCURRENCY, type Payload } from './contest.ts';
import { Guest, startEngine } from './thereafter-store.ts';

const STORED = Number(process.env['STORED']);
const BATCH = 1000;

let onRun: ((payload: Payload) => void) | undefined;

@Task(Guest, { durable: true, name: 'noop' })
class Noop {
  run(payload: Payload): void {
    onRun?.(payload);
  }
}

const { queue } = await startEngine(Noop, {
  driver: sqlite({ file: `${process.env['FOLDER']}/full-${STORED}.db` }),
  worker: { concurrency: CONCURRENCY },
});

for (let n = 0; n < STORED; n += BATCH) {
  const guests = Array.from({ length: BATCH }, (_, i) => ({
    n: n + i,
    email: 'stored@example.com',
  }));
  // Half of them end, the others wait for tomorrow.
  await queue.enqueueMany(Noop, guests.slice(BATCH / 2));
  await queue.enqueueMany(Noop, guests.slice(0, BATCH / 2), { delay: '1d' });
}
while ((await queue.counts()).completed < STORED / 2) await new Promise(setImmediate);

contest({
  async open(_store, run) {
    onRun = run;
    await (run ? queue.resume('default') : queue.pause('default'));
    return {
      enqueue: (payload) => queue.enqueue(Noop, payload),
      enqueueMany: (payloads) => queue.enqueueMany(Noop, payloads),
      close: () => Promise.resolve(),
    };
  },
});
