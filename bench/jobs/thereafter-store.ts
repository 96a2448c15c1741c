import { createContainer } from '@thereafter/di';
import { Jobs, jobs, type JobDriver } from '@thereafter/queue';
import { Task } from 'thereafter';
import { Type } from 'typebox';
import { CONCURRENCY, type Contestant, type Payload } from './contest.ts';

const Guest = Type.Object({ n: Type.Integer(), email: Type.String() });

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
      const container = createContainer();
      const engine = jobs({
        driver: driverFor(store),
        worker: run ? { concurrency: CONCURRENCY } : false,
      });
      engine.register(container);
      engine.include(Noop, container);
      await container.start();
      const log = { info: () => undefined, error: console.error };
      await engine.start({ container, log, isWorker: false });
      const queue = container.get(Jobs);
      return {
        enqueue: (payload) => queue.enqueue(Noop, payload),
        enqueueMany: (payloads) => queue.enqueueMany(Noop, payloads),
        close: () => engine.close(10_000),
      };
    },
  };
}
