import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { expect, it, vi } from 'vitest';
import { app } from '../../listings/guides/responses/app.ts';
import { docs } from '../support/page.ts';
import { QUIET } from '../support/quiet.ts';

it('each route of the guide to responses answers as it says', async () => {
  await using t = await testApp(app).start();
  expect(await (await t.get('/users/1')).json()).toEqual({ id: 1, name: 'Ada' });

  const report = await t.get('/report');
  expect(report.status).toBe(202);
  expect(await report.json()).toEqual({ readyIn: 30 });

  expect(await (await t.get('/numbers')).text()).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
  const source = readFileSync(join(docs, 'listings/guides/responses/app.ts'), 'utf8');
  expect(await (await t.get('/source')).text()).toBe(source);

  const part = await t.get('/download', { headers: { range: 'bytes=0-5' } });
  expect(part.status).toBe(206);
  expect(part.headers.get('content-disposition')).toContain('%C3%9Cbersicht.ts');
  expect(await part.text()).toBe('import');

  const leaving = new AbortController();
  const news = await t.get('/news', { signal: leaving.signal });
  const reader = news.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('data')) text += (await reader.read()).value;
  expect(text).toContain('event: hello\nid: 1\ndata: {"after":"nothing"}\n\n');
  leaving.abort();

  const catalogue = createApp(QUIET).get('/*', ({ ctx }) => ctx.url.pathname + ctx.url.search);
  const { url } = await catalogue.listen({ port: 0, host: '127.0.0.1' });
  await using _ = catalogue;
  vi.stubEnv('CATALOGUE_URL', url);
  expect(await (await t.get('/catalogue/books?page=2')).text()).toBe('/catalogue/books?page=2');
  vi.unstubAllEnvs();

  const moved = await t.post('/sessions');
  expect([moved.status, moved.headers.get('location')]).toEqual([303, '/users/1']);

  expect((await t.get('/stock/none')).status).toBe(404);
  expect(await (await t.get('/stock/book')).json()).toMatchObject({
    title: 'Out of stock',
    detail: 'only two left',
    available: 2,
  });
});
