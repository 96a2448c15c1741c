import { ADA } from './contract.ts';
import { loadTool, type Workload } from './load.ts';
import { atMost, below, type Goal, type Group, type Table } from './report.ts';
import {
  displayName,
  interleave,
  peerNames,
  peerVersions,
  startPeers,
  type Peer,
} from './servers.ts';
import { median, medianDifference, medianRatio } from './statistics.ts';

const json = JSON.stringify(ADA);
const workloads = {
  hello: { paths: ['/hello'] },
  users: { paths: ['/users/42?limit=10&active=true'] },
  post: { paths: ['/users'], json },
  inject: { paths: ['/inject'], json },
  bg: { paths: ['/bg'], json },
} satisfies Record<string, Workload>;

type WorkloadName = keyof typeof workloads;

const workloadNames = Object.keys(workloads) as WorkloadName[];

const what = `\`hello\`: GET, JSON · \`users\`: path and query coerced and validated, response filtered by a schema · \`post\`: JSON body validated, 201, response filtered · \`inject\`: the same with five request-scoped classes · \`bg\`: \`post\` with three background tasks. Load: ${loadTool}.`;

/** The same work done by us, by hand and by peers. */
export const http: Group = async ({ rounds }) => {
  await using started = await startPeers(peerNames);
  const { servers } = started;
  const subjects = workloadNames.flatMap((workload) =>
    peerNames.map((peer) => ({
      key: `${workload} ${peer}`,
      server: servers.get(peer)!,
      workload: workloads[workload],
    })),
  );
  const measured = await interleave(subjects, rounds);

  const cpu = (workload: WorkloadName, peer: Peer): number[] =>
    measured.get(`${workload} ${peer}`)!.map(({ cpuUs }) => cpuUs);
  const perSecond = (workload: WorkloadName, peer: Peer): number =>
    median(measured.get(`${workload} ${peer}`)!.map((m) => m.requestsPerSecond));
  const ratio = (workload: WorkloadName, peer: Peer, to: Peer): number =>
    medianRatio(cpu(workload, peer), cpu(workload, to));

  const goals: Goal[] = [
    ...(['hello', 'users', 'post'] as const).map((workload) =>
      atMost(`${workload}: CPU against raw`, ratio(workload, 'thereafter', 'raw'), 1.03, '×'),
    ),
    ...workloadNames.map((workload) =>
      below(`${workload}: CPU against Fastify`, ratio(workload, 'thereafter', 'fastify')),
    ),
    atMost(
      'bg: CPU against raw with a finish listener',
      ratio('bg', 'thereafter', 'raw'),
      1.05,
      '×',
    ),
    atMost(
      'inject over post',
      medianDifference(cpu('inject', 'thereafter'), cpu('post', 'thereafter')),
      0.5,
      'µs',
    ),
    atMost(
      'three background tasks over none',
      medianDifference(cpu('bg', 'thereafter'), cpu('post', 'thereafter')),
      2,
      'µs',
    ),
  ];
  const tables: Table[] = [
    {
      title: 'CPU per request against raw',
      columns: ['', ...workloadNames],
      rows: peerNames.map((peer) => [
        displayName[peer],
        ...workloadNames.map((workload) => `${ratio(workload, peer, 'raw').toFixed(2)}×`),
      ]),
    },
    {
      title: 'CPU per request, µs',
      columns: ['', ...workloadNames],
      rows: peerNames.map((peer) => [
        displayName[peer],
        ...workloadNames.map((workload) => median(cpu(workload, peer)).toFixed(1)),
      ]),
    },
    {
      title: 'Requests per second',
      columns: ['', ...workloadNames],
      rows: peerNames.map((peer) => [
        displayName[peer],
        ...workloadNames.map((workload) => perSecond(workload, peer).toFixed(0)),
      ]),
    },
  ];
  const samples = Object.fromEntries(
    [...measured].map(([key, list]) => [key, list.map((m) => Number(m.cpuUs.toFixed(3)))]),
  );
  return { rounds, what, goals, tables, versions: peerVersions(peerNames), samples };
};
