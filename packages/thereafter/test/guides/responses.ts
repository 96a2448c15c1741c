import { EventEmitter, on } from 'node:events';
import { createReadStream } from 'node:fs';
import { createApp, HttpReply, NotFound, path, Problem, redirect, sendFile, sse } from 'thereafter';
import { proxy } from 'thereafter/proxy';
import { Type } from 'typebox';

const User = Type.Object({ id: Type.Integer(), name: Type.String() });
const Pending = Type.Object({ readyIn: Type.Integer() });

const news = new EventEmitter();
export const app = createApp({ logger: false, shutdown: { signals: false } });

app.get('/users/1', { response: User }, () => ({ id: 1, name: 'Ada', passwordHash: 'x' }));

app.get('/report', { response: { 200: User, 202: Pending } }, () => {
  return new HttpReply({ readyIn: 30 }, { status: 202, headers: { 'retry-after': '30' } });
});

app.get('/numbers', async function* () {
  for (let n = 1; n <= 3; n++) yield { n };
});

app.get('/source', () => createReadStream(import.meta.filename));

app.get('/download', () => sendFile(import.meta.filename, { name: 'Übersicht.ts' }));

app.get('/news', () =>
  sse(async function* ({ lastEventId, signal }) {
    yield { event: 'hello', id: '1', data: { after: lastEventId ?? 'nothing' } };
    for await (const [data] of on(news, 'item', { signal })) yield { data };
  }),
);

app.post('/sessions', () => redirect('/users/1'));

app.get('/catalogue/*', ({ ctx }) => {
  return proxy(ctx, process.env['CATALOGUE_URL']!, { timeout: '5s' });
});

class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ available: Type.Integer() }),
}) {}

app.get('/stock/:sku', { in: { sku: path('sku', Type.String()) }, errors: [OutOfStock] }, (v) => {
  if (v.sku === 'none') throw new NotFound(`no ${v.sku} here`);
  throw new OutOfStock({ available: 2 }, 'only two left');
});
