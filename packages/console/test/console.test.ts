import { createApp, Get, Controller, Unauthorized, type Context } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { adminConsole, fromThisMachine } from '../src/index.ts';
import { contextOf, print, serveOffice } from './support/office.ts';

describe('who may see the console', () => {
  const paths = ['/', '', '/page/main.js', '/api/app', '/api/live', '/api/jobs', '/api/nothing'];

  it('nobody, without a word', () => {
    // @ts-expect-error -- authorize is missing
    expect(() => adminConsole({})).toThrow(/adminConsole\(\) wants authorize/);
  });

  it.each([() => false, async () => false, () => undefined, () => ({ name: 'Ada' })])(
    'is refused with 403 unless the answer is true: %s',
    async (authorize) => {
      await using office = await serveOffice({
        console: { authorize: authorize as () => boolean },
      });
      for (const path of paths.slice(0, -1)) {
        const refused = await office.ask('GET', path);
        expect([path, refused.status]).toEqual([path, 403]);
        expect(refused.headers.get('content-type')).toBe('application/problem+json');
        await refused.arrayBuffer();
      }
      const { id } = await office.jobs.enqueue(print, { title: 'one' }, { delay: '1h' });
      expect((await office.ask('POST', `/api/jobs/${id}/remove`)).status).toBe(403);
      expect((await office.ask('POST', `/api/queues/default/pause`)).status).toBe(403);
      expect((await office.jobs.get(id))?.state).toBe('scheduled');
    },
  );

  it('is asked anew for each request, and may answer with a problem of its own', async () => {
    const asked: string[] = [];
    await using office = await serveOffice({
      console: {
        authorize: (ctx) => {
          asked.push(`${ctx.method} ${ctx.url.pathname}`);
          if (ctx.headers.authorization !== 'Bearer right') throw new Unauthorized('Sign in.');
          return ctx.method === 'GET'; // may look, may not steer
        },
      },
    });
    const headers = { authorization: 'Bearer right' };
    expect((await office.ask('GET', '/api/app')).status).toBe(401);
    expect((await office.ask('GET', '/api/app', headers)).status).toBe(200);
    expect((await office.ask('POST', '/api/queues/default/pause', headers)).status).toBe(403);
    expect(asked).toEqual([
      'GET /console/api/app',
      'GET /console/api/app',
      'POST /console/api/queues/default/pause',
    ]);
  });

  it.each([
    ['127.0.0.1', { host: 'localhost:3000' }, true],
    ['127.8.9.1', { host: '127.0.0.1' }, true],
    ['::1', { host: '[::1]:3000' }, true],
    ['::1', { host: 'tour.localhost:3000' }, true],
    ['10.0.0.7', { host: 'localhost:3000' }, false],
    ['fe80::1', { host: 'localhost' }, false],
    ['', { host: 'localhost' }, false],
    // A page whose name was pointed here after it was loaded.
    ['127.0.0.1', { host: 'evil.example:3000' }, false],
    ['127.0.0.1', { host: 'localhost.evil.example' }, false],
    ['127.0.0.1', { host: '' }, false],
    ['127.0.0.1', {}, false],
    ['127.0.0.1', { host: 'localhost', 'x-forwarded-for': '203.0.113.9' }, false],
    ['127.0.0.1', { host: 'localhost', forwarded: 'for=203.0.113.9' }, false],
    ['127.0.0.1', { host: 'localhost', via: '1.1 proxy' }, false],
  ] satisfies [string, Context['headers'], boolean][])(
    'fromThisMachine: %s with %j is %s',
    (address, headers, expected) => {
      expect(fromThisMachine(contextOf(address, headers))).toBe(expected);
    },
  );

  it('fromThisMachine holds on a socket', async () => {
    await using office = await serveOffice({ console: { authorize: fromThisMachine } });
    expect((await office.ask('GET', '/api/app')).status).toBe(200);
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    expect((await office.ask('GET', '/api/app', forwarded)).status).toBe(403);
  });
});

