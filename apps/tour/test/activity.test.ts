import { describe, expect, it } from 'vitest';
import { serveTour, type ServedTour } from './support/serve-tour.ts';

interface Told {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of `/activity`, as they come. */
async function* follow(tour: ServedTour): AsyncGenerator<Told> {
  const controller = new AbortController();
  try {
    const { body } = await fetch(`${tour.url}/activity`, { signal: controller.signal });
    let text = '';
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const match = /^event: (.*)\ndata: (.*)$/.exec(block);
        if (match) yield { event: match[1]!, data: JSON.parse(match[2]!) as Told['data'] };
      }
    }
  } finally {
    controller.abort();
  }
}

async function take(count: number, events: AsyncGenerator<Told>): Promise<Told[]> {
  const taken: Told[] = [];
  while (taken.length < count) taken.push((await events.next()).value as Told);
  return taken;
}

describe('activity', () => {
  it('tells of a response, and then of the states of its task', async () => {
    await using tour = await serveTour();
    const beforeMs = Date.now();
    const events = follow(tour);
    const { event, data } = (await events.next()).value as Told;
    expect({ event, data }).toEqual({ event: 'clock', data: { nowMs: expect.any(Number) } });
    expect(data['nowMs']).toBeGreaterThanOrEqual(beforeMs);
    expect(data['nowMs']).toBeLessThanOrEqual(Date.now());
    const response = await fetch(`${tour.url}/process/?data=bad`, { method: 'POST' });
    const requestId = response.headers.get('x-request-id');
    const told = await take(4, events);
    const task = { requestId, taskId: expect.any(String), name: 'riskyTask' };
    expect(told).toEqual([
      { event: 'task', data: { ...task, state: 'queued', atMs: expect.any(Number) } },
      {
        event: 'response',
        data: {
          requestId,
          method: 'POST',
          path: '/process/',
          status: 200,
          startedAtMs: expect.any(Number),
          endedAtMs: expect.any(Number),
        },
      },
      { event: 'task', data: { ...task, state: 'started', atMs: expect.any(Number) } },
      {
        event: 'task',
        data: {
          ...task,
          state: 'failed',
          atMs: expect.any(Number),
          error: "Error: cannot process 'bad'",
        },
      },
    ]);
    const [queued, answered, started, failed] = told.map(({ data }) => data) as [
      { atMs: number },
      { startedAtMs: number; endedAtMs: number },
      { atMs: number },
      { atMs: number },
    ];
    const times = [
      answered.startedAtMs,
      queued.atMs,
      answered.endedAtMs,
      started.atMs,
      failed.atMs,
    ];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await events.return(undefined);
  });

  it('tells what came before to whom connects later, and nothing of other routes', async () => {
    await using tour = await serveTour();
    await tour.ask('GET', '/items/');
    await tour.ask('GET', '/livez');
    await tour.ask('GET', '/stories');
    await tour.ask('POST', '/login/?user_id=7');
    const events = follow(tour);
    const told = await take(9, events);
    expect(told.map(({ event, data }) => [event, data['path'] ?? data['name'] ?? ''])).toEqual([
      ['clock', ''],
      ['task', 'logAccess'],
      ['response', '/items/'],
      ['task', 'logAccess'],
      ['task', 'logAccess'],
      ['task', 'warmCache'],
      ['response', '/login/'],
      ['task', 'warmCache'],
      ['task', 'warmCache'],
    ]);
    await events.return(undefined);
  });

  it('ends with the app', async () => {
    const tour = await serveTour();
    const events = follow(tour);
    await events.next();
    const ended = events.next();
    await tour[Symbol.asyncDispose]();
    expect(await ended).toEqual({ done: true, value: undefined });
  });
});
