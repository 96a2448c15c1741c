import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Mailbox } from '../src/mailbox.ts';
import { Program } from './support/processes.ts';
import { isRedisInstalled, startRedis, type PrivateRedis } from './support/redis.ts';

const MAILS = 60;

/** Signs up, and gives the ids of the mails that were acknowledged. */
async function signUp(url: string, count: number, from = 0): Promise<string[]> {
  const replies = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const response = await fetch(`${url}/sign-ups`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: `guest${from + i}@example.com`, name: `Guest ${from + i}` }),
      });
      expect(response.status).toBe(202);
      return ((await response.json()) as { mail: string }).mail;
    }),
  );
  return replies;
}

/** Waits for a mail to each of so many guests. */
async function allDelivered(mailbox: Mailbox, count: number): Promise<void> {
  while (mailbox.mails.length < count) await mailbox.changed();
}

const addressees = (mailbox: Mailbox): string[] =>
  mailbox.mails.map(({ to }) => to.join()).toSorted();

const guests = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `guest${i}@example.com`).toSorted();

function deliversEverything(where: (folder: string) => Record<string, string>): void {
  let folder: string;
  let mailbox: Mailbox;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mailroom-'));
    mailbox = await Mailbox.open(0);
    env = {
      PORT: '0',
      HOST: '127.0.0.1',
      WORKERS: 'separate',
      SMTP_URL: mailbox.url,
      JOBS_FILE: join(folder, 'jobs.db'),
      DELIVERIES_FILE: join(folder, 'deliveries.db'),
      ...where(folder),
    };
  });

  afterAll(async () => {
    await mailbox.close();
    await rm(folder, { recursive: true });
  });

  it('sends each mail once, though a worker is killed while it sends', async () => {
    await using web = new Program('main', env);
    const [, url] = await web.says(/mailroom is at (\S+):\n/);
    await using first = new Program('worker', env);
    await first.says(/working/);
    await signUp(url!, MAILS / 2);
    await allDelivered(mailbox, MAILS / 10); // it is in the middle of its work
    expect(await first.end('SIGKILL')).toBe(null);
    const late = await signUp(url!, MAILS / 2, MAILS / 2); // nobody works now

    await using second = new Program('worker', env);
    await using third = new Program('worker', env);
    await allDelivered(mailbox, MAILS);
    expect(addressees(mailbox)).toEqual(guests(MAILS));

    for (;;) {
      const response = await fetch(`${url}/sign-ups/${late[0]}`);
      const { state } = (await response.json()) as { state: string };
      if (state === 'completed') break;
    }
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await third.end('SIGTERM')).toBe(0);
    expect(await web.end('SIGTERM')).toBe(0);
  });

  it('keeps what it accepted when the web process is killed right after its answer', async () => {
    const before = mailbox.mails.length;
    const web = new Program('main', env);
    const [, url] = await web.says(/mailroom is at (\S+):\n/);
    await signUp(url!, 5, 1000);
    await web.end('SIGKILL');
    await using worker = new Program('worker', env);
    await allDelivered(mailbox, before + 5);
    expect(await worker.end('SIGTERM')).toBe(0);
  });
}

describe('the mailroom on the embedded store', () => {
  deliversEverything(() => ({}));
});

describe.skipIf(!isRedisInstalled)('the mailroom on Redis', () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  deliversEverything(() => ({ REDIS_URL: redis.url }));
});