describe('requests that steer', () => {
  it.each([
    ['another site, as browsers say', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling of the site', { 'sec-fetch-site': 'same-site' }, 403],
    ['the address bar', { 'sec-fetch-site': 'none' }, 403],
    ['the page', { 'sec-fetch-site': 'same-origin', origin: 'http://proxied.example' }, 204],
    ['another origin, of a browser that says no more', { origin: 'http://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['no browser', {}, 204],
  ])('from %s', async (_, headers, status) => {
    await using office = await serveOffice();
    const answer = await office.ask('POST', '/api/queues/default/pause', headers);
    expect(answer.status).toBe(status);
    const [queue] = await office.jobs.queues();
    expect(queue).toMatchObject({ name: 'default', isPaused: status === 204 });
    const said = await answer.text();
    expect(said.includes("Only the console's own page may steer")).toBe(status === 403);
  });

  it('from the same origin, of a browser that says no more', async () => {
    await using office = await serveOffice();
    const { origin } = new URL(office.url);
    expect((await office.ask('POST', '/api/queues/default/pause', { origin })).status).toBe(204);
  });

  it('never by GET', async () => {
    await using office = await serveOffice();
    const answer = await office.ask('GET', '/api/queues/default/pause');
    expect([answer.status, answer.headers.get('allow')]).toEqual([
      405,
      expect.stringContaining('POST'),
    ]);
  });
});

describe('jobs in the console', () => {
  it('are listed by state, queue and task, without what may be large', async () => {
    await using office = await serveOffice();
    office.printer.answers.push('jam');
    const { id } = await office.jobs.enqueue(print, { title: 'first' });
    await office.jobs.wait(id);
    const later = await office.jobs.enqueue(print, { title: 'second' }, { delay: '1h' });

    const all: { items: { id: string }[]; next: null } = await office.json('/api/jobs');
    expect(all.items.map((job) => job.id)).toEqual([later.id, id]);
    expect(all.next).toBe(null);
    const failed: { items: object[] } = await office.json(
      '/api/jobs?state=failed&queue=default&task=',
    );
    expect(failed.items).toEqual([
      expect.objectContaining({
        id,
        task: 'print-report',
        state: 'failed',
        attempt: 1,
        error: 'Error: paper jam at <img src=x onerror="alert(1)"> first',
      }),
    ]);
    expect(Object.keys(failed.items[0]!)).not.toContain('payload');
    expect(await office.json('/api/jobs?queue=reports')).toEqual({ items: [], next: null });
    expect(await office.json('/api/jobs?task=another')).toEqual({ items: [], next: null });
    expect(await office.json(`/api/jobs/${id}`)).toMatchObject({
      payload: { title: 'first' },
      result: null,
      errors: [{ name: 'Error', attempt: 1, stack: expect.stringContaining('office.ts') }],
    });
  });

  it('are shown fifty at a time', async () => {
    await using office = await serveOffice();
    const titles = Array.from({ length: 60 }, (_, i) => ({ title: String(i) }));
    const jobs = await office.jobs.enqueueMany(print, titles, { delay: '1h' });
    const page: { items: { id: string }[]; next: string } = await office.json('/api/jobs');
    expect(page.items).toHaveLength(50);
    const rest: { items: { id: string }[] } = await office.json(`/api/jobs?after=${page.next}`);
    const ids = [...page.items, ...rest.items].map(({ id }) => id);
    expect(ids).toEqual(jobs.map(({ id }) => id).toReversed());
  });

  it('are counted by queue, with the schedules', async () => {
    await using office = await serveOffice();
    await office.jobs.enqueue(print, { title: 'later' }, { delay: '1h' });
    const { queues, schedules }: { queues: object[]; schedules: object[] } =
      await office.json('/api/queues');
    expect(queues).toEqual([
      { name: 'default', isPaused: false, counts: expect.objectContaining({ scheduled: 1 }) },
      { name: 'reports', isPaused: false, counts: expect.objectContaining({ scheduled: 0 }) },
    ]);
    expect(schedules).toEqual([
      {
        task: 'nightly-report',
        cron: '0 3 * * *',
        timeZone: 'UTC',
        nextRunAt: expect.stringMatching(/T03:00:00.000Z$/),
      },
    ]);
  });

  it('are retried', async () => {
    await using office = await serveOffice();
    office.printer.answers.push('jam');
    const { id } = await office.jobs.enqueue(print, { title: 'again' });
    expect((await office.jobs.wait(id)).state).toBe('failed');
    const answer = await office.ask('POST', `/api/jobs/${id}/retry`);
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ id })]);
    expect((await office.jobs.wait(id)).state).toBe('completed');
    expect(office.printer.printed).toEqual(['again']);
  });

  it('are cancelled, one that runs by its signal', async () => {
    await using office = await serveOffice();
    const later = await office.jobs.enqueue(print, { title: 'later' }, { delay: '1h' });
    const answer = await office.ask('POST', `/api/jobs/${later.id}/cancel`);
    expect(await answer.json()).toMatchObject({ state: 'cancelled' });

    office.printer.answers.push('hang');
    const { id } = await office.jobs.enqueue(print, { title: 'now' });
    await expect.poll(async () => (await office.jobs.get(id))?.progress).toBe(0.4);
    expect((await office.ask('POST', `/api/jobs/${id}/cancel`)).status).toBe(200);
    expect((await office.jobs.wait(id)).state).toBe('cancelled');
  });

  it('are removed', async () => {
    await using office = await serveOffice();
    const { id } = await office.jobs.enqueue(print, { title: 'later' }, { delay: '1h' });
    expect((await office.ask('POST', `/api/jobs/${id}/remove`)).status).toBe(204);
    expect(await office.jobs.get(id)).toBeUndefined();
  });

  it('say why an action cannot be', async () => {
    await using office = await serveOffice();
    office.printer.answers.push('hang');
    const { id } = await office.jobs.enqueue(print, { title: 'now' });
    await expect.poll(async () => (await office.jobs.get(id))?.progress).toBe(0.4);
    const detail = async (action: string) => {
      const answer = await office.ask('POST', `/api/jobs/${id}/${action}`);
      return [answer.status, ((await answer.json()) as { detail: string }).detail];
    };
    expect(await detail('retry')).toEqual([409, expect.stringContaining('it is running')]);
    expect(await detail('remove')).toEqual([409, expect.stringContaining('it runs. Cancel it')]);
    await office.jobs.cancel(id);
    await office.jobs.wait(id);
    expect(await detail('cancel')).toEqual([
      409,
      expect.stringContaining('it is cancelled already'),
    ]);
    for (const action of ['retry', 'cancel', 'remove']) {
      expect((await office.ask('POST', `/api/jobs/nobody/${action}`)).status).toBe(404);
    }
    expect((await office.ask('GET', '/api/jobs/nobody')).status).toBe(404);
  });

  it.each([
    ['state=lost', '/state'],
    ['state=', '/state'],
    ['state=failed&state=running', '/state'],
    ['queue=a&queue=b', '/queue'],
    ['after=1&after=2', '/after'],
  ])('are not listed by %s', async (query, pointer) => {
    await using office = await serveOffice();
    const answer = await office.ask('GET', `/api/jobs?${query}`);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      errors: [expect.objectContaining({ source: 'query', pointer })],
    });
  });

  it('are fifty at most, whatever a client asks for', async () => {
    await using office = await serveOffice();
    const titles = Array.from({ length: 60 }, (_, i) => ({ title: String(i) }));
    await office.jobs.enqueueMany(print, titles, { delay: '1h' });
    const page: { items: object[] } = await office.json('/api/jobs?limit=60&task=&queue=&after=');
    expect(page.items).toHaveLength(50);
  });

  it('wait while their queue is paused, and go on when it is resumed', async () => {
    await using office = await serveOffice();
    await office.ask('POST', '/api/queues/default/pause');
    const { id } = await office.jobs.enqueue(print, { title: 'soon' });
    expect((await office.jobs.get(id))?.state).toBe('available');
    await office.ask('POST', '/api/queues/default/resume');
    expect((await office.jobs.wait(id)).state).toBe('completed');
    expect((await office.ask('POST', '/api/queues/unknown/pause')).status).toBe(404);
  });

  it('are not there in an app without an engine, which the console says', async () => {
    const app = createApp({ logger: false, shutdown: { signals: false } }).include(
      adminConsole({ authorize: () => true }),
    );
    await using _ = app;
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
    const about = (await (await fetch(`${url}/console/api/app`)).json()) as object;
    expect(about).toMatchObject({ hasJobs: false });
    const jobs = await fetch(`${url}/console/api/jobs`);
    expect(jobs.status).toBe(404);
    expect(await jobs.json()).toMatchObject({
      detail: expect.stringContaining('This app has no durable jobs'),
    });
  });
});

