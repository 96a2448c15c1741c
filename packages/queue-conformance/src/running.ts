import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Task, type JobContext, type TaskOptions } from '@thereafter/tasks';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, task, untilAborted, type AnyTask, type Rig } from './driver-under-test.ts';

export function describeRunning(rig: Rig): void {
  describe('running', () => {
    it('completes a job with what it returned, and knows when', async () => {
      const give = task('give', (payload) => payload);
      const nothing = task('nothing', () => undefined);
      const { jobs } = await rig.open([give, nothing]);
      const result = { rows: [1, null, 'é'], nested: { ok: true } };
      const job = await jobs.wait((await jobs.enqueue(give, result)).id);
      expect(job).toMatchObject({ state: 'completed', result, attempt: 1, error: null });
      expect(job.enqueuedAt.getTime()).toBeLessThanOrEqual(job.startedAt!.getTime());
      expect(job.startedAt!.getTime()).toBeLessThanOrEqual(job.finishedAt!.getTime());
      const empty = await jobs.wait((await jobs.enqueue(nothing, {})).id);
      expect(empty).toMatchObject({ state: 'completed', result: null });
    });

    it('fails a job whose result cannot be stored, at its first attempt', async () => {
      const large = task('large', () => 'x'.repeat(300_000));
      const date = task('date', () => new Date());
      const { jobs } = await rig.open([large, date]);
      const tooLarge = await jobs.wait((await jobs.enqueue(large, {})).id);
      expect(tooLarge).toMatchObject({ state: 'failed', attempt: 1, result: null });
      expect(tooLarge.error).toMatchObject({ name: 'TooLargeError' });
      const notJson = await jobs.wait((await jobs.enqueue(date, {})).id);
      expect(notJson).toMatchObject({ state: 'failed', attempt: 1 });
      expect(notJson.error).toMatchObject({ name: 'NotJsonError' });
    });

    it('reaches its concurrency and never exceeds it', async () => {
      let running = 0;
      let most = 0;
      const started = new Arrivals();
      const gates: (() => void)[] = [];
      const gate = task('gate', async () => {
        most = Math.max(most, (running += 1));
        started.add(running);
        await new Promise<void>((resolve) => gates.push(resolve));
        running -= 1;
      });
      const { jobs } = await rig.open([gate], { worker: { concurrency: 3 } });
      const all = await jobs.enqueueMany(gate, Array.from({ length: 12 }).fill(null));
      for (let n = 0; n < 12; n++) {
        await started.reach(Math.min(n + 3, 12));
        gates[n]!();
      }
      await Promise.all(all.map(({ id }) => jobs.wait(id)));
      expect(most).toBe(3);
    });

    it('does not let a full queue hold up another', async () => {
      const busy = new Arrivals();
      const slow = task('slow', (_, job) => (busy.add(0), untilAborted(job)), { queue: 'slow' });
      const fast = task('fast', () => undefined, { queue: 'fast' });
      const { jobs } = await rig.open([slow, fast], { worker: { concurrency: 2 } });
      const stuck = await jobs.enqueueMany(slow, [1, 2, 3, 4]);
      await busy.reach(2);
      for (let i = 0; i < 20; i++) await jobs.wait((await jobs.enqueue(fast, {})).id);
      expect(await jobs.counts('slow')).toMatchObject({ running: 2, available: 2 });
      for (const { id } of stuck) await jobs.cancel(id);
    });

    it('takes only jobs of its own queues', async () => {
      const ran: string[] = [];
      const mine = task('mine', () => void ran.push('mine'), { queue: 'mine' });
      const other = task('other', () => void ran.push('other'), { queue: 'other' });
      const { jobs } = await rig.open([mine, other], { worker: { queues: ['mine'] } });
      const left = await jobs.enqueue(other, {});
      await jobs.wait((await jobs.enqueue(mine, {})).id);
      expect(ran).toEqual(['mine']);
      expect((await jobs.get(left.id))?.state).toBe('available');
    });

    it('runs by priority, and in the order of enqueueing within one', async () => {
      const place = await rig.place();
      const order: string[] = [];
      const note = task('note', (name: string) => void order.push(name));
      const producer = await rig.open([note], { place, worker: false });
      const ids: string[] = [];
      for (const [name, priority] of [
        ['e1', 9],
        ['c1', 5],
        ['a1', 0],
        ['c2', 5],
        ['b1', 1],
        ['a2', 0],
        ['c3', 5],
        ['e2', 9],
      ] as const) {
        ids.push((await producer.jobs.enqueue(note, name, { priority })).id);
      }
      await producer.close();
      const { jobs } = await rig.open([note], { place, worker: { concurrency: 1 } });
      await Promise.all(ids.map((id) => jobs.wait(id)));
      expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'c2', 'c3', 'e1', 'e2']);
    });

    it('runs jobs of one priority in their order, many at a time', async () => {
      const order: number[] = [];
      const note = task('note', (n: number) => void order.push(n));
      const { jobs } = await rig.open([note], { worker: { concurrency: 1 } });
      const numbers = Array.from({ length: 300 }, (_, n) => n);
      const all = await jobs.enqueueMany(note, numbers);
      await Promise.all(all.map(({ id }) => jobs.wait(id)));
      expect(order).toEqual(numbers);
    });

    it('starts a delayed job when it is due, and not before', async () => {
      const clock = new ManualClock();
      const started = new Arrivals();
      const note = task('note', () => started.add(0));
      const marker = task('marker', () => undefined);
      const { jobs } = await rig.open([note, marker], { clock });
      const dueMs = clock.now() + 1000;
      const job = await jobs.enqueue(note, {}, { runAt: new Date(dueMs) });
      expect(job.state).toBe('scheduled');
      expect(job.runAt.getTime()).toBe(dueMs);
      clock.advance(999);
      await jobs.wait((await jobs.enqueue(marker, {})).id); // what is due has been looked for
      expect((await jobs.get(job.id))?.state).toBe('scheduled');
      expect(started.all).toEqual([]);
      clock.advance(1);
      await started.reach(1);
    });

    it('lets a job take longer than its lease', async () => {
      const begun = new Arrivals<string>();
      const isOver = Promise.withResolvers<void>();
      const long = task('long', (name: string) => {
        begun.add(name);
        if (name === 'second') isOver.resolve();
        return isOver.promise;
      });
      // Where no other machine works there are no leases, and nothing to wait for.
      const [lease, later] = rig.can('multiMachine')
        ? (['1500ms', '4s'] as const)
        : (['50ms', '150ms'] as const);
      const { jobs } = await rig.open([long], { lease });
      const { id } = await jobs.enqueue(long, 'first');
      await begun.reach(1);
      await jobs.enqueue(long, 'second', { delay: later });
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', attempt: 1 });
      expect(begun.all).toEqual(['first', 'second']);
    });

    it('keeps a delay over a restart', async () => {
      const place = await rig.place();
      const clock = new ManualClock();
      const note = task('note', () => undefined);
      const first = await rig.open([note], { place, clock });
      const { id, runAt } = await first.jobs.enqueue(note, {}, { delay: '1h' });
      await first.close();
      const second = await rig.open([note], { place, clock });
      expect(await second.jobs.get(id)).toMatchObject({ state: 'scheduled', runAt });
      clock.advance(3_600_000);
      expect(await second.jobs.wait(id)).toMatchObject({ state: 'completed' });
    });

    it('lets HTTP be answered all along while 5,000 jobs are drained', async () => {
      let ran = 0;
      const noop = task('noop', () => void (ran += 1));
      const { jobs } = await rig.open([noop]);
      const server = createServer((_req, res) => res.end('ok')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      rig.use({ [Symbol.dispose]: () => void server.close() });
      const { port } = server.address() as AddressInfo;
      const all = await jobs.enqueueMany(noop, Array.from({ length: 5000 }).fill(null));
      let isDone = false;
      const done = Promise.all(all.map(({ id }) => jobs.wait(id))).then(() => (isDone = true));
      let mostBetween = 0;
      while (!isDone) {
        const before = ran;
        await get(port);
        mostBetween = Math.max(mostBetween, ran - before);
      }
      await done;
      expect(mostBetween).toBeLessThan(500);
    });

    it('gives each job a scope of its own, and ends it whatever becomes of the job', async () => {
      let open = 0;
      const opened: number[] = [];
      // Task classes, since they are built in the scope of their job.
      const using = (
        name: string,
        run: (job: JobContext) => unknown,
        options: TaskOptions = {},
      ): AnyTask => {
        class Using implements Disposable {
          constructor() {
            opened.push((open += 1));
          }

          run(_payload: unknown, job: JobContext): unknown {
            return run(job);
          }

          [Symbol.dispose](): void {
            open -= 1;
          }
        }
        Task({}, { ...options, name })(Using);
        return Object.defineProperty(Using, 'name', { value: name }) as unknown as AnyTask;
      };
      const begun = new Arrivals();
      const tasks = [
        using('good', () => 1),
        using('bad', () => Promise.reject(new Error('no')), { attempts: 1 }),
        using('slow', untilAborted, { attempts: 1, timeout: '30ms' }),
        ...(rig.can('cancelRunning')
          ? [using('endless', (job) => (begun.add(0), untilAborted(job)))]
          : []),
      ];
      const { jobs } = await rig.open(tasks, { worker: { concurrency: 1 } });
      const states: string[] = [];
      for (const each of tasks) {
        const { id } = await jobs.enqueue(each, {});
        if (each.name === 'endless') {
          await begun.reach(1);
          await jobs.cancel(id);
        }
        states.push((await jobs.wait(id)).state);
        while (open > 0) await new Promise(setImmediate); // one that timed out ends on its own
      }
      expect(states).toEqual(['completed', 'failed', 'failed', 'cancelled'].slice(0, tasks.length));
      expect(opened).toEqual(tasks.map(() => 1));
    });
  });
}

async function get(port: number): Promise<void> {
  const sent = request({ port, host: '127.0.0.1', agent: false }).end();
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
  response.resume();
  await once(response, 'end');
}
