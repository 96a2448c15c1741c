import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, versionsOf } from './build.ts';
import { loadTool, measure } from './load.ts';
import { freePort, ServerProcess } from './process.ts';
import { atLeast, atMost, below, type Goal, type Group, type Table } from './report.ts';
import { harnessPrograms, progress } from './servers.ts';
import { median, medianRatio, rotated } from './statistics.ts';

const works = ['one', 'callers', 'bulk', 'drain', 'latency'] as const;

type Work = (typeof works)[number];

/** What a measured process is told to do. */
export interface Order {
  readonly work: Work;
  /** How many jobs. */
  readonly times: number;
  /** Names the store, a new one each time. */
  readonly store: string;
}

/** What it says of it. */
export interface Answer {
  readonly perSecond: number;
  /** CPU time of the process for one job; that of a server it talks to is not in it. */
  readonly cpuUs: number;
  readonly rssMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Engine {
  readonly name: string;
  readonly package: string | undefined;
  /** The server that it needs. */
  readonly needs?: 'redis' | 'postgres';
  /** How many jobs of each work: about a second of a slow machine. */
  readonly times: Readonly<Record<Work, number>>;
}

const engines = {
  'thereafter-sqlite': {
    name: 'Thereafter, embedded',
    package: undefined,
    times: { one: 3000, callers: 20_000, bulk: 40_000, drain: 20_000, latency: 300 },
  },
  plainjob: {
    name: 'plainjob on node:sqlite',
    package: 'plainjob',
    times: { one: 3000, callers: 20_000, bulk: 40_000, drain: 4000, latency: 3 },
  },
  'thereafter-redis': {
    name: 'Thereafter on Redis',
    package: undefined,
    needs: 'redis',
    times: { one: 3000, callers: 10_000, bulk: 20_000, drain: 10_000, latency: 300 },
  },
  bullmq: {
    name: 'BullMQ on Redis',
    package: 'bullmq',
    needs: 'redis',
    times: { one: 3000, callers: 10_000, bulk: 20_000, drain: 10_000, latency: 300 },
  },
  'pg-boss': {
    name: 'pg-boss on PostgreSQL',
    package: 'pg-boss',
    needs: 'postgres',
    times: { one: 500, callers: 1000, bulk: 10_000, drain: 4000, latency: 20 },
  },
} as const satisfies Record<string, Engine>;

type EngineName = keyof typeof engines;

const engineNames = Object.keys(engines) as EngineName[];

const STORED = [1000, 1_000_000] as const;

const what = `No-op jobs of 60 bytes, each engine in a process of its own, ten jobs at once: stored one by one by one caller and by 32, in batches of a thousand, run from a full store, and the time from the call that enqueues a job to its start while the worker is idle. The embedded store acknowledges what survives \`kill -9\`; Redis writes its log every second, PostgreSQL with synchronous_commit. Then a POST whose job is stored before its answer against the same POST without one, 64 connections. sidequest is left out: its SQLite store needs a native module that is compiled when it is installed. Load: ${loadTool}.`;

/** What durable jobs cost. */
export const jobs: Group = async ({ rounds }) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-jobs-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true }));
  const redis = await startRedis(folder);
  if (redis) stack.defer(() => redis.stop());
  const postgres = process.env['DATABASE_URL'];
  const env = {
    FOLDER: folder,
    REDIS_URL: redis?.url ?? '',
    DATABASE_URL: postgres ?? '',
  };
  const has = { redis: redis !== undefined, postgres: postgres !== undefined };
  const names = engineNames.filter((name) => {
    const { needs }: Engine = engines[name];
    return needs === undefined || has[needs];
  });
  if (!has.redis) console.log('Without redis-server, what needs it is left out.');
  if (!has.postgres) console.log('Without DATABASE_URL, pg-boss is left out.');

  const found = await contest(names, env, rounds);
  const of = (name: EngineName, work: Work, figure: keyof Answer = 'perSecond'): number[] =>
    found.get(`${name} ${work}`)!.map((answer) => answer[figure]);
  const posts = await measurePosts(folder, rounds);
  const claims = await measureClaims(env, rounds);

  const goals: Goal[] = [
    below(
      'embedded, end to end: time of a no-op job against plainjob',
      medianRatio(of('plainjob', 'drain'), of('thereafter-sqlite', 'drain')),
    ),
    atLeast(
      'embedded, end to end: against Celery 5.2 on Redis, which ran 1,009 a second',
      median(of('thereafter-sqlite', 'drain')),
      1009,
      'jobs/s',
    ),
    ...(has.redis
      ? [
          atLeast(
            'jobs on Redis, end to end: throughput against BullMQ used directly',
            medianRatio(of('thereafter-redis', 'drain'), of('bullmq', 'drain')),
            0.95,
            '×',
          ),
          atLeast(
            'jobs on Redis, stored by 32 callers: throughput against BullMQ used directly',
            medianRatio(of('thereafter-redis', 'callers'), of('bullmq', 'callers')),
            0.95,
            '×',
          ),
        ]
      : []),
    atMost(
      'a POST whose job is stored before its 2xx: CPU against the same without',
      medianRatio(posts.durable.cpuUs, posts.plain.cpuUs),
      1.5,
      '×',
    ),
    atLeast('acknowledged durable POSTs', median(posts.durable.perSecond), 10_000, 'a second'),
    atMost(
      'time of a job with a million stored against a thousand',
      medianRatio(claims.get(STORED[1])!, claims.get(STORED[0])!),
      1.2,
      '×',
    ),
  ];
  const rate = (name: EngineName, work: Work): string =>
    Math.round(median(of(name, work))).toLocaleString('en');
  const tables: Table[] = [
    {
      title: 'Jobs per second',
      columns: ['', 'one by one', '32 callers', 'batches', 'end to end', 'µs CPU, end to end'],
      rows: names.map((name) => [
        engines[name].name,
        rate(name, 'one'),
        rate(name, 'callers'),
        rate(name, 'bulk'),
        rate(name, 'drain'),
        median(of(name, 'drain', 'cpuUs')).toFixed(1),
      ]),
    },
    {
      title: 'From enqueue to start, and memory',
      columns: ['', 'p50, ms', 'p99, ms', 'resident after running, MB'],
      rows: names.map((name) => [
        engines[name].name,
        median(of(name, 'latency', 'p50Ms')).toFixed(2),
        median(of(name, 'latency', 'p99Ms')).toFixed(2),
        median(of(name, 'drain', 'rssMb')).toFixed(0),
      ]),
    },
    {
      title: 'POST, 64 connections',
      columns: ['', 'µs CPU', 'a second'],
      rows: (['plain', 'durable'] as const).map((kind) => [
        kind === 'plain' ? 'without a job' : 'with a job, stored before the answer',
        median(posts[kind].cpuUs).toFixed(1),
        Math.round(median(posts[kind].perSecond)).toLocaleString('en'),
      ]),
    },
    {
      title: 'Embedded, with so many jobs stored',
      columns: ['', 'µs a job, end to end'],
      rows: STORED.map((stored) => [
        stored.toLocaleString('en'),
        median(claims.get(stored)!).toFixed(1),
      ]),
    },
  ];
  const samples: Record<string, readonly number[]> = {};
  for (const [key, answers] of found) {
    for (const figure of ['perSecond', 'cpuUs', 'rssMb', 'p50Ms', 'p99Ms'] as const) {
      samples[`${key} ${figure}`] = answers.map((answer) => answer[figure]);
    }
  }
  return {
    rounds,
    what,
    goals,
    tables,
    versions: versionsOf(names.flatMap((name) => engines[name].package ?? [])),
    samples: { ...samples, 'post plain': posts.plain.cpuUs, 'post durable': posts.durable.cpuUs },
  };
};

