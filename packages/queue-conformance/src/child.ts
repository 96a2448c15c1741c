/*
 * A process with a driver of its own, which the suite steers and kills. It answers what it is asked over
 * the channel of `fork()`; imported without one it does nothing.
 */
import type { JobDriver } from '@thereafter/queue/driver';
import { testJobs } from '@thereafter/queue/testing';
import { childTasks } from './child-tasks.ts';
import type { ChildAsk, ChildOptions, ChildTell } from './child-process.ts';
import { newJob } from './driver-under-test.ts';

if (process.send) await serve(JSON.parse(process.argv[2]!) as ChildOptions); // the suite wrote it

async function serve(options: ChildOptions): Promise<void> {
  const { openDriver } = (await import(options.module)) as {
    openDriver: (address: string) => JobDriver;
  };
  const { tick, ...others } = childTasks(options.effects);
  const driver = openDriver(options.address);
  const opened = await testJobs({
    driver,
    tasks: Object.values(options.hasSchedule ? { ...others, tick: tick! } : others),
    worker: options.concurrency === 0 ? false : { concurrency: options.concurrency },
    lease: options.lease,
  });
  const { jobs } = opened;

  const answer = async (ask: ChildAsk): Promise<unknown> => {
    switch (ask.method) {
      case 'enqueue':
        return (await jobs.enqueue(others[ask.task]!, {})).id;
      case 'wait':
        return (await jobs.wait(ask.id)).state;
      case 'produce':
        // Until the process is killed.
        for (;;) tell({ acknowledged: (await jobs.enqueue(others['effect']!, {})).id });
      case 'bulk':
        for (let batch = 0; ; batch++) await storeBatch(driver, `batch-${batch}`);
      case 'close':
        await opened.close();
        process.disconnect(); // nothing else keeps the process alive
        return undefined;
    }
  };
  process.on('message', (ask: ChildAsk) => {
    void answer(ask).then((value) => tell({ answerTo: ask.number, value }));
  });
  tell({ ready: true });
}

async function storeBatch(driver: JobDriver, queue: string): Promise<void> {
  tell({ begun: queue });
  await driver.enqueue(Array.from({ length: 1000 }, (_, n) => newJob(`${queue}-${n}`, { queue })));
  tell({ acknowledged: queue });
}

function tell(message: ChildTell): void {
  if (process.connected) process.send!(message);
}
