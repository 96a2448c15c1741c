import { loadTool, type Workload } from './load.ts';
import { atMost, type Group } from './report.ts';
import { displayName, interleave, peerNames, peerVersions, startPeers } from './servers.ts';
import { median, medianRatio } from './statistics.ts';

const COUNT = 500;

/** Each of so many routes, at random. */
export function eachOf(count: number): Workload {
  return { paths: shuffled(Array.from({ length: count }, (_, route) => `/things/${route}/42`)) };
}

/** The same routes each time, in an order without a pattern. */
function shuffled(paths: string[]): string[] {
  let state = 1;
  return paths
    .map((path) => ({ path, key: (state = (state * 48_271) % 2_147_483_647) }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ path }) => path);
}

/** What it costs to have many routes. */
export const routes: Group = async ({ rounds }) => {
  await using small = await startPeers(peerNames, { routes: 1 });
  await using large = await startPeers(peerNames, { routes: COUNT });
  const subjects = peerNames.flatMap((peer) => [
    { key: `1 ${peer}`, server: small.servers.get(peer)!, workload: eachOf(1) },
    { key: `${COUNT} ${peer}`, server: large.servers.get(peer)!, workload: eachOf(COUNT) },
  ]);
  const measured = await interleave(subjects, rounds);
  const cpu = (count: number, peer: string): number[] =>
    measured.get(`${count} ${peer}`)!.map(({ cpuUs }) => cpuUs);
  const growth = (peer: string): number => medianRatio(cpu(COUNT, peer), cpu(1, peer));
  return {
    rounds,
    what: `${COUNT} routes with a parameter, hit at random, against one such route. Load: ${loadTool}.`,
    goals: [atMost(`${COUNT} routes against 1 route`, growth('thereafter'), 1.02, '×')],
    tables: [
      {
        title: 'CPU per request',
        columns: ['', '1 route, µs', `${COUNT} routes, µs`, `${COUNT} against 1`, 'against raw'],
        rows: peerNames.map((peer) => [
          displayName[peer],
          median(cpu(1, peer)).toFixed(1),
          median(cpu(COUNT, peer)).toFixed(1),
          `${growth(peer).toFixed(2)}×`,
          `${medianRatio(cpu(COUNT, peer), cpu(COUNT, 'raw')).toFixed(2)}×`,
        ]),
      },
    ],
    versions: peerVersions(peerNames),
    samples: Object.fromEntries(
      [...measured].map(([key, list]) => [key, list.map((m) => Number(m.cpuUs.toFixed(3)))]),
    ),
  };
};
