import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobs } from '@thereafter/queue';
import { memory } from '@thereafter/queue/testing';
import { createApp } from 'thereafter';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mailer } from '../../listings/guides/after-the-response/mailer.ts';
import { NeedsARequest, SignUps } from '../../listings/guides/after-the-response/mistakes.ts';
import { docs } from '../support/page.ts';
import { Program } from '../support/program.ts';

let folder: string;
let open: Program[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'after-the-response-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((program) => program.end('SIGKILL')));
  rmSync(folder, { recursive: true });
});

/** Starts a listing, with its jobs in the folder of the test. */
async function start(listing: string): Promise<Program> {
  const command = `JOBS_FILE=${join(folder, 'jobs.db')} node --import @thereafter/cli/register ${listing}`;
  const program = new Program(command.split(' '), join(docs, 'listings/guides/after-the-response'));
  open.push(program);
  await program.ready();
  return program;
}

async function signUp(program: Program, email: string): Promise<Record<string, string>> {
  const response = await fetch(`${program.url}/sign-up?email=${email}`, { method: 'POST' });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, string>;
}

describe('the guide to what comes after the response', () => {
  it('awaits: the mail is out before the answer', async () => {
    const program = await start('welcome-await.ts');
    expect(await signUp(program, 'ada@example.com')).toEqual({ message: 'The mail is out' });
    expect(program.output).toContain('mail to ada@example.com: sent');
  });

  it('answers first: SIGTERM waits for the background task', async () => {
    const program = await start('welcome-task.ts');
    expect(await signUp(program, 'ada@example.com')).toEqual({ message: 'A mail is on its way' });
    expect(program.output).not.toContain('mail to ada@example.com: sent');
    await program.end('SIGTERM');
    expect(program.output).toContain('mail to ada@example.com: sent');
    expect(program.exitCode).toBe(0);
  });

  it('loses a background task by kill -9', async () => {
    const first = await start('welcome-task.ts');
    await signUp(first, 'ada@example.com');
    expect(await first.prints(/ada@example.com: begun/)).toBe(true);
    await first.end('SIGKILL');
    const second = await start('welcome-task.ts');
    await signUp(second, 'eve@example.com');
    expect(await second.prints(/eve@example.com: sent/)).toBe(true);
    await second.end('SIGTERM'); // waits for all tasks that there are
    expect(first.output + second.output).not.toContain('ada@example.com: sent');
  });

  it('keeps a durable job through kill -9', async () => {
    const first = await start('welcome-job.ts');
    const { id, message } = await signUp(first, 'ada@example.com');
    expect(message).toBe('A mail is on its way');
    expect(await first.prints(/ada@example.com: begun/)).toBe(true);
    await first.end('SIGKILL');
    expect(first.output).not.toContain('ada@example.com: sent');
    const second = await start('welcome-job.ts');
    expect(await second.prints(/ada@example.com: sent/)).toBe(true);
    let job: unknown;
    do {
      job = await (await fetch(`${second.url}/sign-up/${id}`)).json();
    } while ((job as { state: string }).state === 'running');
    expect(job).toEqual({ state: 'completed', attempt: 2 });
    expect((await fetch(`${second.url}/sign-up/another`)).status).toBe(404);
  });

  it('waits for a running job at SIGTERM as well', async () => {
    const program = await start('welcome-job.ts');
    await signUp(program, 'ada@example.com');
    expect(await program.prints(/ada@example.com: begun/)).toBe(true);
    await program.end('SIGTERM');
    expect(program.output).toContain('ada@example.com: sent');
    expect(program.exitCode).toBe(0);
  });

  it('is right about mistakes', async () => {
    const app = createApp({ logger: false, jobs: jobs({ driver: memory() }) });
    await expect(app.include(NeedsARequest).listen({ port: 0 })).rejects.toThrow(
      /TA112.*put what it needs into its payload/,
    );
    const sent: string[] = [];
    const mailer: Pick<Mailer, 'send'> = { send: async (to) => void sent.push(to) };
    await using other = createApp({ logger: false })
      .provide(Mailer, { value: mailer as Mailer })
      .include(SignUps);
    const { url } = await other.listen({ port: 0 });
    const post = (path: string) => fetch(`${url}${path}?email=ada`, { method: 'POST' });
    expect((await post('/called')).status).toBe(500);
    expect(sent).toEqual(['ada']); // it has begun nevertheless
    expect((await post('/passed')).status).toBe(200);
    await other.tasks.settled();
    expect(sent).toEqual(['ada', 'ada']);
  });
});
