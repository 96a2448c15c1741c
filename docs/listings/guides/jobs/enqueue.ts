import { defineTask } from 'thereafter';
import type { Jobs } from '@thereafter/queue';
import { Type } from 'typebox';

export const remind = defineTask(
  { name: 'remind', payload: Type.Object({ userId: Type.Integer() }), durable: true },
  ({ payload, job }) => job.log.info(`user ${payload.userId} is reminded`),
);

export async function planReminders(jobs: Jobs): Promise<readonly string[]> {
  const soon = await jobs.enqueue(remind, { userId: 1 }, { delay: '10m' });
  const later = await jobs.enqueue(remind, { userId: 2 }, { runAt: new Date('2100-01-01') });
  const first = await jobs.enqueue(remind, { userId: 3 }, { priority: 0 }); // 0 to 9, default 5
  const many = await jobs.enqueueMany(remind, [{ userId: 4 }, { userId: 5 }]); // all or none
  return [soon, later, first, ...many].map(({ state }) => state);
}
