import { Queue, Worker } from 'bullmq';
import { contest, CONCURRENCY, type Payload } from './contest.ts';

const connection = { url: process.env['REDIS_URL']! };
const opts = { attempts: 20, removeOnComplete: { age: 24 * 3600 } };

contest({
  async open(store, run) {
    const queue = new Queue<Payload>('jobs', { connection, prefix: store });
    const worker =
      run &&
      new Worker<Payload>('jobs', async ({ data }) => run(data), {
        connection,
        prefix: store,
        concurrency: CONCURRENCY,
      });
    await queue.waitUntilReady();
    return {
      enqueue: (payload) => queue.add('noop', payload, opts),
      enqueueMany: (payloads) =>
        queue.addBulk(payloads.map((data) => ({ name: 'noop', data, opts }))),
      async close() {
        await worker?.close();
        await queue.close();
      },
    };
  },
});
