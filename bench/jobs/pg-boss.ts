import { PgBoss } from 'pg-boss';
import { contest, CONCURRENCY, type Payload } from './contest.ts';

contest({
  async open(store, run) {
    const boss = new PgBoss({
      connectionString: process.env['DATABASE_URL']!,
      schema: `bench_${store.replaceAll('-', '_')}`,
      schedule: false,
    });
    boss.on('error', console.error);
    await boss.start();
    await boss.createQueue('noop');
    if (run) {
      // What it takes at once is all that makes it fast; half a second is its shortest interval.
      await boss.work<Payload>(
        'noop',
        { batchSize: 100, pollingIntervalSeconds: 0.5, localConcurrency: CONCURRENCY },
        async (jobs) => {
          for (const { data } of jobs) run(data);
        },
      );
    }
    return {
      enqueue: (payload) => boss.send('noop', payload),
      enqueueMany: (payloads) =>
        boss.insert(
          'noop',
          payloads.map((data) => ({ data })),
        ),
      close: () => boss.stop({ graceful: true, close: true }),
    };
  },
});
