import { build, versionsOf } from './build.ts';
import { checkContract } from './contract.ts';
import { measure, type Load, type Measurement, type Workload } from './load.ts';
import { ServerProcess } from './process.ts';
import { rotated } from './statistics.ts';

/** The peers, with the name of their package. Each is one file in `bench/servers/`. */
export const peers = {
  raw: undefined,
  thereafter: undefined,
  fastify: 'fastify',
  hono: 'hono',
  h3: 'h3',
  koa: 'koa',
  express: 'express',
  nest: '@nestjs/core',
} as const;

export type Peer = keyof typeof peers;

export const peerNames = Object.keys(peers) as Peer[];

export const displayName: Readonly<Record<Peer, string>> = {
  raw: 'node:http by hand',
  thereafter: 'Thereafter',
  fastify: 'Fastify',
  hono: 'Hono on node-server',
  h3: 'H3',
  koa: 'Koa',
  express: 'Express',
  nest: 'NestJS on Fastify',
};

export function peerVersions(names: readonly Peer[]): Record<string, string> {
  const packages = names.map((name) => peers[name]).filter((name) => name !== undefined);
  return versionsOf([...packages, '@hono/node-server', '@nestjs/platform-fastify', 'zod']);
}

/** Starts built servers, checks each, and ends all of them when disposed. */
export async function startPeers(
  names: readonly Peer[],
  { routes = 1 }: { readonly routes?: number } = {},
): Promise<{ servers: Map<Peer, ServerProcess> } & AsyncDisposable> {
  const files = await build([...names.map((name) => `servers/${name}.ts`), ...harnessPrograms]);
  await using stack = new AsyncDisposableStack();
  const servers = new Map<Peer, ServerProcess>();
  for (const [i, name] of names.entries()) {
    const server = stack.use(
      await ServerProcess.start(files[i]!, { env: { ROUTES: String(routes) } }),
    );
    await checkContract(displayName[name], server.url, routes);
    servers.set(name, server);
  }
  const owned = stack.move();
  return { servers, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What runs beside or within the measured programs. */
export const harnessPrograms = ['src/probe.ts', 'src/load-autocannon.ts'];

/** Something to measure: a server under a workload. */
export interface Subject {
  readonly key: string;
  readonly server: ServerProcess;
  readonly workload: Workload;
  readonly load?: Load;
}

/**
 * Measures subjects in turns. Neighbours in the list are measured right after one another, so that
 * what is compared stands side by side.
 */
export async function interleave(
  subjects: readonly Subject[],
  rounds: number,
): Promise<Map<string, Measurement[]>> {
  const measured = new Map(subjects.map(({ key }) => [key, [] as Measurement[]]));
  for (const { server, workload, load } of subjects) await measure(server, workload, load); // warms up
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    for (const { key, server, workload, load } of rotated(subjects, round)) {
      measured.get(key)!.push(await measure(server, workload, load));
    }
  }
  progress('');
  return measured;
}

/** One line that is written over again; nothing when nobody is watching. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u{1b}[2K${text}`);
}
