import { ADA } from './contract.ts';
import { interleave, startPeers, type Peer } from './servers.ts';
import { median, medianRatio, medianDifference } from './statistics.ts';
const json = JSON.stringify(ADA);
const all: any = {
  hello: { paths: ['/hello'] },
  users: { paths: ['/users/42?limit=10&active=true'] },
  post: { paths: ['/users'], json },
  inject: { paths: ['/inject'], json },
  bg: { paths: ['/bg'], json },
};
const [peersArg = 'raw,thereafter', worksArg = 'hello,users,post,inject,bg', rounds = '7'] =
  process.argv.slice(2);
const peers = peersArg.split(',') as Peer[];
const works = worksArg.split(',');
await using started = await startPeers(peers);
const subjects = works.flatMap((w) =>
  peers.map((p) => ({ key: `${w} ${p}`, server: started.servers.get(p)!, workload: all[w] })),
);
const m = await interleave(subjects, Number(rounds));
const cpu = (w: string, p: string) => m.get(`${w} ${p}`)!.map((x) => x.cpuUs);
for (const w of works)
  console.log(
    w.padEnd(8),
    peers
      .map(
        (p) =>
          `${p} ${median(cpu(w, p)).toFixed(1)} (${medianRatio(cpu(w, p), cpu(w, 'raw')).toFixed(3)}x)`,
      )
      .join('  '),
  );
for (const [a, b] of [
  ['inject', 'post'],
  ['bg', 'post'],
])
  if (works.includes(a!) && works.includes(b!))
    console.log(
      `${a}-${b}`,
      peers.map((p) => `${p} ${medianDifference(cpu(a!, p), cpu(b!, p)).toFixed(2)}`).join('  '),
    );