async function contest(
  names: readonly EngineName[],
  env: Readonly<Record<string, string>>,
  rounds: number,
): Promise<Map<string, Answer[]>> {
  const files = await build(names.map((name) => `jobs/${name}.ts`));
  const found = new Map<string, Answer[]>();
  const run = Math.random().toString(36).slice(2, 8); // so that stores on servers are new as well
  for (const work of works) {
    for (let round = -1; round < rounds; round++) {
      progress(`${work}: ${round === -1 ? 'warming up' : `round ${round + 1} of ${rounds}`}`);
      for (const name of rotated(names, Math.max(0, round))) {
        const child = await startContestant(files[names.indexOf(name)]!, env);
        const times = engines[name].times[work];
        const store = `${name}-${run}-${work}-${round + 1}`;
        const answer = await order(child, { work, times, store });
        child.kill('SIGKILL');
        if (round === -1) continue;
        const key = `${name} ${work}`;
        found.set(key, [...(found.get(key) ?? []), answer]);
      }
    }
  }
  progress('');
  return found;
}

async function startContestant(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const child = fork(file, { env: { ...process.env, NODE_ENV: 'production', ...env } });
  await once(child, 'message'); // 'ready'
  return child;
}

function order(child: ChildProcess, what: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`A process ended while it should do ${what.work}.`)));
    child.once('message', (answer) => resolve(answer as Answer)); // sent by contest.ts
    child.send(what);
  });
}

