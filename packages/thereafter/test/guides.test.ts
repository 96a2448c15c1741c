import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it, vi } from 'vitest';
import { app } from './guides/responses.ts';
import { QUIET, serve } from './support/serve.ts';

const here = import.meta.dirname;
const listing = (name: string): string => readFileSync(join(here, 'guides', name), 'utf8');

describe('the guides', () => {
  it.each(['responses', 'testing'])('%s.md shows code that is run here', (name) => {
    const guide = readFileSync(join(here, '../../../docs/guides', `${name}.md`), 'utf8');
    const shown = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
    expect(shown.length).toBeGreaterThan(2);
    for (const code of shown) expect(listing(`${name}.ts`)).toContain(code);
  });

  it('responses: each route answers as the guide says', async () => {
    await using t = await testApp(app).start();
    expect(await (await t.get('/users/1')).json()).toEqual({ id: 1, name: 'Ada' });

    const report = await t.get('/report');
    expect(report.status).toBe(202);
    expect(await report.json()).toEqual({ readyIn: 30 });

    expect(await (await t.get('/numbers')).text()).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
    expect(await (await t.get('/source')).text()).toBe(listing('responses.ts'));

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
    await using upstream = await serve(catalogue);
    vi.stubEnv('CATALOGUE_URL', upstream.url);
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

  it('testing: the listing passes under node --test', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--conditions=thereafter-source',
        '--import',
        join(here, '../../cli/src/register.ts'),
        '--test',
        join(here, 'guides/testing.ts'),
      ],
      { env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toMatch(/pass 3\b/);
  });
});
