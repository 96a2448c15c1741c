// Bad requests over raw sockets: `pnpm fuzz`, a minute; `pnpm fuzz --full`, a million malformed and a
// million mutated ones. Fails when the server dies, answers a client's fault with a 5xx, hangs, logs a
// fault of its own, or holds more afterwards than before.
//
//   --malformed N  --mutated N  --slow N  --aborts N   how many of each
//   --seed N                                           sends what an earlier run sent
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createChance, LONG, makeWrong, mutate, uploadHead } from './fuzz-http-requests.ts';
import type { ServerState } from './fuzz-http-server.ts';

/** What the heap of the server may differ between two equal states. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;
/** How long one connection may take until the server has ended it. */
const HUNG_MS = 10_000;
/** Longest wait of a good client while slow ones are connected. */
const MAX_WAIT_MS = 500;
const CONNECTIONS = 100;

/** Where a slow client is: in the request line, in the headers, in the body. */
const SLOW = ['G', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: ', uploadHead(100_000)];

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    malformed: { type: 'string' },
    mutated: { type: 'string' },
    slow: { type: 'string' },
    aborts: { type: 'string' },
    seed: { type: 'string' },
  },
});
const amount = (given: string | undefined, quick: number, full: number): number =>
  given === undefined ? (values.full ? full : quick) : Number(given);
const counts = {
  malformed: amount(values.malformed, 20_000, 1_000_000),
  mutated: amount(values.mutated, 20_000, 1_000_000),
  slow: amount(values.slow, 1000, 9999),
  aborts: amount(values.aborts, 2000, 20_000),
};
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = createChance(seed);
console.log(`seed ${seed}, Node ${process.versions.node}`);

const failures: string[] = [];
const statuses = new Map<number, number>();
const folder = mkdtempSync(join(tmpdir(), 'fuzz-http-'));
const server = fork(new URL('./fuzz-http-server.ts', import.meta.url), {
  env: { ...process.env, TMPDIR: folder },
  execArgv: [...process.execArgv, '--expose-gc'],
});
let isRunning = true;
const died = (code: number | null, signal: NodeJS.Signals | null): void => {
  isRunning = false;
  failures.push(`The server died: ${signal ?? code}.`);
};
server.once('exit', died);
const port = Number(new URL((await reply<{ url: string }>(server)).url).port);

try {
  await repeat(1000, () => exchange(makeWrong(chance))); // so that what is loaded once is there
  await repeat(1000, () => exchange(mutate(chance)));
  await abortAll(200);
  await slowAll(100);
  statuses.clear();
  const before = await state();
  for (const [name, run] of [
    ['malformed', () => repeat(counts.malformed, () => exchange(makeWrong(chance)))],
    ['mutated', () => repeat(counts.mutated, () => exchange(mutate(chance)))],
    ['slow', () => slowAll(counts.slow)],
    ['aborts', () => abortAll(counts.aborts)],
  ] as const) {
    const startedAtMs = performance.now();
    const told = await run();
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`${counts[name].toLocaleString('en')} ${name}: ${seconds} s${told ?? ''}`);
    compare(name, before, await state());
  }
} finally {
  if (isRunning) {
    server.off('exit', died).kill('SIGKILL');
    await once(server, 'exit');
  }
  rmSync(folder, { recursive: true });
}
const answers = [...statuses].toSorted(([a], [b]) => a - b).map(([code, n]) => `${code}: ${n}`);
console.log(`answers ${answers.join(', ')}`);
console.log(failures.length === 0 ? 'No fault was found.' : failures.slice(0, 20).join('\n\n'));
process.exitCode = failures.length === 0 ? 0 : 1;

/** Runs something so many times, on some connections at once, while the server lives. */
async function repeat(times: number, run: () => Promise<void>): Promise<undefined> {
  let left = times;
  const one = async (): Promise<void> => {
    while (left-- > 0 && isRunning) await run();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  return undefined;
}

/** Sends bytes, waits for answers, and judges them. */
async function exchange(bytes: Buffer): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  socket.on('error', () => undefined); // a connection that is cut is an answer too
  socket.on('data', (chunk: Buffer) => {
    if (received.length < 100_000) received += chunk.toString('latin1');
  });
  const patience = setTimeout(() => {
    failures.push(`No end after ${HUNG_MS} ms: ${JSON.stringify(bytes.toString('latin1'))}`);
    socket.destroy();
  }, HUNG_MS);
  // Nothing more comes from this client; what is half sent can be given up.
  const leave = setTimeout(() => socket.end(), 30);
  socket.write(bytes);
  socket.once('data', () => setTimeout(() => socket.end(), 5));
  await once(socket, 'close');
  clearTimeout(patience);
  clearTimeout(leave);
  for (const [, code] of received.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
    const status = Number(code);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 500 && status !== 501) {
      failures.push(`A ${status} for ${JSON.stringify(bytes.toString('latin1'))}`);
    }
  }
}

/** Many clients that send a head byte by byte, and one that wants an answer meanwhile. */
async function slowAll(count: number): Promise<string> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 100) {
    const some = Array.from({ length: Math.min(100, count - i) }, async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(chance.pick(SLOW));
      sockets.push(socket);
    });
    await Promise.all(some);
  }
  const feeding = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('1');
  }, 1000);
  let longestMs = 0;
  for (let i = 0; i < 200; i++) {
    const startedAtMs = performance.now();
    await exchange(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`));
    longestMs = Math.max(longestMs, performance.now() - startedAtMs);
  }
  clearInterval(feeding);
  const open = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) socket.resetAndDestroy();
  if (longestMs > MAX_WAIT_MS) failures.push(`Slow clients made another wait ${longestMs} ms.`);
  return `, ${open} of them still open, another waited at most ${longestMs.toFixed(0)} ms`;
}

/** Clients that leave in the middle of what they send or are sent. */
async function abortAll(count: number): Promise<undefined> {
  return repeat(count, async () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const bytes = chance.pick(LONG);
    // Half of them leave while they are answered.
    const cut = chance.next() < 0.5 ? bytes.length : chance.between(1, bytes.length);
    socket.write(bytes.subarray(0, cut));
    if (chance.next() < 0.5)
      await Promise.race([once(socket, 'data'), once(socket, 'close'), tick()]);
    if (chance.next() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
  });
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, chance.between(0, 20)));
}

/** What the server holds, once it is at rest. */
async function state(): Promise<ServerState> {
  if (!isRunning) throw new Error(failures.join('\n'));
  server.send('state');
  return reply<ServerState>(server);
}

async function reply<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [T];
  return message;
}

function compare(name: string, before: ServerState, after: ServerState): void {
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log(
    `  heap ${mib(before.heapBytes)} → ${mib(after.heapBytes)}, rss ${mib(before.rssBytes)} → ` +
      `${mib(after.rssBytes)}, descriptors ${before.descriptors} → ${after.descriptors}`,
  );
  const say = (what: string): void => void failures.push(`After ${name}: ${what}`);
  if (after.heapBytes - before.heapBytes > MAX_GROWTH_BYTES) say('the heap has grown.');
  if ((after.descriptors ?? 0) > (before.descriptors ?? 0)) say('there are more descriptors.');
  if (after.sockets > 0) say(`${after.sockets} sockets are open.`);
  if (after.pendingTasks > 0) say(`${after.pendingTasks} tasks are pending.`);
  if (after.uploads > 0) say(`${after.uploads} temporary files are left.`);
  for (const fault of after.faults) say(`logged ${fault}`);
}
