import { build, versionsOf } from './build.ts';
import { loadTool, measure } from './load.ts';
import { ServerProcess } from './process.ts';
import { atMost, below, type Group, type Table } from './report.ts';
import { harnessPrograms, progress } from './servers.ts';
import { median, medianDifference, medianRatio, rotated } from './statistics.ts';

const runners = {
  raw: "res.once('finish') by hand",
  thereafter: 'Thereafter',
  fastify: 'Fastify onResponse',
} as const;

type Runner = keyof typeof runners;

const names = Object.keys(runners) as Runner[];

/** As in `bench/tasks/work.ts`. */
const MANY = 10_000;

/** A measurement of many tasks adds them so often. */
const REPEATS = 10;

const cpuFigures = ['none', 'three', 'threePending', 'many'] as const;

type CpuFigure = (typeof cpuFigures)[number];

const what = `A GET request that adds three no-op tasks against one that adds none; a request that adds ${MANY.toLocaleString('en')} no-op tasks, until all have run; the three tasks again while ${MANY.toLocaleString('en')} others are pending. Load: ${loadTool}.`;

/** What background tasks cost. */
export const tasks: Group = async ({ rounds }) => {
  const files = await build([...names.map((name) => `tasks/${name}.ts`), ...harnessPrograms]);
  const found = new Map<string, number[]>();
  const of = (figure: CpuFigure | 'heap', name: Runner): number[] => {
    const key = `${figure} ${name}`;
    const samples = found.get(key) ?? [];
    found.set(key, samples);
    return samples;
  };

  await using stack = new AsyncDisposableStack();
  const servers = new Map<Runner, ServerProcess>();
  for (const [i, name] of names.entries()) {
    const start = ServerProcess.start(files[i]!, { flags: ['--expose-gc'] });
    servers.set(name, stack.use(await start));
  }
  for (let round = -1; round < rounds; round++) {
    progress(round === -1 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    for (const name of rotated(names, Math.max(0, round))) {
      const measured = await measureCpu(servers.get(name)!);
      if (round === -1) continue;
      for (const figure of cpuFigures) of(figure, name).push(measured[figure]);
    }
  }
  // Last, because a forced collection throws compiled code away too, and what comes next pays for it.
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) {
      of('heap', name).push(await measureHeap(servers.get(name)!));
    }
  }
  progress('');

  const extra = (name: Runner): number => medianDifference(of('three', name), of('none', name));
  const tables: Table[] = [
    {
      title: 'Three no-op tasks, CPU per request',
      columns: ['', 'none, µs', 'three, µs', 'difference, µs', 'three against raw'],
      rows: names.map((name) => [
        runners[name],
        median(of('none', name)).toFixed(1),
        median(of('three', name)).toFixed(1),
        extra(name).toFixed(1),
        `${medianRatio(of('three', name), of('three', 'raw')).toFixed(2)}×`,
      ]),
    },
    {
      title: `${MANY.toLocaleString('en')} tasks`,
      columns: [
        '',
        'add and run one, µs',
        'heap of a pending one, bytes',
        'three more while they are pending, µs',
        'against none pending',
      ],
      rows: names.map((name) => [
        runners[name],
        median(of('many', name)).toFixed(2),
        median(of('heap', name)).toFixed(0),
        median(of('threePending', name)).toFixed(1),
        `${medianRatio(of('threePending', name), of('three', name)).toFixed(2)}×`,
      ]),
    },
  ];
  return {
    rounds,
    what,
    goals: [
      atMost('three background tasks over none', extra('thereafter'), 2, 'µs'),
      atMost(
        'three tasks: CPU against raw with a finish listener',
        medianRatio(of('three', 'thereafter'), of('three', 'raw')),
        1.05,
        '×',
      ),
      below(
        'three tasks: CPU against Fastify onResponse',
        medianRatio(of('three', 'thereafter'), of('three', 'fastify')),
      ),
    ],
    tables,
    versions: versionsOf(['fastify']),
    samples: Object.fromEntries(found),
  };
};

/** CPU time in microseconds: for a request, and in `many` for a task. */
async function measureCpu(server: ServerProcess): Promise<Record<CpuFigure, number>> {
  const cpuOf = async (path: string): Promise<number> =>
    (await measure(server, { paths: [path] })).cpuUs;
  const none = await cpuOf('/hello');
  const three = await cpuOf('/three');

  await ask(`${server.url}/hold`);
  const threePending = await cpuOf('/three');
  await ask(`${server.url}/release`);
  await waitForTasks(server);

  const before = await server.usage();
  for (let i = 0; i < REPEATS; i++) await waitForTasks(server);
  const many = ((await server.usage()).cpuUs - before.cpuUs) / (REPEATS * MANY);
  return { none, three, threePending, many };
}

/** Bytes on the heap for each pending task. */
async function measureHeap(server: ServerProcess): Promise<number> {
  const empty = await server.usage('gc');
  await ask(`${server.url}/hold`);
  const full = await server.usage('gc');
  await ask(`${server.url}/release`);
  await waitForTasks(server);
  return (full.heapBytes - empty.heapBytes) / MANY;
}

/** Adds many tasks and waits until the last of them has run. */
async function waitForTasks(server: ServerProcess): Promise<void> {
  await ask(`${server.url}/many`);
  await ask(`${server.url}/last`);
}

async function ask(url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  await response.text();
}
