import { describe, expect, it } from 'vitest';
import { isFinal, JOB_STATES, type JobDriver, type JobState } from '@thereafter/queue/driver';
import { newJob, task, type Rig } from './driver-under-test.ts';

const QUEUES = ['a', 'b'];
const KEYS = [undefined, undefined, 'k1', 'k2', 'k3'];
const HOUR_MS = 3_600_000;

interface ModelJob {
  readonly queue: string;
  readonly uniqueKey: string | undefined;
  state: JobState;
}

/** What a store of jobs must answer, as plainly as it can be said. Nothing runs in it. */
class Model {
  readonly jobs = new Map<string, ModelJob>();

  enqueue(id: string, job: ModelJob): { readonly id: string; readonly duplicate: boolean } {
    const owner = this.jobs.has(id) ? id : this.#ownerOf(job.uniqueKey);
    if (owner !== undefined) return { id: owner, duplicate: true };
    this.jobs.set(id, job);
    return { id, duplicate: false };
  }

  #ownerOf(key: string | undefined): string | undefined {
    if (key === undefined) return undefined;
    for (const [id, job] of this.jobs) {
      if (job.uniqueKey === key && !isFinal(job.state)) return id;
    }
    return undefined;
  }

  cancel(id: string): Awaited<ReturnType<JobDriver['cancel']>> {
    const job = this.jobs.get(id);
    if (!job) return 'unknown';
    if (isFinal(job.state)) return 'finished';
    job.state = 'cancelled';
    return 'cancelled';
  }

  retry(id: string): boolean {
    const job = this.jobs.get(id);
    if (!job || !isFinal(job.state) || this.#ownerOf(job.uniqueKey) !== undefined) return false;
    job.state = 'available';
    return true;
  }

  counts(queue: string): Record<JobState, number> {
    const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<
      JobState,
      number
    >; // every state has one
    for (const job of this.jobs.values()) if (job.queue === queue) counts[job.state] += 1;
    return counts;
  }
}

/** Numbers that are the same in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) % 0x100000) % below;
  };
}

export function describeModel(rig: Rig): void {
  describe('a random course of operations', () => {
    it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
      'has the answers of the model (seed %i)',
      async (seed) => {
        const noop = task('noop', () => undefined);
        const { driver } = await rig.open([noop], { worker: false });
        const model = new Model();
        const random = randomFrom(seed);
        const ids = Array.from({ length: 12 }, (_, n) => `job-${n}`);
        for (let step = 0; step < 120; step++) {
          const id = ids[random(ids.length)]!;
          const what = ['enqueue', 'enqueueTwo', 'cancel', 'cancel', 'retry', 'remove'][random(6)]!;
          const [given, wanted] = await perform(what, id);
          expect({ step, what, id, answer: given }).toMatchObject({
            step,
            what,
            id,
            answer: wanted,
          });
          for (const queue of QUEUES)
            expect(await driver.counts(queue)).toEqual(model.counts(queue));
          const record = await driver.get(id);
          expect(record?.state).toBe(model.jobs.get(id)?.state);
        }

        async function perform(what: string, id: string): Promise<readonly [unknown, unknown]> {
          switch (what) {
            case 'cancel':
              return [await driver.cancel(id), model.cancel(id)];
            case 'retry':
              return [await driver.retry(id), model.retry(id)];
            case 'remove':
              return [await driver.remove(id), model.jobs.delete(id)];
            default: {
              const chosen = what === 'enqueue' ? [id] : [id, ids[random(ids.length)]!];
              const jobs = chosen.map((each, i) => {
                const isLater = random(3) === 0;
                // Which of two duplicates is named, that of the id or that of the key, is left open.
                const isNew = !model.jobs.has(each) && chosen.indexOf(each) === i;
                const key = KEYS[random(KEYS.length)];
                return newJob(each, {
                  queue: QUEUES[random(2)]!,
                  uniqueKey: isNew ? key : undefined,
                  runAtMs: Date.now() + (isLater ? HOUR_MS : 0),
                });
              });
              const wanted = jobs.map(({ id: own, queue, uniqueKey, runAtMs }) =>
                model.enqueue(own, {
                  queue,
                  uniqueKey,
                  state: runAtMs > Date.now() + 1000 ? 'scheduled' : 'available',
                }),
              );
              return [await driver.enqueue(jobs), wanted];
            }
          }
        }
      },
    );
  });
}
