import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { body } from 'thereafter';
import { holdTasks } from 'thereafter/testing';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORIES } from '../src/stories.ts';
import { serveTour, type ServedTour } from './support/serve-tour.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Where CI picks up what a test leaves for people to look at; not in git. */
const ARTEFACTS = join(import.meta.dirname, '../../../test-artefacts');

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const NARROWEST = { width: 360, height: 740 };

describe('the start page', () => {
  it('may load nothing from anywhere else, and says so', async () => {
    await using tour = await serveTour();
    const page = await fetch(tour.url);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none';script-src 'self';style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const html = await page.text();
    expect(html).not.toMatch(/https?:|style="|onclick|<style|<script>/);
    for (const [, address = ''] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      const file = await fetch(`${tour.url}/${address}`);
      expect([address, file.status]).toEqual([address, 200]);
      await file.arrayBuffer();
    }
  });

  it('leaves the docs page its own policy', async () => {
    await using tour = await serveTour();
    const docs = await fetch(`${tour.url}/docs`);
    expect(docs.headers.get('content-security-policy')).toContain(
      "style-src 'self' 'unsafe-inline'",
    );
  });

  it('lists routes that there are', async () => {
    await using tour = await serveTour();
    const { paths } = tour.app.openapi();
    const stories = (await tour.ask('GET', '/stories')) as typeof STORIES;
    expect(stories).toEqual(STORIES);
    for (const { method, path } of stories) {
      const pattern = path.replaceAll(/:(\w+)/g, '{$1}').replace(/\/$/, '');
      expect(paths).toHaveProperty([pattern, method.toLowerCase()]);
    }
  });
});

if (!existsSync(CHROMIUM)) {
  console.warn(
    `SKIPPED: the start page in a browser, because ${CHROMIUM} is not there. Install it with: apt-get install -y --no-install-recommends chromium`,
  );
}

describe.skipIf(!existsSync(CHROMIUM))('the start page in a browser', () => {
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
    mkdirSync(ARTEFACTS, { recursive: true });
  });
  afterAll(() => browser?.close());

  interface Opened extends AsyncDisposable {
    readonly page: Page;
    /** What the browser asked for elsewhere, and what it complained about: a broken policy, a script's error. */
    readonly complaints: string[];
  }

  async function open(
    tour: ServedTour,
    options: Parameters<Browser['newPage']>[0],
  ): Promise<Opened> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(0);
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(tour.url)) complaints.push(request.url());
    });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(tour.url);
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
  }

  const story = (page: Page, name: string): Locator => page.getByRole('listitem', { name });
  const shot = (page: Page, name: string, fullPage = false): Promise<unknown> =>
    page.screenshot({ path: join(ARTEFACTS, `tour-${name}.png`), fullPage });

  /** Left and right end of the bar of a lane, in pixels. */
  async function bar(request: Locator, name: string): Promise<{ left: number; right: number }> {
    const lane = request.locator('.lane').filter({ hasText: name });
    const { x, width } = (await lane.locator('.bar').boundingBox())!; // it is shown
    return { left: x, right: x + width };
  }

  it('shows the response at once, and the tasks as bars after it', async () => {
    await using tour = await serveTour();
    await using opened = await open(tour, { viewport: WIDE });
    const { page, complaints } = opened;
    const held = holdTasks(tour.app);

    const users = story(page, 'Three tasks, in order');
    await users.getByLabel('email').fill('ada@example.com');
    await users.getByLabel('user_id').fill('42');
    await users.getByRole('button', { name: 'Send' }).click();
    await users.getByRole('status').getByText('{"message":"User created"}').waitFor();
    const request = page.locator('#requests .request').filter({ hasText: '/users/' });
    await expect
      .poll(() => request.locator('.length').allTextContents())
      .toEqual([expect.stringMatching(/^[\d.]+ ms$/), 'waiting', 'waiting', 'waiting']);
    expect(tour.logged()).toBe('');

    await held.drain();
    expect(tour.logged()).toBe('log ada@example.com\nemail ada@example.com Welcome!\nstats 42\n');
    await expect.poll(() => request.locator('.lane[data-state="succeeded"]').count()).toBe(4);
    expect(await request.locator('.name').allTextContents()).toEqual([
      'response',
      'writeLog',
      'sendEmail',
      'updateStats',
    ]);
    const response = await bar(request, 'response');
    const [first, second, third] = [
      await bar(request, 'writeLog'),
      await bar(request, 'sendEmail'),
      await bar(request, 'updateStats'),
    ];
    expect(first.left).toBeGreaterThanOrEqual(response.right - 3); // the least width of a bar
    expect(second.left).toBeGreaterThanOrEqual(first.right - 3);
    expect(third.left).toBeGreaterThanOrEqual(second.right - 3);
    expect(complaints).toEqual([]);
  });

  it('works with the keyboard alone, and shows a failure in words and colour', async () => {
    await using tour = await serveTour();
    await using opened = await open(tour, { viewport: WIDE });
    const { page, complaints } = opened;
    const risky = story(page, 'A task that may fail');
    await risky.getByLabel('data').focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('bad');
    await page.keyboard.press('Enter');
    await risky.getByRole('status').getByText('{"message":"Task submitted"}').waitFor();
    const lane = page.locator('#requests .lane').filter({ hasText: 'riskyTask' });
    await lane.getByText(/^failed [\d.]+ ms$/).waitFor();
    await lane.getByText("Error: cannot process 'bad'").waitFor();
    expect(await lane.getAttribute('data-state')).toBe('failed');
    expect(complaints).toEqual([]);
  });

  it('shows what the app says of a wrong input', async () => {
    await using tour = await serveTour();
    await using opened = await open(tour, { viewport: WIDE });
    const { page } = opened;
    const login = story(page, 'Warm the cache');
    await login.getByLabel('user_id').fill('seven');
    await login.getByRole('button', { name: 'Send' }).click();
    await login.locator('.answer-body').waitFor();
    expect(await login.locator('.answer').innerText()).toMatch(
      /^422 in [^]*"pointer": "\/user_id",\s+"message": "must be an integer, got/,
    );
  });

  it('sends a drawing, or a picture that was chosen', async () => {
    await using tour = await serveTour();
    await using opened = await open(tour, { viewport: NARROW });
    const { page, complaints } = opened;
    const upload = story(page, 'Compress an image');
    await upload.getByRole('button', { name: 'Send' }).click();
    await upload.getByText('{"filename":"drawing.png","status":"processing"}').waitFor();
    await upload
      .locator('.lane[data-state="succeeded"]')
      .filter({ hasText: 'compressImage' })
      .waitFor();
    await upload.getByLabel('file').setInputFiles({
      name: 'notes.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('no image'),
    });
    await upload.getByRole('button', { name: 'Send' }).click();
    await upload.getByText('{"filename":"notes.txt","status":"processing"}').waitFor();
    await upload
      .locator('.lane[data-state="failed"]')
      .filter({ hasText: 'compressImage' })
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it('sends a JSON body, for a route whose story has one', async () => {
    await using tour = await serveTour({
      extend: (app) =>
        void app.post('/echo', { in: { sent: body(Type.Any()) } }, ({ sent }) => sent),
    });
    const page = await browser.newPage({ viewport: WIDE });
    page.setDefaultTimeout(0);
    const echo = { method: 'POST', path: '/echo', title: 'Echo', after: '' };
    const fields = [{ name: 'job', in: 'body', type: 'json', value: '{"pages":[1]}' }];
    await page.route('**/stories', (route) => route.fulfill({ json: [{ ...echo, fields }] }));
    await page.goto(tour.url);
    const shown = story(page, 'Echo');
    await shown.getByRole('button', { name: 'Send' }).click();
    await shown.locator('.answer-body').waitFor();
    expect(await shown.locator('.answer-body').innerText()).toBe('{"pages":[1]}');
    await shown.getByLabel('job').fill('{"pages":');
    await shown.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => shown.locator('.answer-head').innerText()).toMatch(/^400 in /);
    await page.close();
  });

  it('shows requests of others, and of before it was opened', async () => {
    await using tour = await serveTour();
    await tour.ask('GET', '/items/');
    await using opened = await open(tour, { viewport: WIDE });
    const { page } = opened;
    const requests = page.locator('#requests .request h3');
    await expect.poll(() => requests.allTextContents()).toEqual(['GET /items/']);
    await tour.ask('POST', '/send-notification/<b>ada@example.com');
    await expect
      .poll(() => requests.allTextContents())
      .toEqual(['POST /send-notification/%3Cb%3Eada@example.com', 'GET /items/']);
  });

  it('keeps the latest 30 requests, those whose tasks still wait included', async () => {
    await using tour = await serveTour();
    await using opened = await open(tour, { viewport: WIDE });
    const { page } = opened;
    const held = holdTasks(tour.app);
    for (let i = 1; i <= 32; i++) {
      await fetch(`${tour.url}/send-notification/${i}`, { method: 'POST' });
    }
    const expected = Array.from({ length: 30 }, (_, i) => `POST /send-notification/${32 - i}`);
    const requests = page.locator('#requests .request h3');
    await expect.poll(() => requests.allTextContents()).toEqual(expected);
    await held.drain();
    await expect
      .poll(() => page.locator('#requests .lane[data-state="succeeded"]').count())
      .toBe(60);
    expect(await requests.allTextContents()).toEqual(expected);
  });

  it.each(['light', 'dark'] as const)('fits every width, in %s', async (colorScheme) => {
    await using tour = await serveTour();
    for (const viewport of [NARROWEST, NARROW, WIDE]) {
      await using opened = await open(tour, { viewport, colorScheme });
      const { page, complaints } = opened;
      for (const name of ['Three tasks, in order', 'A task that may fail', 'A task under watch']) {
        await story(page, name).getByRole('button', { name: 'Send' }).click();
        await story(page, name).locator('.answer-body').waitFor();
      }
      await tour.app.tasks.settled();
      await expect
        .poll(() => page.locator('#requests .lane[data-state="started"]').count())
        .toBe(0);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect(width).toBe(viewport.width);
      const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(background).toBe(colorScheme === 'light' ? 'rgb(250, 249, 246)' : 'rgb(19, 19, 17)');
      await page.evaluate('scrollTo(0, 0)');
      await shot(page, `${colorScheme}-${viewport.width}`, viewport.width < WIDE.width);
      expect(complaints).toEqual([]);
    }
  });
});
