import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TASK_EVENTS, type TaskEvent } from '../src/events.ts';
import { createRunner, request } from './request.ts';

const page = readFileSync(
  join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'events.md'),
  'utf8',
);

/** What a run publishes on a channel. */
async function published(
  event: (typeof TASK_EVENTS)[number],
  run: () => Promise<void>,
): Promise<TaskEvent[]> {
  const events: TaskEvent[] = [];
  const listener = (message: unknown): void => void events.push(message as TaskEvent);
  subscribe(`thereafter:task.${event}`, listener);
  await run();
  unsubscribe(`thereafter:task.${event}`, listener);
  return events;
}

describe('the page of task events', () => {
  it('lists the channels that there are, and no others', () => {
    const listed = [...page.matchAll(/^\| `thereafter:task\.(\w+)`/gm)].map(([, name]) => name);
    expect(listed).toEqual([...TASK_EVENTS]);
  });

  it('lists the fields of the message, and no others', async () => {
    const [event] = await published('succeeded', async () => {
      const runner = createRunner();
      const { tasks, respond } = request(runner);
      tasks.add(() => undefined);
      respond();
      await runner.settled();
    });
    const fields = page.slice(page.indexOf('## The message'), page.indexOf('\n# Job events'));
    const listed = [...fields.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(event!));
  });
});

describe('a task event', () => {
  it('has the times of the task', async () => {
    const beforeMs = Date.now();
    let tookMs = 0;
    const [event] = await published('succeeded', async () => {
      const runner = createRunner();
      const { tasks, respond } = request(runner);
      tasks.with({ name: 'timed' }).add(async () => {
        const startMs = performance.now();
        await new Promise(setImmediate);
        tookMs = performance.now() - startMs;
      });
      respond();
      await runner.settled();
    });
    expect(event).toMatchObject({ taskName: 'timed', requestId: 'the request', outcome: 'sent' });
    expect(event!.waitedMs).toBeGreaterThanOrEqual(0);
    expect(event!.elapsedMs).toBeGreaterThanOrEqual(tookMs);
    expect(event!.atMs).toBeGreaterThanOrEqual(beforeMs);
    expect(event!.atMs).toBeLessThanOrEqual(Date.now());
  });
});
