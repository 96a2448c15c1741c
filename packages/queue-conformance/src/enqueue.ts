import { describe, expect, it } from 'vitest';
import { Arrivals, newJob, task, type Rig } from './driver-under-test.ts';

const noop = task('noop', () => undefined);

export function describeEnqueue(rig: Rig): void {
  describe('enqueue', () => {
    it('stores a job that get() finds, with its payload', async () => {
      const { jobs } = await rig.open([noop], { worker: false });
      const payloads = [
        { name: 'Ünïcödé 🦆 \u2028 "quoted"', nested: { list: [1, [2, { deep: null }]] } },
        {},
        [],
        '',
        0,
        null,
        false,
      ];
      for (const payload of payloads) {
        const { id } = await jobs.enqueue(noop, payload);
        expect(await jobs.get(id)).toMatchObject({
          id,
          task: 'noop',
          queue: 'default',
          state: 'available',
          payload,
          result: null,
          error: null,
          attempt: 0,
          attempts: 5,
          progress: 0,
          priority: 5,
          startedAt: null,
          finishedAt: null,
        });
      }
    });

    it('refuses what JSON cannot hold, and stores nothing', async () => {
      const { jobs } = await rig.open([noop], { worker: false });
      const cyclic: Record<string, unknown> = {};
      cyclic['self'] = cyclic;
      const bad = [() => 1, 1n, cyclic, undefined, new Date(), NaN, [undefined], { a: new Map() }];
      for (const payload of bad) {
        await expect(jobs.enqueue(noop, payload)).rejects.toMatchObject({
          code: 'JOB_PAYLOAD_NOT_JSON',
        });
      }
      expect((await jobs.counts()).available).toBe(0);
    });

    it('refuses a payload over the limit, with the limit and its size', async () => {
      const { jobs } = await rig.open([noop], { worker: false });
      const most = 'é'.repeat(131_071); // and two quotes
      await jobs.enqueue(noop, most);
      await expect(jobs.enqueue(noop, `${most}x`)).rejects.toMatchObject({
        code: 'JOB_PAYLOAD_TOO_LARGE',
        limitBytes: 262_144,
        sizeBytes: 262_145,
      });
      expect((await jobs.counts()).available).toBe(1);
    });

    it('stores a thousand jobs at once, or none of them', async () => {
      const { jobs, driver } = await rig.open([noop], { worker: false });
      const payloads = Array.from({ length: 1000 }, (_, n): unknown => n);
      const stored = await jobs.enqueueMany(noop, payloads);
      expect(new Set(stored.map(({ id }) => id)).size).toBe(1000);
      expect((await driver.counts('default')).available).toBe(1000);

      await expect(jobs.enqueueMany(noop, [...payloads, 1n])).rejects.toMatchObject({
        code: 'JOB_PAYLOAD_NOT_JSON',
      });
      expect((await driver.counts('default')).available).toBe(1000);
    });

    it('gives ids of their own to 20,000 jobs of four producers', async () => {
      const { jobs } = await rig.open([noop], { worker: false });
      const payloads = Array.from({ length: 500 }, () => null);
      const ids = new Set<string>();
      const produce = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) {
          for (const { id } of await jobs.enqueueMany(noop, payloads)) ids.add(id);
        }
      };
      await Promise.all([produce(), produce(), produce(), produce()]);
      expect(ids.size).toBe(20_000);
      expect((await jobs.counts('default')).available).toBe(20_000);
    });

    it('takes an id that exists for a duplicate, and leaves the first untouched', async () => {
      const { driver } = await rig.open([noop], { worker: false });
      const first = await driver.enqueue([newJob('one', { payload: '1' })]);
      const second = await driver.enqueue([newJob('one', { payload: '2' }), newJob('two')]);
      expect(first).toMatchObject([{ id: 'one', duplicate: false }]);
      expect(second).toMatchObject([
        { id: 'one', duplicate: true },
        { id: 'two', duplicate: false },
      ]);
      expect((await driver.get('one'))?.payload).toBe('1');
      expect((await driver.counts('default')).available).toBe(2);
    });

    it('keeps a held job back until it is released, and forgets one that is withdrawn', async () => {
      const ran = new Arrivals<unknown>();
      const note = task('note', (payload) => ran.add(payload));
      const { engine, jobs } = await rig.open([note]);
      const [kept, dropped] = [engine.prepare(note, 'kept'), engine.prepare(note, 'dropped')];
      await engine.store([kept, dropped]);
      expect(await jobs.get(kept.id)).toMatchObject({ state: 'scheduled', attempt: 0 });

      await jobs.wait((await jobs.enqueue(note, 'another')).id);
      expect(ran.all).toEqual(['another']);

      await engine.withdraw([dropped]);
      expect(await jobs.get(dropped.id)).toBeUndefined();
      await engine.release([kept, dropped]);
      expect(await jobs.wait(kept.id)).toMatchObject({ state: 'completed', payload: 'kept' });
      expect(ran.all).toEqual(['another', 'kept']);
    });

    it('refuses a task that was not included', async () => {
      const { jobs } = await rig.open([noop], { worker: false });
      await expect(
        jobs.enqueue(
          task('stranger', () => 1),
          {},
        ),
      ).rejects.toMatchObject({
        code: 'JOB_TASK_NOT_INCLUDED',
      });
    });
  });
}