interface Posts {
  readonly cpuUs: number[];
  readonly perSecond: number[];
}

const POST = JSON.stringify({ n: 1, email: 'guest@example.com' });

async function measurePosts(
  folder: string,
  rounds: number,
): Promise<Record<'plain' | 'durable', Posts>> {
  const [file] = await build(['jobs/thereafter-posts.ts', ...harnessPrograms]);
  await using server = await ServerProcess.start(file!, {
    env: { JOBS_FILE: join(folder, 'posts.db') },
  });
  const found = {
    plain: { cpuUs: [] as number[], perSecond: [] as number[] },
    durable: { cpuUs: [] as number[], perSecond: [] as number[] },
  };
  for (let round = -1; round < rounds; round++) {
    for (const kind of rotated(['plain', 'durable'] as const, Math.max(0, round))) {
      const { cpuUs, requestsPerSecond } = await measure(
        server,
        { paths: [`/${kind}`], json: POST },
        { connections: 64 },
      );
      if (round === -1) continue;
      found[kind].cpuUs.push(cpuUs);
      found[kind].perSecond.push(requestsPerSecond);
    }
  }
  return found;
}

const CLAIMED = 10_000;

/** Microseconds for a job that is enqueued and run while so many others are stored for later. */
async function measureClaims(
  env: Readonly<Record<string, string>>,
  rounds: number,
): Promise<Map<number, number[]>> {
  const [file] = await build(['jobs/thereafter-full-store.ts']);
  const found = new Map<number, number[]>();
  const children = new Map<number, ChildProcess>();
  try {
    for (const stored of STORED) {
      const child = await startContestant(file!, { ...env, STORED: String(stored) });
      children.set(stored, child);
      found.set(stored, []);
      await order(child, { work: 'drain', times: CLAIMED, store: '' }); // warms up
    }
    for (let round = 0; round < rounds; round++) {
      progress(`full store: round ${round + 1} of ${rounds}`);
      for (const stored of rotated(STORED, round)) {
        const child = children.get(stored)!;
        child.removeAllListeners('exit');
        const answer = await order(child, { work: 'drain', times: CLAIMED, store: '' });
        found.get(stored)!.push(answer.cpuUs);
      }
    }
  } finally {
    for (const child of children.values()) child.removeAllListeners('exit').kill('SIGKILL');
  }
  progress('');
  return found;
}

/** A Redis of its own that writes its log, or nothing where there is none. */
async function startRedis(
  folder: string,
): Promise<{ readonly url: string; stop(): void } | undefined> {
  if (spawnSync('redis-server', ['--version']).error) return undefined;
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes'];
  const server = spawn('redis-server', [...args, '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  while (!output.includes('Ready to accept connections')) {
    const [text] = (await once(server.stdout, 'data')) as [Buffer];
    output += text.toString();
  }
  server.stdout.resume();
  return { url: `redis://127.0.0.1:${port}`, stop: () => void server.kill('SIGKILL') };
}
