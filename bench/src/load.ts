import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AutocannonJob, AutocannonReport } from './load-autocannon.ts';
import { pinned } from './pinning.ts';
import type { ServerProcess } from './process.ts';

/** A request that is sent again and again; of several paths, each time another. */
export interface Workload {
  readonly paths: readonly string[];
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly json?: string;
}

export interface Measurement {
  /** CPU time of the server for one request, in microseconds. */
  readonly cpuUs: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
}

/** How much is asked at once, and for how long. */
export interface Load {
  readonly connections?: number;
  readonly seconds?: number;
}

const CONNECTIONS = 32;
const SECONDS = 1;

const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

const tool = hasWrk ? 'wrk' : 'autocannon';

/** For reports. */
export const loadTool: string = `${tool}, ${CONNECTIONS} connections`;

const run = promisify(execFile);
const distFolder = fileURLToPath(new URL('../dist/', import.meta.url));

/**
 * Loads a server from a second process, by default for a second over 32 connections.
 *
 * @throws When an answer is no 2xx: a wrong answer must not count as a fast one.
 */
export async function measure(
  server: ServerProcess,
  workload: Workload,
  { connections = CONNECTIONS, seconds: duration = SECONDS }: Load = {},
): Promise<Measurement> {
  const load = { connections, seconds: duration };
  const before = await server.usage();
  const { requests, seconds } = await (hasWrk ? loadWithWrk : loadWithAutocannon)(
    server.url,
    workload,
    load,
  );
  const after = await server.usage();
  return {
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
    requests,
    requestsPerSecond: requests / seconds,
  };
}

interface Sent {
  readonly requests: number;
  readonly seconds: number;
}

async function loadWithWrk(url: string, workload: Workload, load: Required<Load>): Promise<Sent> {
  const script = wrkScript(workload);
  const [command, ...args] = pinned(1, [
    'wrk',
    '--threads=1',
    `--connections=${load.connections}`,
    `--duration=${load.seconds}s`,
    '--timeout=10s',
    `--script=${script}`,
    `${url}${workload.paths[0]}`,
  ]);
  const { stdout } = await run(command, args);
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  if (requests === undefined || /Non-2xx/.test(stdout)) {
    throw new Error(`The load on ${workload.paths[0]} was not answered:\n${stdout}`);
  }
  return { requests: Number(requests), seconds: Number(seconds) };
}

function wrkScript({ paths, json }: Workload): string {
  const name = `${json === undefined ? 'get' : 'post'}-${paths[0]!.replaceAll(/\W+/g, '-')}-${paths.length}`;
  const file = `${distFolder}wrk${name}.lua`;
  const method = json === undefined ? 'GET' : 'POST';
  const body = json === undefined ? 'nil' : `[==[${json}]==]`;
  const headers = json === undefined ? '{}' : '{["content-type"]="application/json"}';
  mkdirSync(distFolder, { recursive: true });
  writeFileSync(
    file,
    `local paths = {${paths.map((path) => JSON.stringify(path)).join(',')}}
local requests = {}
function init(args)
  for i, path in ipairs(paths) do
    requests[i] = wrk.format("${method}", path, ${headers}, ${body})
  end
end
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
`,
  );
  return file;
}

async function loadWithAutocannon(
  url: string,
  { paths, json }: Workload,
  load: Required<Load>,
): Promise<Sent> {
  const job: AutocannonJob = { url, paths, json, ...load };
  const program = `${distFolder}src/load-autocannon.mjs`;
  const [command, ...args] = pinned(1, [process.execPath, program, JSON.stringify(job)]);
  const { stdout } = await run(command, args);
  const report = JSON.parse(stdout) as AutocannonReport; // printed by load-autocannon.ts
  if (report.failed > 0 || report.requests === 0) {
    throw new Error(`The load on ${paths[0]} was not answered: ${stdout}`);
  }
  return report;
}
