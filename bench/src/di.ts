import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { build, versionsOf } from './build.ts';
import { sendExactly } from './exact-load.ts';
import { ServerProcess } from './process.ts';
import { atMost, below, type Goal, type Group, type Table } from './report.ts';
import { harnessPrograms, progress } from './servers.ts';
import { median, medianRatio, rotated } from './statistics.ts';

/** What a measured process is told to do, and how often. */
export interface Order {
  readonly what: Work;
  readonly times: number;
}

const libraries = {
  thereafter: { name: 'Thereafter', package: undefined, times: 200_000 },
  inversify: { name: 'inversify', package: 'inversify', times: 100_000 },
  tsyringe: { name: 'tsyringe', package: 'tsyringe', times: 20_000 },
  awilix: { name: 'awilix', package: 'awilix', times: 20_000 },
  nest: { name: 'NestJS', package: '@nestjs/core', times: 1000 },
} as const;

type Library = keyof typeof libraries;

const names = Object.keys(libraries) as Library[];
const works = ['five', 'twenty', 'start'] as const;

type Work = (typeof works)[number];

const workNames = { five: '5 classes', twenty: '20 classes', start: 'start' } as const;

const what =
  'A scope is opened and a class is made in it that needs four, or nineteen, request-scoped ones; an app with 500 singletons is started in a fresh process. Each library runs in a process of its own. Then the memory that one HTTP request allocates, for one route without a dependency, with a singleton and with a request-scoped one.';

/** What dependency injection costs. */
export const di: Group = async ({ rounds }) => {
  const files = await build(names.map((name) => `di/${name}.ts`));
  const ns = await contestAll(new Map(names.map((name, i) => [name, files[i]!])), rounds);
  const of = (library: Library, work: Work): number[] => ns.get(`${work} ${library}`)!;
  const allocated = await measureAllocations(rounds);

  const extra = (key: string): number =>
    median(allocated[key]!.map((bytes, round) => bytes - allocated['none']![round]!));
  const goals: Goal[] = [
    atMost('scope + resolve of 5 classes', median(of('thereafter', 'five')) / 1000, 0.5, 'µs'),
    atMost('scope + resolve of 20 classes', median(of('thereafter', 'twenty')) / 1000, 2, 'µs'),
    atMost('start of a 500-class app', median(of('thereafter', 'start')) / 1e6, 50, 'ms'),
    ...names
      .slice(1)
      .flatMap((peer) =>
        works.map((work) =>
          below(
            `${workNames[work]} against ${libraries[peer].name}`,
            medianRatio(of('thereafter', work), of(peer, work)),
          ),
        ),
      ),
    {
      figure: 'a singleton dependency allocates for each request',
      goal: `nothing (under ${SMALLEST_OBJECT} bytes)`,
      measured: `${extra('singleton').toFixed(0)} bytes`,
      isReached: extra('singleton') < SMALLEST_OBJECT,
    },
  ];
  const tables: Table[] = [
    {
      title: 'CPU time',
      columns: ['', '5 classes, µs', '20 classes, µs', 'start of 500, ms'],
      rows: names.map((name) => [
        libraries[name].name,
        (median(of(name, 'five')) / 1000).toFixed(2),
        (median(of(name, 'twenty')) / 1000).toFixed(2),
        (median(of(name, 'start')) / 1e6).toFixed(1),
      ]),
    },
    {
      title: 'Allocated by one request',
      columns: ['the handler needs', 'bytes', 'more than nothing'],
      rows: Object.keys(routes).map((key) => [
        key === 'none' ? 'nothing' : `a ${key} object`,
        median(allocated[key]!).toFixed(0),
        key === 'none' ? '' : extra(key).toFixed(0),
      ]),
    },
  ];
  return {
    rounds,
    what,
    goals,
    tables,
    versions: versionsOf(names.slice(1).map((name) => libraries[name].package!)),
    samples: { ...Object.fromEntries(ns), ...allocated },
  };
};

async function contestAll(
  files: ReadonlyMap<Library, string>,
  rounds: number,
): Promise<Map<string, number[]>> {
  const found = new Map(
    works.flatMap((work) => names.map((name) => [`${work} ${name}`, [] as number[]] as const)),
  );
  const children = new Map<Library, ChildProcess>();
  try {
    for (const name of names) children.set(name, await startContestant(files.get(name)!));
    for (const work of ['five', 'twenty'] as const) {
      for (const name of names) {
        await order(children.get(name)!, { what: work, times: libraries[name].times }); // warms up
      }
      for (let round = 0; round < rounds; round++) {
        progress(`${work}: round ${round + 1} of ${rounds}`);
        for (const name of rotated(names, round)) {
          const times = libraries[name].times;
          found
            .get(`${work} ${name}`)!
            .push(await order(children.get(name)!, { what: work, times }));
        }
      }
    }
  } finally {
    for (const child of children.values()) child.kill();
  }
  for (let round = 0; round < rounds; round++) {
    progress(`start: round ${round + 1} of ${rounds}`);
    for (const name of rotated(names, round)) {
      const child = await startContestant(files.get(name)!);
      found.get(`start ${name}`)!.push(await order(child, { what: 'start', times: 1 }));
      child.kill();
    }
  }
  progress('');
  return found;
}

async function startContestant(file: string): Promise<ChildProcess> {
  const child = fork(file, { env: { ...process.env, NODE_ENV: 'production' } });
  await once(child, 'message'); // 'ready'
  return child;
}

function order(child: ChildProcess, what: Order): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('a measured process ended before it answered'));
    child.once('exit', fail);
    child.once('message', (ns) => {
      child.off('exit', fail);
      resolve(ns as number); // sent by contest.ts
    });
    child.send(what);
  });
}

/** Paths of one length, so that the requests differ in nothing else. */
const routes = { none: '/hello', singleton: '/singl', request: '/reque' } as const;

/** An object without fields, in bytes: what is less is noise. */
const SMALLEST_OBJECT = 24;

const ALLOCATION_REQUESTS = 20_000;

/**
 * Bytes on the heap for one request. The young generation is so large that nothing is collected while
 * requests run, so that the heap grows by exactly what they allocate.
 */
async function measureAllocations(rounds: number): Promise<Record<string, number[]>> {
  const [file] = await build(['di/thereafter-allocations.ts', ...harnessPrograms]);
  await using server = await ServerProcess.start(file!, {
    flags: ['--expose-gc', '--min-semi-space-size=512', '--max-semi-space-size=512'],
  });
  const bytes: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round++) {
    for (const [key, path] of rotated(Object.entries(routes), Math.max(0, round))) {
      if (round === -1) await sendExactly(server.url + path, ALLOCATION_REQUESTS); // warms up
      const before = await server.usage('gc');
      await sendExactly(server.url + path, ALLOCATION_REQUESTS);
      const after = await server.usage();
      if (round === -1) continue;
      (bytes[key] ??= []).push((after.heapBytes - before.heapBytes) / ALLOCATION_REQUESTS);
    }
  }
  return bytes;
}
