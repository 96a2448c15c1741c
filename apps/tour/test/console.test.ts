import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { serveTour } from './support/serve-tour.ts';

const CHROMIUM = '/usr/bin/chromium';

/** The status for who asks with another host than the one that he asks, which fetch cannot. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  const asking = request(url, { headers: { host } }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

describe('the console of the tour', () => {
  it('is for this machine', async () => {
    await using tour = await serveTour();
    expect((await fetch(`${tour.url}/console`)).status).toBe(200);
    const page = `${tour.url}/console/`;
    expect(await statusFor(page, 'localhost:3000')).toBe(200);
    expect(await statusFor(page, 'tour.example')).toBe(403);
    const forwarded = await fetch(page, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(forwarded.status).toBe(403);
  });

  it('is for everyone with CONSOLE_FOR=everyone', async () => {
    await using tour = await serveTour({ env: { CONSOLE_FOR: 'everyone' } });
    expect(await statusFor(`${tour.url}/console/`, 'tour.example')).toBe(200);
  });

  it('is not in the document', async () => {
    await using tour = await serveTour();
    const paths = Object.keys(tour.app.openapi().paths);
    expect(paths.filter((path) => path.startsWith('/console'))).toEqual([]);
  });
});

describe.skipIf(!existsSync(CHROMIUM))('the console of the tour in a browser', () => {
  it('is one step from the start page, and shows the failure of a task and what a job gave', async () => {
    await using tour = await serveTour({ env: { DURATION_MS: '20' } });
    await tour.ask('POST', '/process/?data=bad');
    const submitted = await fetch(`${tour.url}/heavy-task/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"pages":[1,2]}',
    });
    const { task_id: id } = (await submitted.json()) as { task_id: string };
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      timeout: 0, // however busy the machine is
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(0);
      await page.goto(tour.url);
      await page.getByRole('navigation').getByRole('link', { name: 'Console' }).click();
      const failed = page.locator('#task-list > li').filter({ hasText: 'riskyTask' });
      await failed.getByText("Error: cannot process 'bad'").waitFor();
      expect(await failed.locator('.state').textContent()).toBe('failed');
      const stored = page.locator('#task-list > li').filter({ hasText: 'heavy-task' });
      await stored.locator('summary').click();
      await stored.getByRole('link', { name: 'what became of it' }).click();
      const job = page.getByRole('dialog', { name: 'heavy-task' });
      await job.getByText('"status": "completed"').waitFor();
      await job.getByText(id).waitFor();
    } finally {
      await browser.close();
    }
  });
});
