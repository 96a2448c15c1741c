import type { Logger, TaskSpec } from '@thereafter/tasks';
import { Cron } from 'croner';
import type { Clock } from './clock.ts';
import type { JobDriver, NewJob, Schedule } from './driver.ts';
import { ScheduleError } from './errors.ts';
import type { JobTask } from './job-tasks.ts';

/** Most ticks that are made up for with `missedRuns: 'all'`. */
export const MAX_MISSED_RUNS = 100;

/** The cron expression of a task, ready to be asked. */
export interface CronPlan {
  /** The ticks of a time, its end included, the latest `most` of them. */
  between(afterMs: number, untilMs: number, most: number): readonly number[];
  /** The first tick after a time; undefined when there is none. */
  next(afterMs: number): number | undefined;
}

/** @throws {ScheduleError} `JOB_SCHEDULE_INVALID` when the expression or the time zone is not valid. */
export function planCron(task: string, expression: string, timeZone: string): CronPlan {
  let cron: Cron;
  try {
    cron = new Cron(expression, { paused: true, timezone: timeZone, mode: '5-or-6-parts' });
    cron.nextRun(); // only now the time zone is looked at
  } catch (cause) {
    throw new ScheduleError(
      task,
      `cron '${expression}', time zone '${timeZone}': ${(cause as Error).message}`,
      { cause },
    );
  }
  const next = (afterMs: number): number | undefined =>
    cron.nextRun(new Date(afterMs))?.getTime() ?? undefined;
  return {
    next,
    between(afterMs, untilMs, most) {
      const ticks: number[] = [];
      // Backwards, so that a year without a worker is not counted second by second.
      let end = new Date(Math.floor(untilMs / 1000) * 1000 + 1000);
      while (ticks.length < most) {
        const tick = cron.previousRuns(1, end)[0]?.getTime();
        if (tick === undefined || tick <= afterMs) break;
        if (tick <= untilMs) ticks.unshift(tick);
        end = new Date(tick);
      }
      return ticks;
    },
  };
}

interface Entry {
  readonly task: JobTask;
  readonly cron: CronPlan;
  readonly schedule: Omit<Schedule, 'lastTickMs'>;
  cancelTimer: (() => void) | undefined;
}

export interface SchedulerOptions {
  readonly driver: JobDriver;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the job of a tick; checked by then. */
  readonly toJob: (task: JobTask, tick: { key: string; forMs: number }) => NewJob;
  readonly enqueue: (jobs: readonly NewJob[]) => Promise<unknown>;
}

/**
 * Makes jobs of the ticks of `cron`. Every process that runs jobs does, and the store decides: the job
 * of a tick has an id of its own, so that a second is a duplicate; and a schedule that the store no
 * longer has, or has with another expression, belongs to an older version of the program and rests.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Set<Promise<void>>();
  #isStopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** @throws {ScheduleError} `JOB_SCHEDULE_INVALID` */
  add(task: JobTask): void {
    const { name, options } = task.spec;
    const { cron, timeZone = 'UTC' } = options;
    if (cron === undefined) return;
    assertNeedsNoPayload(task.spec);
    this.#entries.set(name, {
      task,
      cron: planCron(name, cron, timeZone),
      schedule: { key: name, cron, timeZone, task: name },
      cancelTimer: undefined,
    });
  }

  /** Makes the stored schedules those of the program, makes up for missed ticks, and waits for the next. */
  async start(): Promise<void> {
    const { driver, clock } = this.#options;
    const nowMs = clock.now();
    for (const { key } of await driver.schedules()) {
      if (!this.#entries.has(key)) await driver.removeSchedule(key);
    }
    for (const { schedule } of this.#entries.values()) {
      await driver.putSchedule({ ...schedule, lastTickMs: nowMs });
    }
    for (const entry of this.#entries.values()) await this.#tick(entry, true);
  }

  /** No more ticks; waits for those under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const entry of this.#entries.values()) entry.cancelTimer?.();
    await Promise.all(this.#underWay);
  }

  /** Makes jobs of what is due, and arms the timer for what comes next. */
  async #tick(entry: Entry, isStart: boolean): Promise<void> {
    const { driver, clock, enqueue, toJob, log } = this.#options;
    const { key, cron, timeZone } = entry.schedule;
    const nowMs = clock.now();
    let retryAtMs: number | undefined;
    try {
      const stored = (await driver.schedules()).find((schedule) => schedule.key === key);
      if (!stored || stored.cron !== cron || stored.timeZone !== timeZone) {
        log.info({ schedule: key }, 'the schedule was changed by another version, and rests here');
        return;
      }
      const due = this.#due(entry, stored.lastTickMs, nowMs, isStart);
      if (due.ticks.length > 0) {
        await enqueue(due.ticks.map((forMs) => toJob(entry.task, { key, forMs })));
      }
      if (due.latest !== undefined) await driver.ticked(key, due.latest);
    } catch (error) {
      log.error(
        { err: error, schedule: key },
        'a tick of a schedule could not be stored; it is tried again',
      );
      retryAtMs = nowMs + RETRY_MS;
    }
    if (this.#isStopped) return;
    const atMs = retryAtMs ?? entry.cron.next(nowMs);
    if (atMs === undefined) return;
    entry.cancelTimer = clock.at(atMs, () => {
      const work = this.#tick(entry, false);
      this.#underWay.add(work);
      void work.then(() => this.#underWay.delete(work));
    });
  }

  /** Which ticks get a job. At start nobody waited for any of them; later, the latest is on time. */
  #due(
    { cron, task }: Entry,
    lastMs: number,
    nowMs: number,
    isStart: boolean,
  ): { readonly ticks: readonly number[]; readonly latest: number | undefined } {
    const { missedRuns = 'once' } = task.spec.options;
    const all = cron.between(lastMs, nowMs, missedRuns === 'all' ? MAX_MISSED_RUNS : 1);
    const latest = all.at(-1);
    return { ticks: missedRuns === 'skip' && isStart ? [] : all, latest };
  }
}

const RETRY_MS = 1000;

function assertNeedsNoPayload(spec: TaskSpec): void {
  try {
    spec.check({});
  } catch (cause) {
    throw new ScheduleError(
      spec.name,
      `its jobs have the payload {}, which does not fit its schema. ${(cause as Error).message}`,
      { cause },
    );
  }
}
