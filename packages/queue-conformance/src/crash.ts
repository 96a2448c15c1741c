import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from './child-process.ts';
import { childTasks } from './child-tasks.ts';
import { until, type DriverPlace, type OpenOptions, type Rig } from './driver-under-test.ts';

/** How often a producer is killed while it stores. */
const KILLS = 10;

/** A place, the file of effects, and processes on them. */
class Scene {
  readonly #rig: Rig;
  readonly #effects: string;
  readonly #place: DriverPlace;

  private constructor(rig: Rig, place: DriverPlace, effects: string) {
    this.#rig = rig;
    this.#place = place;
    this.#effects = effects;
  }

  static async open(rig: Rig): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), 'thereafter-jobs-'));
    rig.use({ [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) });
    const effects = join(folder, 'effects.log');
    writeFileSync(effects, '');
    return new Scene(rig, await rig.place(), effects);
  }

  /** A process of its own on the place. */
  async child(more: { concurrency?: number; hasSchedule?: boolean } = {}): Promise<Child> {
    const { childModule, lease = '1h' } = this.#rig.driver;
    return this.#rig.use(
      await Child.start({
        module: childModule!.href,
        address: this.#place.address,
        effects: this.#effects,
        concurrency: 4,
        hasSchedule: false,
        lease,
        ...more,
      }),
    );
  }

  /** An engine of this process on the place, with the same tasks. */
  async open(options: OpenOptions & { readonly hasSchedule?: boolean } = {}) {
    const { tick, ...others } = childTasks(this.#effects);
    const tasks = options.hasSchedule ? { ...others, tick: tick! } : others;
    const { lease = '1h' } = this.#rig.driver;
    const opened = await this.#rig.open(Object.values(tasks), {
      lease,
      ...options,
      place: this.#place,
    });
    return Object.assign(opened, { tasks: others });
  }

  /** Lines of a task: what happened, the job, the attempt. */
  lines(
    task: string,
  ): readonly { readonly what: string; readonly id: string; readonly attempt: number }[] {
    return readFileSync(this.#effects, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([name]) => name === task)
      .map(([, what, id, attempt]) => ({ what: what!, id: id!, attempt: Number(attempt) }));
  }

  /** Until a task has left so many lines of a kind. */
  async has(task: string, what: string, count = 1): Promise<void> {
    await until(
      async () => this.lines(task),
      (lines) => lines.filter((line) => line.what === what).length >= count,
    );
  }
}

