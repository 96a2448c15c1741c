// The app that fuzz-http.ts talks to, in a process of its own: every kind of input and of answer. It
// tells its parent where it listens and, when asked, what it holds.
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  body,
  cookie,
  createApp,
  file,
  form,
  header,
  path,
  query,
  redirect,
  sendFile,
  sse,
  type AppLog,
} from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { compress } from 'thereafter/compress';
import { getCookie, setCookie, signedCookies } from 'thereafter/cookies';
import { cors } from 'thereafter/cors';
import { etag } from 'thereafter/etag';
import { requestId } from 'thereafter/request-id';
import { securityHeaders } from 'thereafter/security-headers';
import { staticFiles } from 'thereafter/static';
import { Type } from 'typebox';

/** What the server holds once everything that was asked of it is over. */
export interface ServerState {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Open files and sockets; undefined where the system does not tell. */
  readonly descriptors: number | undefined;
  readonly sockets: number;
  readonly pendingTasks: number;
  /** Temporary files of uploads. */
  readonly uploads: number;
  /** What was logged as a fault of the server since it was asked last. */
  readonly faults: readonly string[];
}

const faults: string[] = [];
const log: AppLog = {
  info: () => undefined,
  error: (fields) => {
    const { err } = fields as { err?: unknown };
    faults.push(err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields));
  },
  child: () => log,
};

const Item = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 80 }),
  email: Type.Optional(Type.String({ format: 'email' })),
  tags: Type.Array(Type.String(), { maxItems: 10, default: [] }),
  size: Type.Union([Type.Integer(), Type.Literal('large')]),
});
const signed = signedCookies(['a key for nothing but this program']);

const app = createApp({ logger: log, limits: { compressedBodies: true }, trustProxy: 1 })
  .use(requestId({ trust: true }))
  .use(accessLog())
  .use(securityHeaders())
  .use(cors({ origin: ['https://app.example'], credentials: true }))
  .use(compress({ minBytes: 1 }))
  .use(etag())
  .use(staticFiles(new URL('../docs/', import.meta.url), { prefix: '/static' }))
  .get('/', () => 'home')
  .get(
    '/items/:id',
    {
      in: {
        id: path('id', Type.Integer()),
        page: query(Type.Object({ limit: Type.Integer({ default: 20, maximum: 100 }) })),
        tags: query('tag', Type.Array(Type.String(), { default: [] })),
        agent: header('user-agent', Type.Optional(Type.String({ maxLength: 200 }))),
        theme: cookie('theme', Type.Optional(Type.Enum(['dark', 'light']))),
      },
    },
    ({ ctx, id, page, tags, theme }) => {
      setCookie(ctx, 'seen', String(id));
      signed.set(ctx, 'by', getCookie(ctx, 'who') ?? signed.get(ctx, 'by') ?? 'nobody');
      return { id, page, tags, theme, url: ctx.url.href, from: ctx.clientAddress };
    },
  )
  .post('/items', { in: { item: body(Item) }, response: Item, status: 201 }, ({ ctx, item }) => {
    ctx.tasks.add((name: string) => name.length, item.name);
    return item;
  })
  .post('/forms', { in: { item: form(Type.Object({ name: Type.String() })) } }, (v) => v.item)
  .post(
    '/uploads',
    { in: { upload: file('file'), note: form('note', Type.Optional(Type.String())) } },
    ({ ctx, upload }) => {
      ctx.tasks.add(async () => void (await upload.bytes()));
      return { name: upload.name, size: upload.size };
    },
  )
  .post('/parts', { in: { parts: form.parts() } }, async ({ parts }) => {
    let count = 0;
    for await (const { stream } of parts) for await (const _ of stream) count += 1;
    return count;
  })
  .post('/texts', { in: { text: body.text() } }, ({ text }) => text)
  .post('/streams', { in: { stream: body.stream() } }, async ({ stream }) => {
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.length;
    return bytes;
  })
  .get('/events', () =>
    sse(async function* ({ lastEventId }) {
      yield { event: 'hello', id: '1', data: { after: lastEventId } };
    }),
  )
  .get('/open-events', () => sse(({ send }) => send({ data: 'open' })))
  .get('/lines', async function* () {
    for (let n = 1; n <= 3; n++) yield { n };
  })
  .get('/file', () => sendFile(import.meta.filename, { name: 'ä.ts' }))
  .get('/big', () => Buffer.alloc(4 * 1024 * 1024))
  .get('/slow', async ({ ctx }) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { isGone: ctx.signal.aborted };
  })
  .get('/go', { in: { to: query('to', Type.String()) } }, ({ to }) => redirect(to));

const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
process.send!({ url });
process.on('message', () => void settle().then((state) => process.send!(state)));

/** Waits for what is under way, for as long as that takes less than the parent waits. */
async function settle(): Promise<ServerState> {
  const untilMs = performance.now() + 5000;
  while (performance.now() < untilMs && (openSockets() > 0 || app.tasks.pending > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (let i = 0; i < 5; i++) {
    global.gc!(); // the parent exposes it
    await new Promise(setImmediate);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    rssBytes: rss,
    descriptors: existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : undefined,
    sockets: openSockets(),
    pendingTasks: app.tasks.pending,
    uploads: uploads().length,
    faults: faults.splice(0),
  };
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

/** The parent gives this process a temporary folder of its own. */
function uploads(): string[] {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith('thereafter-'));
  return folders.flatMap((folder) => readdirSync(join(tmpdir(), folder)));
}
