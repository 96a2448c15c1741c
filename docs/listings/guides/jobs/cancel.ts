import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'thereafter';
import type { Jobs } from '@thereafter/queue';
import { Type } from 'typebox';

export const encode = defineTask(
  { name: 'encode', payload: Type.Object({ frames: Type.Integer() }), durable: true },
  async ({ payload, job }) => {
    for (let frame = 1; frame <= payload.frames; frame++) {
      await sleep(1, undefined, { signal: job.signal }); // throws when the job is cancelled
      await job.progress(frame / payload.frames);
    }
  },
);

export async function stopHalfway(jobs: Jobs): Promise<string> {
  const { id } = await jobs.enqueue(encode, { frames: 100_000 });
  while (((await jobs.get(id))?.progress ?? 0) === 0) await sleep(1);
  await jobs.cancel(id); // true: there was something to call off
  const job = await jobs.wait(id, { timeout: '5s' });
  return job.state;
}
