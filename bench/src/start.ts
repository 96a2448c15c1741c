import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.ts';
import { loadTool, measure } from './load.ts';
import { ServerProcess } from './process.ts';
import { atMost, type Group } from './report.ts';
import { displayName, harnessPrograms, peerNames, peerVersions, progress } from './servers.ts';
import { median, medianRatio, rotated } from './statistics.ts';

const WARM_REQUESTS = 100_000;

/** Loading takes seconds, and memory hardly differs between rounds. */
const MEMORY_ROUNDS = 3;

interface Subject {
  readonly key: string;
  readonly name: string;
  readonly file: string;
  readonly flags?: string[];
}

const what = `From the start of the process to its first answer, for a program with one route: bundled into one file with all that it imports; built, with its packages in node_modules; and, for us, TypeScript through the loader. Memory: resident size of the bundled program after ${WARM_REQUESTS.toLocaleString('en')} requests. Load: ${loadTool}.`;

/** What it costs to start and to stay. */
export const start: Group = async ({ rounds }) => {
  const subjects = await allSubjects();
  const cpuMs = new Map(subjects.map(({ key }) => [key, [] as number[]]));
  const wallMs = new Map(subjects.map(({ key }) => [key, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    progress(round === -1 ? 'warming up' : `start: round ${round + 1} of ${rounds}`);
    for (const { key, file, flags = [] } of rotated(subjects, Math.max(0, round))) {
      await using server = await ServerProcess.start(file, { flags });
      const { cpuUs } = await server.usage();
      if (round === -1) continue; // fills the system's file cache
      cpuMs.get(key)!.push(cpuUs / 1000);
      wallMs.get(key)!.push(server.startMs);
    }
  }

  const bundled = subjects.filter(({ key }) => key.startsWith('bundled '));
  const rssMb = new Map(bundled.map(({ key }) => [key, [] as number[]]));
  for (let round = 0; round < Math.min(rounds, MEMORY_ROUNDS); round++) {
    for (const { key, file } of rotated(bundled, round)) {
      progress(`memory: ${key}`);
      rssMb.get(key)!.push(await residentMb(file));
    }
  }
  progress('');

  const ratio = (from: ReadonlyMap<string, number[]>, key: string): number =>
    medianRatio(from.get(key)!, from.get('bundled raw')!);
  return {
    rounds,
    what,
    goals: [
      atMost(
        'start to first answer, bundled: CPU against raw',
        ratio(cpuMs, 'bundled thereafter'),
        1.3,
        '×',
      ),
      atMost(
        `resident memory after ${WARM_REQUESTS.toLocaleString('en')} requests against raw`,
        ratio(rssMb, 'bundled thereafter'),
        1.15,
        '×',
      ),
    ],
    tables: [
      {
        title: 'Start to first answer',
        columns: ['', 'CPU, ms', 'CPU against raw', 'wall clock, ms'],
        rows: subjects.map(({ key, name }) => [
          name,
          median(cpuMs.get(key)!).toFixed(0),
          `${ratio(cpuMs, key).toFixed(2)}×`,
          median(wallMs.get(key)!).toFixed(0),
        ]),
      },
      {
        title: 'Resident memory',
        columns: ['', 'MB', 'against raw'],
        rows: bundled.map(({ key, name }) => [
          name,
          median(rssMb.get(key)!).toFixed(0),
          `${ratio(rssMb, key).toFixed(2)}×`,
        ]),
      },
    ],
    versions: peerVersions(peerNames),
    samples: Object.fromEntries([
      ...[...cpuMs].map(([key, values]) => [`cpu ${key}`, values]),
      ...[...rssMb].map(([key, values]) => [`memory ${key}`, values]),
    ]),
  };
};

async function allSubjects(): Promise<Subject[]> {
  buildPackages();
  await build(harnessPrograms);
  const entries = peerNames.map((peer) => `start/${peer}.ts`);
  const bundled = await build(entries, { packages: 'inside' });
  const built = await build(entries, { packages: 'outside' });
  const source = fileURLToPath(new URL('../start/thereafter.ts', import.meta.url));
  const loader = import.meta.resolve('@thereafter/cli/register');
  return [
    ...peerNames.flatMap((peer, i) => [
      {
        key: `bundled ${peer}`,
        name: `${displayName[peer]}, bundled`,
        file: bundled[i]!,
      },
      // There is nothing to leave outside of the bundle of raw.
      ...(peer === 'raw'
        ? []
        : [{ key: `built ${peer}`, name: `${displayName[peer]}, built`, file: built[i]! }]),
    ]),
    {
      key: 'loader thereafter',
      name: `${displayName.thereafter}, loader`,
      file: source,
      flags: ['--conditions=thereafter-source', '--import', loader],
    },
  ];
}

/** Our packages as they are published. */
function buildPackages(): void {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const { status, stderr } = spawnSync(`${root}node_modules/.bin/turbo`, ['run', 'build'], {
    cwd: root,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`the packages could not be built:\n${stderr}`);
}

async function residentMb(file: string): Promise<number> {
  await using server = await ServerProcess.start(file);
  for (let sent = 0; sent < WARM_REQUESTS;) {
    const { requests } = await measure(server, { paths: ['/hello'] });
    sent += requests;
  }
  return (await server.usage()).rssBytes / 2 ** 20;
}
