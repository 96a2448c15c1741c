// A million background tasks through one process: `pnpm soak`, or with another number as argument.
// Prints what is left of them, and fails when something grew: heap, listeners, scopes or handles.
import { Agent, get } from 'node:http';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackgroundTasks, createApp, defineTask, dependency } from 'thereafter';
import { Type } from 'typebox';

const total = Number(process.argv[2] ?? 1_000_000);
const TASKS_PER_REQUEST = 100;
const CONNECTIONS = 10;
const MAX_PENDING = 5000;
/** What the heap of a process may differ between two equal states. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;

let openScopes = 0;
let done = 0;
const sockets = new Set<Socket>();
subscribe('http.server.request.start', (message) =>
  sockets.add((message as { socket: Socket }).socket),
);

const session = dependency(
  {},
  async function* () {
    openScopes += 1;
    yield 'session';
    openScopes -= 1;
  },
  { scope: 'request' },
);
const count = defineTask(
  { name: 'count', payload: Type.Object({ n: Type.Integer() }), in: { session } },
  ({ payload }) => void (done += payload.n),
);
const add = (n: number): void => void (done += n);

const app = createApp({ logger: false, shutdown: { signals: false } })
  .include(count)
  .get('/', { in: { session, tasks: BackgroundTasks } }, ({ tasks }) => {
    // Functions, definitions with a scope of their own, timers, and tasks that are never run.
    for (let i = 0; i < TASKS_PER_REQUEST; i++) {
      if (i % 10 === 0) tasks.add(count, { n: 1 });
      else if (i % 10 === 1) tasks.with({ timeout: '1m' }).add(add, 1);
      else if (i % 10 === 2) tasks.with({ on: 'error' }).add(add, 1);
      else tasks.add(add, 1);
    }
    return 'ok';
  });

const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

await run(total / 10);
const before = await measure();
const started = performance.now();
const cpu = process.cpuUsage();
await run(total);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
const after = await measure();

console.log(
  `${total.toLocaleString('en')} tasks, ${(total / TASKS_PER_REQUEST).toLocaleString('en')} requests, ${CONNECTIONS} connections, Node ${process.versions.node}`,
);
console.log(
  `time          ${seconds.toFixed(1)} s, ${((user + system) / total).toFixed(2)} µs of CPU a task, client and HTTP included`,
);
print('heap', 'bytes', before.heap, after.heap);
print('listeners', '', before.listeners, after.listeners);
print('open scopes', '', before.scopes, after.scopes);
print('timers etc.', '', before.resources, after.resources);
print('pending', '', before.pending, after.pending);

const growth = after.heap - before.heap;
const isLevel =
  growth < MAX_GROWTH_BYTES &&
  after.listeners <= before.listeners &&
  after.resources <= before.resources &&
  after.scopes === 0 &&
  after.pending === 0;
agent.destroy();
await app.close();
if (done !== ((total + total / 10) / 10) * 9) throw new Error(`${done} tasks ran`);
console.log(isLevel ? 'Nothing grew.' : 'Something grew.');
process.exitCode = isLevel ? 0 : 1;

async function run(tasks: number): Promise<void> {
  let left = Math.ceil(tasks / TASKS_PER_REQUEST);
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      if (app.tasks.pending > MAX_PENDING) await app.tasks.settled(); // else they are refused, as they should be
      await request();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  await app.tasks.settled();
}

function request(): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (res) => res.resume().on('end', resolve)).on('error', reject);
  });
}

async function measure() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise(setImmediate);
  }
  const listeners = [...sockets]
    .filter((socket) => !socket.destroyed)
    .flatMap((socket) => socket.eventNames().map((event) => socket.listenerCount(event)))
    .reduce((a, b) => a + b, 0);
  return {
    heap: process.memoryUsage().heapUsed,
    listeners,
    scopes: openScopes,
    resources: process.getActiveResourcesInfo().length,
    pending: app.tasks.pending,
  };
}

function print(what: string, unit: string, from: number, to: number): void {
  const [a, b] = [from, to].map((n) => n.toLocaleString('en'));
  console.log(`${what.padEnd(13)} ${a} → ${b} ${unit}`.trimEnd());
}