export function describeCrashes(rig: Rig): void {
  describe.runIf(rig.driver.childModule)('after kill -9', () => {
    it('no acknowledged job is missing, and all are done after a restart', async () => {
      const scene = await Scene.open(rig);
      const acknowledged: string[] = [];
      for (let round = 0; round < KILLS; round++) {
        const child = await scene.child();
        child.tell({ method: 'produce' });
        await child.hasAcknowledged(1 + Math.floor(Math.random() * 100));
        await child.kill();
        acknowledged.push(...child.acknowledged);
      }
      const { jobs } = await scene.open();
      for (const id of acknowledged)
        expect(await jobs.wait(id)).toMatchObject({ state: 'completed' });
      const done = new Set(
        scene
          .lines('effect')
          .filter(({ what }) => what === 'ended')
          .map(({ id }) => id),
      );
      expect(acknowledged.filter((id) => !done.has(id))).toEqual([]);
      const counts = await until(
        () => jobs.counts('default'),
        ({ available, running, scheduled }) => available + running + scheduled === 0,
      );
      expect(counts.failed).toBe(0);
    });

    it('a running job is run again, soon', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'hang' })) as string;
      await scene.has('hang', 'began');
      await child.kill();
      const { jobs } = await scene.open();
      await scene.has('hang', 'began', 2);
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', attempt: 2 });
      expect(scene.lines('hang').at(-1)).toEqual({ what: 'ended', id, attempt: 2 });
    });

    it('a job with one attempt has failed, and is not run again', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'fragile' })) as string;
      await scene.has('fragile', 'began');
      await child.kill();
      const { jobs } = await scene.open();
      const job = await jobs.wait(id);
      expect(job).toMatchObject({ state: 'failed', error: { name: 'WorkerLostError' } });
      expect(scene.lines('fragile')).toHaveLength(1);
      expect(await jobs.retry(id)).toBe(true);
      await scene.has('fragile', 'began', 2);
      await jobs.cancel(id);
    });

    it('a job that ended and was not acknowledged runs once more at most', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      child.tell({ method: 'enqueue', task: 'unacknowledged' });
      await child.exited;
      const [{ id } = { id: '' }] = scene.lines('unacknowledged');
      const { jobs } = await scene.open();
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed' });
      expect(scene.lines('unacknowledged').length).toBeLessThanOrEqual(2);
    });

    it('a bulk is there whole, or not at all', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child({ concurrency: 0 });
      child.tell({ method: 'bulk' });
      await child.hasAcknowledged(2 + Math.floor(Math.random() * 10));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      await child.kill();
      const { driver } = await scene.open({ worker: false });
      for (const queue of child.begun) {
        const { available } = await driver.counts(queue);
        const isAcknowledged = child.acknowledged.includes(queue);
        expect(isAcknowledged ? [1000] : [0, 1000]).toContain(available);
      }
    });

    it('no tick of a schedule is doubled or lost', async () => {
      const scene = await Scene.open(rig);
      for (let round = 0; round < 4; round++) {
        const child = await scene.child({ hasSchedule: true });
        const before = scene.lines('tick').length;
        await until(
          async () => scene.lines('tick').length,
          (count) => count > before,
        );
        // Around the next tick.
        const untilTickMs = 1000 - (Date.now() % 1000);
        await new Promise((resolve) => setTimeout(resolve, untilTickMs + Math.random() * 10));
        await child.kill();
      }
      const { jobs } = await scene.open({ hasSchedule: true });
      const before = scene.lines('tick').length;
      await until(
        async () => scene.lines('tick').length,
        (count) => count > before + 1,
      );
      await until(
        () => jobs.counts('ticks'),
        ({ available, running, scheduled }) => available + running + scheduled === 0,
      );
      const jobOf = new Map<number, Set<string>>();
      for (const { what, id } of scene.lines('tick')) {
        jobOf.set(Number(what), (jobOf.get(Number(what)) ?? new Set()).add(id));
      }
      const ticks = [...jobOf.keys()].toSorted((a, b) => a - b);
      for (const tick of ticks) expect(jobOf.get(tick)?.size).toBe(1);
      for (let i = 1; i < ticks.length; i++) expect(ticks[i]! - ticks[i - 1]!).toBe(1000);
    });

    it('a poisonous job is given up, and those that ran beside it are done', async () => {
      const scene = await Scene.open(rig);
      const producer = await scene.child({ concurrency: 0 });
      const neighbours: string[] = [];
      const enqueue = async (task: string): Promise<string> =>
        (await producer.ask({ method: 'enqueue', task })) as string;
      neighbours.push(await enqueue('short'));
      const poison = await enqueue('poison');
      for (let n = 0; n < 3; n++) neighbours.push(await enqueue('short'));
      await producer.kill();
      for (let deaths = 0; deaths < 3; deaths++) {
        const worker = await scene.child();
        await worker.exited; // the poison has struck
      }
      const { jobs, driver } = await scene.open();
      for (const id of neighbours) {
        expect(await jobs.wait(id)).toMatchObject({ state: 'completed' });
        expect((await driver.get(id))?.crashes).toBeLessThanOrEqual(1);
      }
      const job = await jobs.wait(poison);
      expect(job).toMatchObject({ state: 'failed', error: { name: 'WorkerLostError' } });
      expect(scene.lines('poison')).toHaveLength(3);
    });
  });

  describe.runIf(rig.driver.childModule)('a process', () => {
    it('ends by an unhandled rejection, and its jobs run again', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const other = (await child.ask({ method: 'enqueue', task: 'hang' })) as string;
      await scene.has('hang', 'began');
      child.tell({ method: 'enqueue', task: 'unsettled' });
      expect(await child.exited).toBe(1);
      const { jobs } = await scene.open();
      expect(await jobs.wait(other)).toMatchObject({ state: 'completed', attempt: 2 });
    });

    it('never takes the jobs of another that lives', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'hang' })) as string;
      await scene.has('hang', 'began');
      // It may be refused, or join.
      const second = await scene.open().catch(() => undefined);
      if (second) {
        const other = await second.jobs.enqueue(second.tasks['effect']!, {});
        await second.jobs.wait(other.id);
        await second.close();
      }
      expect(scene.lines('hang')).toEqual([{ what: 'began', id, attempt: 1 }]);
      await child.kill();
    });

    it('cancels a job that runs in another', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'hang' })) as string;
      await scene.has('hang', 'began');
      const { jobs } = await scene.open({ worker: false });
      expect(await jobs.cancel(id)).toBe(true);
      expect(await jobs.wait(id)).toMatchObject({ state: 'cancelled' });
      expect(scene.lines('signal')).toMatchObject([{ what: 'JOB_CANCELLED', id }]);
    });

    it('ends by itself once its jobs are closed', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'effect' })) as string;
      expect(await child.ask({ method: 'wait', id })).toBe('completed');
      child.tell({ method: 'close' });
      expect(await child.exited).toBe(0);
    });
  });

  describe.runIf(rig.driver.childModule && rig.can('multiMachine'))('a worker that stalls', () => {
    it('loses its job to another, and its own end of it counts no more', async () => {
      const scene = await Scene.open(rig);
      const child = await scene.child();
      const id = (await child.ask({ method: 'enqueue', task: 'hang' })) as string;
      await scene.has('hang', 'began');
      child.signal('SIGSTOP');
      const { jobs } = await scene.open();
      const job = await jobs.wait(id);
      expect(job).toMatchObject({ state: 'completed', attempt: 2 });
      child.signal('SIGCONT');
      await child.ask({ method: 'wait', id });
      expect(await jobs.get(id)).toEqual(job);
    });
  });
}
