import type { Load, Workload } from './load.ts';
import type { ServerProcess } from './process.ts';
import type { Goal, Group, Table } from './report.ts';
import { eachOf } from './routes.ts';
import { displayName, interleave, startPeers, type Peer, type Subject } from './servers.ts';
import { median, medianRatio } from './statistics.ts';

/** What of a scale is measured: how the cost of one thing grows with the number of others. */
export interface ScalePart {
  /** In a few words, for the introduction of the group. */
  readonly what: string;
  readonly measure: (options: { readonly rounds: number }) => Promise<{
    readonly goals: readonly Goal[];
    readonly tables: readonly Table[];
    readonly versions: Readonly<Record<string, string>>;
    readonly samples: Readonly<Record<string, readonly number[]>>;
  }>;
}

const peers = ['raw', 'thereafter'] as const satisfies Peer[];

/** A step of a scale, and what it asks of the server that is there for it. */
interface Step {
  readonly count: number;
  readonly routes: number;
  readonly workload: Workload;
  readonly load?: Load;
}

const CONNECTIONS = [1, 10, 100, 1000, 10_000];
const ROUTES = [1, 10, 100, 500];

/** Opening thousands of connections takes a while. */
const MANY_SECONDS = 3;

const connections = part(
  '`hello` over 1 to 10,000 connections',
  'connections',
  CONNECTIONS.map((count) => ({
    count,
    routes: 1,
    workload: { paths: ['/hello'] },
    load: { connections: count, seconds: count > 1000 ? MANY_SECONDS : 1 },
  })),
);

const routes = part(
  '1 to 500 routes with a parameter, hit at random',
  'routes',
  ROUTES.map((count) => ({ count, routes: count, workload: eachOf(count) })),
);

/** What is measured, in this order. */
const parts: readonly ScalePart[] = [connections, routes];

/** How costs grow. */
export const scale: Group = async ({ rounds }) => {
  const goals: Goal[] = [];
  const tables: Table[] = [];
  const versions: Record<string, string> = {};
  const samples: Record<string, readonly number[]> = {};
  for (const { measure } of parts) {
    const found = await measure({ rounds });
    goals.push(...found.goals);
    tables.push(...found.tables);
    Object.assign(versions, found.versions);
    Object.assign(samples, found.samples);
  }
  const what = `How the cost of one request grows: ${parts.map((one) => one.what).join('; ')}.`;
  return { rounds, what, goals, tables, versions, samples };
};

/** CPU time of a request at each step, ours beside that of raw. */
function part(what: string, unit: string, steps: readonly Step[]): ScalePart {
  return {
    what,
    async measure({ rounds }) {
      await using stack = new AsyncDisposableStack();
      const subjects: Subject[] = [];
      const known = new Map<number, ReadonlyMap<Peer, ServerProcess>>();
      for (const { count, routes: routeCount, workload, load } of steps) {
        const servers =
          known.get(routeCount) ??
          stack.use(await startPeers(peers, { routes: routeCount })).servers;
        known.set(routeCount, servers);
        for (const peer of peers) {
          const key = `${unit} ${count} ${peer}`;
          subjects.push({ key, server: servers.get(peer)!, workload, ...(load && { load }) });
        }
      }
      const measured = await interleave(subjects, rounds);
      const cpu = (count: number, peer: Peer): number[] =>
        measured.get(`${unit} ${count} ${peer}`)!.map(({ cpuUs }) => cpuUs);
      return {
        goals: [],
        tables: [
          {
            title: `CPU per request, by ${unit}`,
            columns: ['', ...peers.map((peer) => `${displayName[peer]}, µs`), 'against raw'],
            rows: steps.map(({ count }) => [
              count.toLocaleString('en'),
              ...peers.map((peer) => median(cpu(count, peer)).toFixed(1)),
              `${medianRatio(cpu(count, 'thereafter'), cpu(count, 'raw')).toFixed(2)}×`,
            ]),
          },
        ],
        versions: {},
        samples: Object.fromEntries(
          [...measured].map(([key, list]) => [key, list.map((m) => Number(m.cpuUs.toFixed(3)))]),
        ),
      };
    },
  };
}
