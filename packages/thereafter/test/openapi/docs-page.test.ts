import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Controller, createApp, Get, NotFound, Post, Query, type App } from 'thereafter';
import { compress } from 'thereafter/compress';
import { cors } from 'thereafter/cors';
import { etag } from 'thereafter/etag';
import { securityHeaders } from 'thereafter/security-headers';
import { chromium, type Browser, type Page } from 'playwright-core';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

@Controller('/greetings', { tags: ['greetings'] })
class Greetings {
  @Get('/', {
    summary: 'Say hello',
    response: Type.Object({ text: Type.String() }),
    errors: [NotFound],
  })
  hello(@Query('name', Type.String({ default: 'Ada' })) name: string) {
    return { text: `Hello ${name}` };
  }

  @Post('/', { summary: 'Keep a greeting' })
  keep() {}
}

const greetings = (options = {}): App =>
  createApp({ title: 'Greetings', ...QUIET, ...options }).include(Greetings);

describe('the docs routes', () => {
  it('serve the document and the page, and are not in the document', async () => {
    const app = greetings();
    const expected = app.openapi();
    await using server = await serve(app);
    const document = await server.fetch('/openapi.json');
    expect(document.headers.get('content-type')).toBe('application/json');
    expect(await document.json()).toEqual(expected);
    expect(Object.keys(expected.paths)).toEqual(['/greetings']);

    const page = await server.fetch('/docs');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await page.text();
    for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      if (address === 'data:,') continue;
      const file = await server.fetch(new URL(address, 'http://x/docs').pathname);
      expect([address, file.status]).toEqual([address, 200]);
      await file.arrayBuffer();
    }
  });

  it('send a large file compressed, and once', async () => {
    await using server = await serve(greetings());
    const file = await server.fetch('/docs/swagger-ui.css');
    expect(file.headers.get('content-encoding')).toBe('gzip');
    expect(await file.text()).toContain('.swagger-ui');
    const etag = file.headers.get('etag')!;
    const again = await server.fetch('/docs/swagger-ui.css', {
      headers: { 'if-none-match': etag },
    });
    expect(again.status).toBe(304);
    const plain = await server.fetch('/docs/swagger-ui.css', {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(plain.headers.get('content-encoding')).toBe(null);
    expect(await plain.text()).toContain('.swagger-ui');
  });

  it('allow nothing to be loaded from anywhere else', async () => {
    await using server = await serve(greetings());
    const page = await server.fetch('/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).not.toMatch(/https?:/);
    const start = await (await server.fetch('/docs/start.js')).text();
    expect(start).toContain('"validatorUrl":null');
    expect(start).not.toMatch(/https?:/);
  });

  it('can stand at another path, below a prefix that a proxy cuts off', async () => {
    await using server = await serve(greetings({ docs: '/internal/reference/' }));
    expect((await server.fetch('/docs')).status).toBe(404);
    const html = await (await server.fetch('/internal/reference')).text();
    expect(html).toContain('src="reference/start.js"');
    const start = await (await server.fetch('/internal/reference/start.js')).text();
    expect(start).toContain('"url":"../openapi.json"');
    const slash = await server.fetch('/internal/reference/', { redirect: 'manual' });
    expect([slash.status, slash.headers.get('location')]).toEqual([308, '../reference']);
  });

  it('are off with docs: false', async () => {
    await using server = await serve(greetings({ docs: false }));
    expect((await server.fetch('/docs')).status).toBe(404);
    expect((await server.fetch('/openapi.json')).status).toBe(404);
  });

  it('give way to routes of the app at the default paths', async () => {
    const app = greetings()
      .get('/docs', () => 'mine')
      .get('/openapi.json', () => 'mine too');
    await using server = await serve(app);
    expect(await (await server.fetch('/docs')).text()).toBe('mine');
    expect(await (await server.fetch('/openapi.json')).text()).toBe('mine too');
    expect((await server.fetch('/docs/start.js')).status).toBe(404);
  });

  it('give way to a wildcard of the app below /docs', async () => {
    await using server = await serve(greetings().get('/docs/*', () => 'a folder'));
    expect(await (await server.fetch('/docs/start.js')).text()).toBe('a folder');
    expect((await server.fetch('/openapi.json')).status).toBe(200);
  });

  it('stand before a wildcard that would match them too', async () => {
    await using server = await serve(greetings().get('/*', () => 'any page'));
    expect(await (await server.fetch('/docs')).text()).toContain('start.js');
    expect(await (await server.fetch('/other')).text()).toBe('any page');
  });

  it('are a conflict with a route at a path that was asked for', async () => {
    const app = greetings({ docs: '/greetings' });
    await expect(app.listen({ port: 0 })).rejects.toThrow(
      /GET \/greetings is declared twice.*Greetings\.hello and the docs page/,
    );
  });
});

const CHROMIUM = '/usr/bin/chromium';
/** Where CI picks up what a test leaves for people to look at; not in git. */
const ARTEFACTS = join(import.meta.dirname, '../../../../test-artefacts');

if (!existsSync(CHROMIUM)) {
  console.warn(
    `SKIPPED: the docs page in a browser, because ${CHROMIUM} is not there. Install it with: apt-get install -y --no-install-recommends chromium`,
  );
}

describe.skipIf(!existsSync(CHROMIUM))('the docs page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      timeout: 0, // however busy the machine is
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage',
      ],
    });
  });
  afterAll(() => browser?.close());

  async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(0);
    return page;
  }

  it('lists the operations, executes one, and talks to nobody but the app', async () => {
    await using server = await serve(greetings());
    const page = await open({ viewport: { width: 1200, height: 1500 } });
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));

    await page.goto(`${server.url}/docs`);
    const operations = page.locator('.opblock');
    await operations.first().waitFor();
    expect(await operations.locator('.opblock-summary-description').allTextContents()).toEqual([
      'Say hello',
      'Keep a greeting',
    ]);
    await operations.first().locator('.opblock-summary').click();
    await page.getByPlaceholder('name').fill('Grace');
    await page.getByRole('button', { name: 'Execute' }).click();
    const answer = page.locator('.live-responses-table .response-col_description code').first();
    await answer.waitFor();
    expect(JSON.parse(await answer.innerText())).toEqual({ text: 'Hello Grace' });

    mkdirSync(ARTEFACTS, { recursive: true });
    await page.screenshot({ path: join(ARTEFACTS, 'docs-page.png') });
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual(
      [],
    );
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('works beside middleware that sets headers of its own for browsers', async () => {
    const app = greetings()
      .use(securityHeaders())
      .use(cors({ origin: ['https://other.example'] }))
      .use(compress({ minBytes: 1 }))
      .use(etag());
    await using server = await serve(app);
    const page = await open();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const { headers } = await get(server, '/docs');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'/); // the page's own
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    await page.goto(`${server.url}/docs`);
    await page.locator('.opblock-summary').first().click();
    await page.getByRole('button', { name: 'Execute' }).click();
    const answer = page.locator('.live-responses-table .response-col_description code').first();
    expect(JSON.parse(await answer.innerText())).toEqual({ text: 'Hello Ada' });
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('asks the server that is chosen, where the app names several', async () => {
    await using other = await serve(greetings().use(cors({ origin: '*' })));
    const servers = [{ url: '.' }, { url: other.url, description: 'The other one' }];
    await using server = await serve(greetings({ openapi: { servers } }));
    const page = await open();
    await page.goto(`${server.url}/docs`);
    await page.locator('.servers select').selectOption(other.url);
    await page.locator('.opblock-summary').first().click();
    const executed = page.waitForResponse((response) => response.url().includes('name=Ada'));
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await executed).url()).toBe(`${other.url}/greetings?name=Ada`);
    const answer = page.locator('.live-responses-table .response-col_description code').first();
    expect(JSON.parse(await answer.innerText())).toEqual({ text: 'Hello Ada' });
    await page.close();
  });

  it('executes an operation behind a proxy that cuts a prefix off', async () => {
    await using server = await serve(greetings());
    await using proxy = await cutPrefix('/cut', server.port);
    const page = await open();
    await page.goto(`${proxy.url}/cut/docs`);
    await page.locator('.opblock-summary').first().click();
    const executed = page.waitForRequest((request) => request.url().includes('name=Ada'));
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await executed).url()).toBe(`${proxy.url}/cut/greetings?name=Ada`);
    await page.close();
  });
});

/** A proxy as many stand before an app: `/cut/docs` outside is `/docs` inside. */
async function cutPrefix(
  prefix: string,
  port: number,
): Promise<AsyncDisposable & { readonly url: string }> {
  const proxy = createServer((req, res) => {
    const path = req.url!.slice(prefix.length);
    const { method, headers } = req;
    req.pipe(
      request({ host: '127.0.0.1', port, path, method, headers }, (inner) => {
        res.writeHead(inner.statusCode!, inner.headers);
        inner.pipe(res);
      }),
    );
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(proxy, 'close');
      proxy.close();
      proxy.closeAllConnections();
      await closed;
    },
  };
}
