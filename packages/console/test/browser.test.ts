import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { holdTasks } from 'thereafter/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { print, serveOffice, type ServedOffice } from './support/office.ts';

const CHROMIUM = '/usr/bin/chromium';
/** Where CI picks up what a test leaves for people to look at; not in git. */
const ARTEFACTS = join(import.meta.dirname, '../../../test-artefacts');

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const NARROWEST = { width: 360, height: 740 };

if (!existsSync(CHROMIUM)) {
  console.warn(
    `SKIPPED: the console in a browser, because ${CHROMIUM} is not there. Install it with: apt-get install -y --no-install-recommends chromium`,
  );
}

describe.skipIf(!existsSync(CHROMIUM))('the console in a browser', () => {
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
    office: ServedOffice,
    hash = '',
    options: Parameters<Browser['newPage']>[0] = { viewport: WIDE },
  ): Promise<Opened> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(0);
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(office.url)) complaints.push(request.url());
    });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    await page.goto(`${office.url}/console${hash}`);
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
  }

  const rows = (page: Page, list: 'task' | 'job'): Locator => page.locator(`#${list}-list > li`);
  const states = (page: Page, list: 'task' | 'job'): Promise<string[]> =>
    rows(page, list).locator('.state').allTextContents();
  const notify = (office: ServedOffice, name: string): Promise<Response> =>
    fetch(`${office.url}/office/notify?name=${encodeURIComponent(name)}`, { method: 'POST' });

  it('shows tasks as they happen, and why one has failed', async () => {
    await using office = await serveOffice();
    await using opened = await open(office);
    const { page, complaints } = opened;
    await page.getByText('No task so far').waitFor();
    const held = holdTasks(office.app);
    await notify(office, 'Ada');
    await notify(office, 'bad <b>Eve</b>');
    await expect.poll(() => states(page, 'task')).toEqual(['waiting', 'waiting']);
    await held.drain();
    await expect.poll(() => states(page, 'task')).toEqual(['failed', 'succeeded']);

    const failed = rows(page, 'task').first();
    await failed.getByText("Error: cannot greet 'bad <b>Eve</b>'").waitFor();
    await failed.locator('summary').focus();
    await page.keyboard.press('Enter');
    await failed.getByText(/office\.ts:\d+/).waitFor();
    await failed.getByText('[cause]: Error: shy').waitFor();

    await page.getByRole('button', { name: /^Failed\s+1$/ }).click();
    await expect.poll(() => states(page, 'task')).toEqual(['failed']);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('nothing like it');
    await page.getByText('No task fits the filter.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows a job that failed, and retries it', async () => {
    await using office = await serveOffice();
    await using opened = await open(office, '#/jobs');
    const { page, complaints } = opened;
    await page.getByText('The store has no job.').waitFor();
    office.printer.answers.push('jam');
    await fetch(`${office.url}/office/print?title=Q3`, { method: 'POST' });
    await expect.poll(() => states(page, 'job')).toEqual(['failed']);

    await page.getByRole('link', { name: /^Failed\s+1$/ }).click();
    const job = rows(page, 'job').first();
    await job.getByText('Error: paper jam at <img src=x onerror="alert(1)"> Q3').waitFor();
    await job.getByRole('link', { name: 'print-report' }).click();
    const sheet = page.getByRole('dialog', { name: 'print-report' });
    await sheet.getByText('"title": "Q3"').waitFor();
    await sheet
      .getByText(/at .*office\.ts:\d+/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
    expect(new URL(page.url()).hash).toBe('#/jobs?state=failed');

    await job.getByRole('button', { name: /^Retry/ }).click();
    await expect.poll(() => states(page, 'job')).toEqual([]);
    await page.getByRole('link', { name: /^Completed\s+1$/ }).click();
    await expect.poll(() => states(page, 'job')).toEqual(['completed']);
    expect(office.printer.printed).toEqual(['Q3']);
    expect(complaints).toEqual([]);
  });

  it('retries all that it shows of those that failed', async () => {
    await using office = await serveOffice();
    office.printer.answers.push('jam', 'jam', 'jam');
    for (const title of ['one', 'two', 'three']) {
      await office.jobs.wait((await office.jobs.enqueue(print, { title })).id);
    }
    await using opened = await open(office, '#/jobs');
    const { page, complaints } = opened;
    await expect.poll(() => states(page, 'job')).toEqual(['failed', 'failed', 'failed']);
    expect(await page.getByRole('button', { name: /^Retry these/ }).count()).toBe(0);
    await page.getByRole('link', { name: /^Failed\s+3$/ }).click();
    await page.getByRole('button', { name: 'Retry these 3' }).click();
    await page.getByText('3 jobs put back.').waitFor();
    await page.getByText('No job fits the filter.').waitFor();
    await expect.poll(() => office.printer.printed.toSorted()).toEqual(['one', 'three', 'two']);
    expect(complaints).toEqual([]);
  });

  it('cancels a job that runs, from its own page, which follows its progress', async () => {
    await using office = await serveOffice();
    office.printer.answers.push('hang');
    const { id } = await office.jobs.enqueue(print, { title: 'endless' });
    await expect.poll(async () => (await office.jobs.get(id))?.progress).toBe(0.4);
    await using opened = await open(office, `#/jobs/${id}`);
    const { page, complaints } = opened;
    const sheet = page.getByRole('dialog', { name: 'print-report' });
    await sheet.getByText('40 %').waitFor();
    await sheet.getByRole('button', { name: /^Cancel/ }).click();
    await sheet.locator('.state').getByText('cancelled').waitFor();
    expect((await office.jobs.get(id))?.state).toBe('cancelled');

    await sheet.getByRole('button', { name: /^Remove/ }).click();
    expect(await office.jobs.get(id)).toBeDefined();
    await sheet.getByText('Remove for good?').click();
    await sheet.waitFor({ state: 'hidden' });
    expect(await office.jobs.get(id)).toBeUndefined();
    await page.getByText('The store has no job.').waitFor();
    // The page may have asked how the job is when it was being removed: then it is not found.
    expect(complaints.filter((text) => !text.includes('404 (Not Found)'))).toEqual([]);
  });

  it('pauses a queue and lets it go on, with the keyboard alone', async () => {
    await using office = await serveOffice();
    await using opened = await open(office, '#/jobs');
    const { page, complaints } = opened;
    await page.getByRole('button', { name: 'Pause queue default' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resume queue default' }).waitFor();
    const { id } = await office.jobs.enqueue(print, { title: 'soon' });
    await expect.poll(() => states(page, 'job')).toEqual(['available']);
    await page.keyboard.press('Enter'); // the button has kept the focus
    await office.jobs.wait(id);
    await expect.poll(() => states(page, 'job')).toEqual(['completed']);
    expect(complaints).toEqual([]);
  });

  it('turns pages, and narrows down by queue and task', async () => {
    await using office = await serveOffice();
    const titles = Array.from({ length: 60 }, (_, i) => ({ title: String(i) }));
    await office.jobs.enqueueMany(print, titles, { delay: '1h' });
    await using opened = await open(office, '#/jobs');
    const { page, complaints } = opened;
    await expect.poll(() => rows(page, 'job').count()).toBe(50);
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(() => rows(page, 'job').count()).toBe(10);
    await page.getByRole('button', { name: 'Newer' }).click();
    await expect.poll(() => rows(page, 'job').count()).toBe(50);
    await page.getByRole('combobox', { name: 'Queue' }).selectOption('reports');
    await page.getByText('No job fits the filter.').waitFor();
    await page.getByRole('combobox', { name: 'Queue' }).selectOption('default');
    await page.getByRole('searchbox', { name: 'Task' }).fill('print-report');
    await page.keyboard.press('Enter');
    await expect.poll(() => rows(page, 'job').count()).toBe(50);
    expect(new URL(page.url()).hash).toBe('#/jobs?queue=default&task=print-report');
    expect(complaints).toEqual([]);
  });

  it('lists the routes', async () => {
    await using office = await serveOffice();
    await using opened = await open(office, '#/routes');
    const { page } = opened;
    await page.getByText('3 routes').waitFor();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('office.print');
    await page.getByText('1 route', { exact: true }).waitFor();
    expect(await page.locator('#route-list .path:visible').allTextContents()).toEqual([
      '/office/print',
    ]);
  });

  it('says when it was refused, and when the app is gone', async () => {
    let isOpen = true;
    await using office = await serveOffice({ console: { authorize: () => isOpen } });
    await using opened = await open(office, '#/jobs');
    const { page } = opened;
    isOpen = false;
    await page.getByRole('button', { name: 'Pause queue default' }).click();
    await page.getByText('The console is not open to you').waitFor();
    expect((await office.jobs.queues())[0]).toMatchObject({ name: 'default', isPaused: false });
    await office.app.close();
    await page
      .getByRole('status')
      .getByText(/connecting again|not connected/)
      .waitFor();
  });

  it.each(['light', 'dark'] as const)('fits every width, in %s', async (colorScheme) => {
    await using office = await serveOffice({ console: { title: 'Office' } });
    await fill(office);
    await using opened = await open(office, '', { viewport: WIDE, colorScheme });
    const { page, complaints } = opened;
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(colorScheme === 'light' ? 'rgb(250, 249, 246)' : 'rgb(19, 19, 17)');
    const shots = async (name: string): Promise<void> => {
      for (const viewport of [NARROWEST, NARROW, WIDE]) {
        await page.setViewportSize(viewport);
        const width = await page.evaluate('document.documentElement.scrollWidth');
        expect(width).toBeLessThanOrEqual(viewport.width);
        const file = `console-${name}-${colorScheme}-${viewport.width}.png`;
        await page.screenshot({ path: join(ARTEFACTS, file) });
      }
    };
    await expect.poll(() => rows(page, 'task').count()).toBe(9);
    await rows(page, 'task').filter({ hasText: 'bad' }).first().locator('summary').click();
    await page.getByText('[cause]: Error: shy').waitFor();
    await shots('tasks');
    await page.getByRole('link', { name: 'Jobs' }).click();
    await expect.poll(() => rows(page, 'job').count()).toBe(6);
    await shots('jobs');
    await rows(page, 'job').filter({ hasText: 'paper jam' }).getByRole('link').click();
    await page.getByText('"title": "Annual report"').waitFor();
    await shots('job');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Routes' }).click();
    await page.getByText('3 routes').waitFor();
    await shots('routes');
    expect(complaints).toEqual([]);
  });

  /** Something of everything. */
  async function fill(office: ServedOffice): Promise<void> {
    for (const name of ['Ada', 'Grace', 'bad Eve', 'Alan', 'Edsger', 'Barbara']) {
      await notify(office, name);
    }
    await fetch(`${office.url}/office/print?title=Durable`, { method: 'POST' });
    await office.app.tasks.settled();
    const printed = await office.jobs.enqueue(print, { title: 'Weekly report' });
    await office.jobs.wait(printed.id);
    office.printer.answers.push('jam');
    await office.jobs.wait((await office.jobs.enqueue(print, { title: 'Annual report' })).id);
    office.printer.answers.push('hang');
    await office.jobs.enqueue(print, { title: 'Endless report' });
    await expect.poll(async () => (await office.jobs.counts()).running).toBe(1);
    await office.jobs.enqueue(print, { title: 'Tomorrow' }, { delay: '24h' });
    const off = await office.jobs.enqueue(print, { title: 'Never' }, { delay: '24h' });
    await office.jobs.cancel(off.id);
    await office.jobs.pause('reports');
    await expect.poll(async () => (await office.jobs.counts()).completed).toBe(2);
    holdTasks(office.app);
    await notify(office, 'Donald');
    await notify(office, 'Margaret');
  }
});
