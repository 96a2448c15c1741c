import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { describeError } from '../src/describe-error.ts';
import type { TaskLine } from '../src/live.ts';
import { serveOffice, type ServedOffice } from './support/office.ts';

interface Events extends AsyncDisposable {
  /** The data of the next event of a name; those of others are passed over. */
  next(name: string): Promise<unknown>;
}

async function follow(office: ServedOffice): Promise<Events> {
  const gone = new AbortController();
  const answer = await fetch(`${office.url}/console/api/live`, { signal: gone.signal });
  const lines = createInterface({ input: Readable.fromWeb(answer.body as never) })[
    Symbol.asyncIterator
  ](); // the types of the two kinds of streams differ
  return {
    async next(name) {
      for (;;) {
        const { value } = (await lines.next()) as { value: string };
        if (value !== `event: ${name}`) continue;
        return JSON.parse(((await lines.next()) as { value: string }).value.slice('data: '.length));
      }
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
    },
  };
}

const notify = (office: ServedOffice, name: string): Promise<Response> =>
  fetch(`${office.url}/office/notify?name=${name}`, { method: 'POST' });

describe('tasks in the console', () => {
  it('are told with their state, request, times and error, those from before included', async () => {
    await using office = await serveOffice();
    const answer = await notify(office, 'Ada');
    expect(answer.status).toBe(204);
    await office.app.tasks.settled();
    await using events = await follow(office);
    const [before] = (await events.next('tasks')) as TaskLine[];
    expect(before).toMatchObject({ name: 'greet', state: 'succeeded' });
    expect(before).not.toHaveProperty('error');
    expect(before!.queuedAtMs!).toBeLessThanOrEqual(before!.endedAtMs!);
    expect(before!.elapsedMs).toBeGreaterThanOrEqual(0);

    await notify(office, 'bad-Ada');
    await office.app.tasks.settled();
    const [task] = ((await events.next('tasks')) as TaskLine[]).filter((t) => t.state === 'failed');
    expect(task).toMatchObject({ name: 'greet', error: "Error: cannot greet 'bad-Ada'" });
    const detail: { error: object } = await office.json(`/api/tasks/${task!.id}`);
    expect(detail).toMatchObject({
      requestId: task!.requestId,
      error: { text: expect.stringMatching(/office\.ts[^]*cause[^]*shy/) },
    });
    expect((await office.ask('GET', '/api/tasks/unknown')).status).toBe(404);
  });

  it('that are durable say so, and jobs are told to have changed', async () => {
    await using office = await serveOffice();
    await using events = await follow(office);
    await fetch(`${office.url}/office/print?title=Q3`, { method: 'POST' });
    let tasks: TaskLine[] = [];
    while (!tasks.some(({ state }) => state === 'stored')) {
      tasks = (await events.next('tasks')) as TaskLine[];
    }
    expect(await events.next('jobs')).toEqual({});
    const { id } = tasks.find(({ state }) => state === 'stored')!;
    expect((await office.jobs.wait(id)).task).toBe('print-report');
  });

  it('are the latest 500', async () => {
    await using office = await serveOffice();
    for (let i = 0; i < 510; i++) await notify(office, `Ada${i}`);
    await office.app.tasks.settled();
    await using events = await follow(office);
    expect(await events.next('tasks')).toHaveLength(500);
  });

  it('are watched until the app closes, and no longer', async () => {
    const names = ['thereafter:task.failed', 'thereafter:job.failed'];
    const watched = (): boolean[] => names.map((name) => channel(name).hasSubscribers);
    const before = watched();
    const office = await serveOffice();
    expect(watched()).toEqual([true, true]);
    const stream = await fetch(`${office.url}/console/api/live`);
    const ended = once(Readable.fromWeb(stream.body as never).resume(), 'end'); // as above
    await office.app.close();
    await ended;
    expect(watched()).toEqual(before);
  });
});

describe('describeError', () => {
  it('shows whatever was thrown, and throws nothing itself', () => {
    expect(describeError(new TypeError('no'))).toMatchObject({ name: 'TypeError', message: 'no' });
    expect(describeError('just text')).toMatchObject({ name: '', message: "'just text'" });
    expect(describeError(new Error('x'.repeat(2000))).message).toHaveLength(501);
    expect(describeError(new Error('x'.repeat(100_000))).text.length).toBeLessThan(17_000);
    const broken = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('worse');
      },
    });
    expect(describeError(broken)).toMatchObject({ message: 'something that cannot be shown' });
  });
});
