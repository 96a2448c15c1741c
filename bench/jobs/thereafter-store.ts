import { createContainer } from '@thereafter/di';
import { Jobs, jobs, type JobDriver, type JobsOptions } from '@thereafter/queue';
import { Task, type JobEngine, type Runnable } from 'thereafter';
import { Type } from 'typebox';
import { CONCURRENCY, type Contestant, type Payload } from './contest.ts';

export const Guest = Type.Object({ n: Type.Integer(), email: Type.String() });

/** The engine on one of its drivers. */
export function thereafter(driverFor: (store: string) => JobDriver): Contestant {
  return {
    async open(store, run) {
      @Task(Guest, { durable: true, name: 'noop' })
      class Noop {
        run(payload: Payload): void {
          run?.(payload);
        }
      }
      const { queue, engine } = await startEngine(Noop, {
        driver: driverFor(store),
        worker: run ? { concurrency: CONCURRENCY } : false,
      });
      return {
        enqueue: (payload) => queue.enqueue(Noop, payload),
        enqueueMany: (payloads) => queue.enqueueMany(Noop, payloads),
        close: () => engine.close(10_000),
      };
    },
  };
}

/** An engine without an app, for one task. */
export async function startEngine(
  task: Runnable,
  options: JobsOptions,
): Promise<{ readonly queue: Jobs; readonly engine: JobEngine }> {
  const container = createContainer();
  const engine = jobs(options);
  engine.register(container);
  engine.include(task, container);
  await container.start();
  const log = { info: () => undefined, error: console.error };
  await engine.start({ container, log, isWorker: false });
  return { queue: container.get(Jobs), engine };
}
