import { appendFileSync } from 'node:fs';
import type { JobContext } from '@thereafter/tasks';
import { task, untilAborted, type AnyTask } from './driver-under-test.ts';

/**
 * Tasks that leave lines in a file, which outlives the process that wrote them: the name of the task,
 * what happened, the id of the job, the attempt. Parent and child processes include the same.
 */
export function childTasks(effects: string): Record<string, AnyTask> {
  const note = (job: JobContext, name: string, what: string): void =>
    appendFileSync(effects, `${name} ${what} ${job.id} ${job.attempt}\n`);
  const noting = (
    name: string,
    run: (job: JobContext, payload: unknown) => unknown,
    options: Parameters<typeof task>[2] = {},
  ): AnyTask =>
    task(
      name,
      async (payload: unknown, job) => {
        note(job, name, 'began');
        const result = await run(job, payload);
        note(job, name, 'ended');
        return result;
      },
      { backoff: { type: 'fixed', delay: '1ms' }, ...options },
    );
  const hangFirst = async (job: JobContext): Promise<void> => {
    if (job.attempt > 1) return;
    try {
      await untilAborted(job);
    } catch (error) {
      note(job, 'signal', (error as { code: string }).code);
      throw error;
    }
  };
  const die = (): void => process.kill(process.pid, 'SIGKILL') && undefined;
  return {
    effect: noting('effect', () => undefined),
    hang: noting('hang', hangFirst),
    fragile: noting('fragile', hangFirst, { attempts: 1 }),
    short: noting('short', () => new Promise((resolve) => setTimeout(resolve, 30))),
    poison: noting('poison', die, { attempts: 10 }),
    unsettled: noting('unsettled', async ({ attempt }) => {
      if (attempt === 1) void Promise.reject(new Error('nobody awaits this'));
    }),
    // Dies when its promise has been fulfilled, and the store does not know yet.
    unacknowledged: task('unacknowledged', (_, job) => {
      note(job, 'unacknowledged', 'ended');
      if (job.attempt === 1) process.nextTick(die);
    }),
    tick: task(
      'tick',
      (_, job) => appendFileSync(effects, `tick ${job.scheduledFor!.getTime()} ${job.id} 1\n`),
      { cron: '*/1 * * * * *', missedRuns: 'all', queue: 'ticks' },
    ),
  };
}
