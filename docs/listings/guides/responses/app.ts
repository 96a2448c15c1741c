import { EventEmitter, on } from 'node:events';
import { createReadStream } from 'node:fs';
import { createApp, HttpReply, NotFound, path, Problem, redirect, sendFile, sse } from 'thereafter';
import { proxy } from 'thereafter/proxy';
import { Type } from 'typebox';

// #region user
const User = Type.Object({ id: Type.Integer(), name: Type.String() });
// #endregion
const Pending = Type.Object({ readyIn: Type.Integer() });

const news = new EventEmitter();
export const app = createApp({ logger: false, shutdown: { signals: false } });

// #region users
app.get('/users/1', { response: User }, () => ({ id: 1, name: 'Ada', passwordHash: 'x' }));
// #endregion

// #region report
app.get('/report', { response: { 200: User, 202: Pending } }, () => {
  return new HttpReply({ readyIn: 30 }, { status: 202, headers: { 'retry-after': '30' } });
});
// #endregion

// #region numbers
app.get('/numbers', async function* () {
  for (let n = 1; n <= 3; n++) yield { n };
});
// #endregion

// #region source
app.get('/source', () => createReadStream(import.meta.filename));
// #endregion

// #region download
app.get('/download', () => sendFile(import.meta.filename, { name: 'Übersicht.ts' }));
// #endregion

// #region news
app.get('/news', () =>
  sse(async function* ({ lastEventId, signal }) {
    yield { event: 'hello', id: '1', data: { after: lastEventId ?? 'nothing' } };
    for await (const [data] of on(news, 'item', { signal })) yield { data };
  }),
);
// #endregion

// #region sessions
app.post('/sessions', () => redirect('/users/1'));
// #endregion

// #region catalogue
app.get('/catalogue/*', ({ ctx }) => {
  return proxy(ctx, process.env['CATALOGUE_URL']!, { timeout: '5s' });
});
// #endregion

// #region out-of-stock
class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ available: Type.Integer() }),
}) {}
// #endregion

// #region stock
app.get('/stock/:sku', { in: { sku: path('sku', Type.String()) }, errors: [OutOfStock] }, (v) => {
  if (v.sku === 'none') throw new NotFound(`no ${v.sku} here`);
  throw new OutOfStock({ available: 2 }, 'only two left');
});
// #endregion
