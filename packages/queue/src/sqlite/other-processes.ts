import { giveBack, type GivenBack } from './moves.ts';
import type { OpenStore } from './open.ts';

/** How often to look for changes while other processes have the file open, and while none is known. */
const LOOK_TOGETHER_MS = 20;
const LOOK_ALONE_MS = 250;
/** How often to look whether they live. */
const CHECK_LIFE_MS = 500;

interface Told {
  /** Others have written. */
  readonly onChange: () => void;
  /** The jobs of a dead worker were given back. */
  readonly onRescue: (jobs: readonly GivenBack[]) => void;
}

/** Keeps an eye on the other processes that have the file open: what they write, and whether they live. */
export class OtherProcesses {
  readonly #store: OpenStore;
  readonly #told: Told;
  #version: unknown = undefined;
  #areThere = false;
  #lastCheckMs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;

  constructor(store: OpenStore, told: Told) {
    this.#store = store;
    this.#told = told;
  }

  /** Takes this process in, and gives back the jobs of those that are no more. */
  async enter(): Promise<void> {
    const { commit, presence, sql, clock } = this.#store;
    const rescued = await commit.run(() => {
      presence.enter(sql, clock.now());
      const jobs = this.#rescueDead();
      presence.tidy(sql);
      return jobs;
    });
    if (rescued.length > 0) this.#told.onRescue(rescued);
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    void this.#store.commit
      .read(() => this.#notice())
      .catch((error: unknown) => this.#report(error))
      .finally(() => {
        if (this.#isClosed) return;
        const waitMs = this.#areThere ? LOOK_TOGETHER_MS : LOOK_ALONE_MS;
        this.#timer = setTimeout(() => this.#look(), waitMs).unref();
      });
  }

  #notice(): void {
    if (this.#isClosed) return;
    const { sql, presence } = this.#store;
    const version = sql.get('PRAGMA data_version')?.data_version;
    if (version !== this.#version) {
      this.#version = version;
      const others = sql.get('SELECT count(*) AS others FROM workers WHERE id <> ?', presence.id);
      this.#areThere = others?.others !== 0;
      this.#told.onChange();
    }
    const nowMs = performance.now();
    if (!this.#areThere || nowMs - this.#lastCheckMs < CHECK_LIFE_MS) return;
    this.#lastCheckMs = nowMs;
    if (presence.findDead(sql).length > 0) void this.#rescue();
  }

  async #rescue(): Promise<void> {
    try {
      const rescued = await this.#store.commit.run(() => {
        const jobs = this.#rescueDead();
        this.#store.presence.tidy(this.#store.sql);
        return jobs;
      });
      this.#told.onRescue(rescued);
    } catch (error) {
      this.#report(error);
    }
  }

  #rescueDead(): GivenBack[] {
    const { sql, presence } = this.#store;
    return presence.findDead(sql).flatMap((worker) => giveBack(this.#store, worker, true));
  }

  #report(error: unknown): void {
    if (!this.#isClosed) this.#store.log.error({ err: error }, 'the job store cannot be looked at');
  }
}
