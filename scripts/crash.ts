// `pnpm crash [--kills <number>]`: submits durable jobs to the tour and kills what runs it with SIGKILL at
// random moments: the tour on its embedded store, the tour on Redis, and Redis itself. Then it looks for
// every job that was acknowledged. Ends with 1 when one is lost or unfinished.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from './free-port.ts';

const root = join(import.meta.dirname, '..');
const CLIENTS = 8;
/**
 * A life between two kills. Not shorter: a job that three kills in a row meet is given up, as one that
 * kills its process is, and those that a kill has met run first and one at a time.
 */
const LIFE_MS = { shortest: 300, longest: 1200 };
/** How long all acknowledged jobs may take after the last kill: two leases of the server, and the work. */
const RECOVERY_MS = 120_000;

const { values } = parseArgs({ options: { kills: { type: 'string', default: '15' } } });
const kills = Number(values.kills);
assert(Number.isInteger(kills) && kills > 0, '--kills takes a whole number from 1');
const hasRedis = spawnSync('redis-server', ['--version']).error === undefined;

/** What became of the acknowledged jobs. */
interface Toll {
  readonly kills: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly unfinished: number;
  readonly runTwice: number;
  /** From the last start to the end of the last job. */
  readonly recoveryMs: number;
}

async function crashTour(
  times: number,
  { onRedis = false, killRedis = false } = {},
): Promise<Toll> {
  const folder = mkdtempSync(join(tmpdir(), 'thereafter-crash-'));
  const env = {
    PORT: String(await freePort()),
    LOG_FILE: join(folder, 'tour.log'),
    JOBS_FILE: join(folder, 'jobs.db'),
    DURATION_MS: '10',
  };
  const url = `http://127.0.0.1:${env.PORT}`;
  const redis = onRedis ? new Redis(folder, await freePort()) : undefined;
  await redis?.start();
  const tour = new Tour({ ...env, ...(redis && { REDIS_URL: redis.url }) });
  const acknowledged = new Set<string>();
  try {
    await tour.start();
    for (let kill = 0; kill < times; kill++) {
      const load = new AbortController();
      const loading = Promise.all(
        Array.from({ length: CLIENTS }, () => submitUntil(load.signal, url, acknowledged)),
      );
      await delay(LIFE_MS.shortest + Math.random() * (LIFE_MS.longest - LIFE_MS.shortest));
      const victim = killRedis ? redis! : tour; // killed only where it was started
      await victim.kill();
      load.abort();
      await loading;
      await victim.start();
      process.stdout.write('.');
    }
    const startedAtMs = performance.now();
    const states = await settle(url, acknowledged);
    const ends =
      readFileSync(env.LOG_FILE, 'utf8').match(/(?<=heavy task )\S+(?= completed)/g) ?? [];
    process.stdout.write('\n');
    return {
      kills: times,
      acknowledged: acknowledged.size,
      lost: count(states, 'lost'),
      unfinished: acknowledged.size - count(states, 'completed') - count(states, 'lost'),
      runTwice: ends.length - new Set(ends).size,
      recoveryMs: Math.round(performance.now() - startedAtMs),
    };
  } finally {
    await tour.kill();
    await redis?.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Submits jobs one after another and notes those whose answer it saw. */
async function submitUntil(
  signal: AbortSignal,
  url: string,
  acknowledged: Set<string>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(`${url}/heavy-task/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"from":"crash"}',
        signal,
      });
      const answer = (await response.json()) as { readonly task_id: string };
      if (response.status === 200) acknowledged.add(answer.task_id);
      else await delay(20); // a 503: the store is away
    } catch {
      await delay(20); // killed, or not up yet: nothing was acknowledged
    }
  }
}

/** Waits until every job is completed or its time is over. */
async function settle(url: string, ids: ReadonlySet<string>): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  const deadlineMs = performance.now() + RECOVERY_MS;
  for (const id of ids) {
    for (;;) {
      const response = await fetch(`${url}/task-status/${id}`).catch(() => undefined);
      if (response?.status === 404) states.set(id, 'lost');
      else if (response?.status === 200) {
        states.set(id, ((await response.json()) as { readonly status: string }).status);
      }
      const state = states.get(id);
      if (state === 'completed' || state === 'failed' || state === 'lost') break;
      if (performance.now() > deadlineMs) break;
      await delay(20);
    }
  }
  return states;
}

function count(states: ReadonlyMap<string, string>, wanted: string): number {
  return [...states.values()].filter((state) => state === wanted).length;
}

/** A program that is killed and started again. */
abstract class Victim {
  #child: ChildProcess | undefined;

  protected abstract spawn(): ChildProcess;
  protected abstract isReady(output: string): boolean;

  async start(): Promise<void> {
    const child = this.spawn();
    this.#child = child;
    const exited = once(child, 'exit').then(() => {
      throw new Error(`It ended before it was ready:\n${output}`);
    });
    let output = '';
    while (!this.isReady(output)) {
      const [text] = (await Promise.race([once(child.stdout!, 'data'), exited])) as [Buffer];
      output += text.toString();
    }
    exited.catch(() => undefined); // from now on it is meant to
    child.stdout!.resume();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

class Tour extends Victim {
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>) {
    super();
    this.#env = env;
  }

  protected override spawn(): ChildProcess {
    return spawn(
      process.execPath,
      [
        '--conditions=thereafter-source',
        '--import',
        '@thereafter/cli/register',
        'apps/tour/src/main.ts',
      ],
      { cwd: root, env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
  }

  protected override isReady(output: string): boolean {
    return output.includes('The tour is at');
  }
}

/**
 * Its log is on disk before it answers. With `everysec`, its default, it may answer up to two seconds
 * earlier while the disk is busy (docs/adr/0018).
 */
class Redis extends Victim {
  readonly #folder: string;
  readonly #port: number;

  constructor(folder: string, port: number) {
    super();
    this.#folder = folder;
    this.#port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  protected override spawn(): ChildProcess {
    const options = {
      port: this.#port,
      bind: '127.0.0.1',
      dir: this.#folder,
      appendonly: 'yes',
      appendfsync: 'always',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return spawn('redis-server', [...args, '--save', ''], { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  protected override isReady(output: string): boolean {
    return output.includes('Ready to accept connections');
  }
}

const tolls: Record<string, Toll> = { 'tour, embedded store': await crashTour(kills) };
if (hasRedis) {
  tolls['tour, on Redis'] = await crashTour(Math.ceil(kills / 3), { onRedis: true });
  tolls['Redis itself'] = await crashTour(Math.ceil(kills / 3), {
    onRedis: true,
    killRedis: true,
  });
} else {
  console.warn('SKIPPED: jobs on Redis need redis-server (Debian: apt-get install redis-server)');
}
console.table(tolls);
const isFine = Object.values(tolls).every(({ lost, unfinished }) => lost + unfinished === 0);
process.exitCode = isFine ? 0 : 1;