describe('the routes in the console', () => {
  @Controller('/rooms', { documented: false })
  class Rooms {
    @Get('/:id')
    one() {}
  }

  it('are those of the app, hidden ones included, and not its own', async () => {
    await using office = await serveOffice({
      prefix: '/admin',
      extend: (app) => app.include(Rooms),
    });
    const { routes }: { routes: object[] } = await office.json('/api/app');
    expect(routes).toEqual([
      { method: 'POST', path: '/office/notify', handler: 'Office.notify' },
      { method: 'POST', path: '/office/print', handler: 'Office.print' },
      { method: 'GET', path: '/jobs-of-test', handler: 'GET /jobs-of-test' },
      { method: 'GET', path: '/rooms/:id', handler: 'Rooms.one' },
    ]);
    expect(Object.keys(office.app.openapi().paths)).toEqual([
      '/office/notify',
      '/office/print',
      '/jobs-of-test',
    ]);
  });
});

describe('the files of the page', () => {
  it.each(['/console', '/ops/console', '/'])(
    'are found from %s, below any prefix',
    async (path) => {
      const prefix = path === '/ops/console' ? '/ops' : '';
      const at = path === '/' ? '/' : '/console';
      await using office = await serveOffice({ prefix, console: { path: at } });
      const page = await fetch(`${office.url}${path}`); // follows to the one with a slash
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const html = await page.text();
      const addresses = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(
        ([, address]) => address!,
      );
      expect(addresses.length).toBeGreaterThan(2);
      for (const address of addresses) {
        const file = await fetch(new URL(address, page.url));
        expect([address, file.status]).toEqual([address, 200]);
        expect(file.headers.get('content-type')).toMatch(/^(text\/(css|javascript)|image\/svg)/);
        await file.arrayBuffer();
      }
    },
  );

  it('may load nothing from elsewhere and run nothing inline, whatever the app says of its own', async () => {
    await using office = await serveOffice();
    const page = await office.ask('GET', '/');
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(await page.text()).not.toMatch(/https?:|style="|onclick|<style|<script>/);
  });

  it('are sent once', async () => {
    await using office = await serveOffice();
    const file = await office.ask('GET', '/page/style.css');
    const etag = file.headers.get('etag')!;
    const again = await office.ask('GET', '/page/style.css', { 'if-none-match': etag });
    expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'private, no-cache']);
    expect((await office.ask('GET', '/page/constructor')).status).toBe(404);
    expect((await office.ask('GET', '/page/..%2findex.html')).status).toBe(404);
    expect((await office.ask('GET', '/api/app')).headers.get('cache-control')).toBe('no-store');
  });
});
