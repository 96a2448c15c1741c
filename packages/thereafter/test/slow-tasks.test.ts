import { createApp, type App } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { capturedLog } from './support/captured-log.ts';
import { serve } from './support/serve.ts';
import { gate } from './support/tasks-record.ts';

interface Line {
  readonly msg: string;
  readonly taskName: string;
  readonly requestId: string;
  readonly elapsedMs: number;
}

/** An app whose task runs until it may end, and what it has logged of slow ones. */
function slowApp(slowAfter: '20ms' | '1h' | false) {
  const { logger, lines } = capturedLog();
  const mayEnd = gate();
  const app: App = createApp({ logger, shutdown: { signals: false }, tasks: { slowAfter } });
  app.get('/', ({ ctx }) => {
    ctx.tasks.with({ name: 'import' }).add(() => mayEnd.opened);
    ctx.tasks.with({ name: 'behind' }).add(() => undefined);
    return 'ok';
  });
  const told = (): Line[] => (lines as Line[]).filter(({ msg }) => msg.includes('durable job'));
  return { app, mayEnd, told };
}

describe('a background task that runs for long', () => {
  it('is named in the log once, with a hint to durable jobs', async () => {
    const { app, mayEnd, told } = slowApp('20ms');
    await using server = await serve(app);
    await server.fetch('/');
    await expect.poll(told).toHaveLength(1);
    await server.fetch('/'); // another one: by the time that it is told of, the first was looked at again
    await expect.poll(told).toHaveLength(2);
    expect(told().map(({ taskName }) => taskName)).toEqual(['import', 'import']);
    expect(new Set(told().map(({ requestId }) => requestId)).size).toBe(2);
    for (const { elapsedMs } of told()) expect(elapsedMs).toBeGreaterThanOrEqual(20);
    mayEnd.open();
    await app.tasks.settled();
  });

  it.each(['1h', false] as const)('is not named before its time: %s', async (slowAfter) => {
    const { app, mayEnd, told } = slowApp(slowAfter);
    await using server = await serve(app);
    await server.fetch('/');
    await new Promise(setImmediate);
    mayEnd.open();
    await app.tasks.settled();
    expect(told()).toEqual([]);
  });

  it('is refused a limit that is no duration', () => {
    const wrong = 'soon' as '1s'; // what plain JavaScript can pass
    expect(() => createApp({ tasks: { slowAfter: wrong } })).toThrow(/not a duration/);
  });
});
