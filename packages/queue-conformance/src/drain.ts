import { describe, expect, it } from 'vitest';
import { Arrivals, task, untilAborted, type Rig } from './driver-under-test.ts';

export function describeDrain(rig: Rig): void {
  describe('the end of a process', () => {
    it('waits for running jobs, claims nothing new, and leaves the rest available', async () => {
      const place = await rig.place();
      const begun = new Arrivals();
      const ended: number[] = [];
      const finish: (() => void)[] = [];
      const gate = task('gate', async (n: number) => {
        begun.add(n);
        await new Promise<void>((resolve) => finish.push(resolve));
        ended.push(n);
      });
      const first = await rig.open([gate], { place, worker: { concurrency: 2 } });
      const all = await first.jobs.enqueueMany(gate, [1, 2, 3, 4]);
      await begun.reach(2);
      const closing = first.close();
      for (const end of finish) end();
      expect(await closing).toEqual([]);
      expect(ended.toSorted((a, b) => a - b)).toEqual([1, 2]);
      expect(begun.all).toHaveLength(2);
      expect(await first.close()).toEqual([]);

      const second = await rig.open([gate], { place, worker: false });
      const states = await Promise.all(
        all.map(async ({ id }) => (await second.jobs.get(id))?.state),
      );
      expect(states.filter((state) => state === 'completed')).toHaveLength(2);
      expect(states.filter((state) => state === 'available')).toHaveLength(2);
    });

    it('hands back what does not end in time, without counting the attempt', async () => {
      const place = await rig.place();
      const begun = new Arrivals();
      const reasons: unknown[] = [];
      const slow = task(
        'slow',
        (_, job) => {
          begun.add(0);
          if (begun.all.length > 1) return 'second';
          return untilAborted(job).catch((error: unknown) => {
            reasons.push(error);
            throw error;
          });
        },
        { attempts: 1 },
      );
      const first = await rig.open([slow], { place });
      const { id } = await first.jobs.enqueue(slow, {});
      await begun.reach(1);
      expect(await first.close(20)).toEqual(['slow']);
      expect(reasons).toMatchObject([{ code: 'JOB_HANDED_BACK' }]);

      const second = await rig.open([slow], { place });
      expect(await second.jobs.wait(id)).toMatchObject({
        state: 'completed',
        result: 'second',
        attempt: 1,
      });
    });

    it('starts nothing more once it is quiet, and stores all the same', async () => {
      const begun = new Arrivals<string>();
      let finish = (): void => undefined;
      const note = task('note', (name: string) => {
        begun.add(name);
        return name === 'running' ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
      });
      const { jobs, engine } = await rig.open([note]);
      const { id } = await jobs.enqueue(note, 'running');
      await begun.reach(1);
      engine.quiet();
      const later = await jobs.enqueue(note, 'later');
      finish();
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed' });
      expect(await jobs.get(later.id)).toMatchObject({ state: 'available' });
      expect(begun.all).toEqual(['running']);
    });

    it('lets a running job enqueue another, while it is drained too', async () => {
      const place = await rig.place();
      const begun = new Arrivals();
      let finish = (): void => undefined;
      const ids: string[] = [];
      const child = task('child', () => undefined);
      const parent = task('parent', async () => {
        ids.push((await first.jobs.enqueue(child, 'before')).id);
        begun.add(0);
        await new Promise<void>((resolve) => (finish = resolve));
        ids.push((await first.jobs.enqueue(child, 'while draining')).id);
      });
      const first = await rig.open([parent, child], { place, worker: { concurrency: 1 } });
      await first.jobs.enqueue(parent, {});
      await begun.reach(1);
      const closing = first.close();
      finish();
      expect(await closing).toEqual([]);
      const second = await rig.open([parent, child], { place });
      expect(ids).toHaveLength(2);
      for (const id of ids) {
        expect(await second.jobs.wait(id)).toMatchObject({ state: 'completed' });
      }
    });

    it('refuses to enqueue after the end', async () => {
      const noop = task('noop', () => undefined);
      const opened = await rig.open([noop]);
      await opened.close();
      await expect(opened.jobs.enqueue(noop, {})).rejects.toMatchObject({ code: 'JOBS_CLOSED' });
    });

    it('leaves no timer, socket or file open, fifty times over', async () => {
      const noop = task('noop', () => undefined);
      const cycle = async (place = undefined as Awaited<ReturnType<Rig['place']>> | undefined) => {
        const opened = await rig.open([noop], place ? { place } : {});
        await opened.jobs.wait((await opened.jobs.enqueue(noop, {})).id);
        await opened.close();
      };
      const place = await rig.place();
      await cycle(place); // what is made once and stays
      const before = openResources();
      for (let i = 0; i < 50; i++) await cycle(place);
      const isMore = ([kind, count]: readonly [string, number]): boolean =>
        count > (before.get(kind) ?? 0);
      // Closed handles are reported for a while.
      while ([...openResources()].some(isMore)) await new Promise(setImmediate);
    });
  });
}

/** How many resources of each kind keep the event loop alive. */
function openResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
