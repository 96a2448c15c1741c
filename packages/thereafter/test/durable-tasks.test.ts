import { Readable } from 'node:stream';
import { createApp, NotFound, Task } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from './support/memory-engine.ts';
import { QUIET, serve } from './support/serve.ts';
import { get, rawClient } from './support/tasks-client.ts';
import { gate, recordTasks } from './support/tasks-record.ts';

@Task(Type.Object({ id: Type.Integer() }), { durable: true })
class Export {
  run(): void {}
}

@Task(Type.Object({}), { durable: true, name: 'report' })
class Report {
  run(): void {}
}

/** An app with an engine that shows what is asked of it, and the calls after the start. */
function appWithEngine() {
  const engine = new MemoryEngine();
  const app = createApp({ ...QUIET, jobs: engine });
  return {
    engine,
    app,
    jobCalls: () => engine.calls.filter((call) => /^(store|release|withdraw)/.test(call)),
  };
}

describe('a durable task', () => {
  it('is stored before the first byte of the response, and released when it is over', async () => {
    const { engine, app, jobCalls } = appWithEngine();
    const stored = gate();
    const asked = gate();
    engine.storing = stored.opened;
    app
      .get('/', ({ ctx }) => {
        asked.open();
        return { id: ctx.tasks.add(Export, { id: 1 }).id };
      })
      .get('/other', () => 'ok');
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await asked.opened;
    await server.fetch('/other'); // what the server could do meanwhile, it has done
    expect(client.received).toBe('');
    stored.open();
    const id = /[0-9a-f-]{36}/.exec(await client.read('"}'))?.[0];
    expect(id).toBeDefined();
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store Export', 'release Export']);
  });

  it('is stored with all others of its request in one batch', async () => {
    const { app, jobCalls } = appWithEngine();
    app.get('/', ({ ctx }) => {
      ctx.tasks.add(Export, { id: 1 });
      ctx.tasks.add(Report, {});
      ctx.tasks.add(Export, { id: 2 });
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store Export,report,Export', 'release Export,report,Export']);
  });

  it('that cannot be stored gives the client 503, and leaves nothing behind', async () => {
    const { engine, app, jobCalls } = appWithEngine();
    using record = recordTasks();
    const ran: string[] = [];
    app.get('/', ({ ctx }) => {
      ctx.tasks.add(Export, { id: 1 });
      ctx.tasks.with({ name: 'plain' }).add(() => ran.push('plain'));
      ctx.tasks.with({ on: 'error' }).add(() => ran.push('on error'));
      return Readable.from(['a body that is let go of']);
    });
    await using server = await serve(app);
    engine.fault = new Error('the disk is full');
    const response = await server.fetch('/');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.text()).not.toContain('disk');
    await app.tasks.settled();
    expect(jobCalls()).toEqual([]);
    expect(record.of('Export')).toEqual(['queued', 'discarded']);
    expect(ran).toEqual(['on error']); // the request failed
  });

  it('is discarded and not stored when the handler throws, unless its policy says otherwise', async () => {
    const { app, jobCalls } = appWithEngine();
    using record = recordTasks();
    app.get('/', ({ ctx }) => {
      ctx.tasks.add(Export, { id: 1 });
      ctx.tasks.with({ on: 'error' }).add(Report, {});
      throw new NotFound('no such export');
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(404);
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store report', 'release report']);
    expect(record.of('Export')).toEqual(['queued', 'discarded']);
    expect(record.of('report')).toEqual(['queued', 'stored']);
  });

  it('of an error handler is stored before the answer to the error', async () => {
    const { app, jobCalls } = appWithEngine();
    app
      .onError(NotFound, (error, ctx) => {
        ctx.tasks.add(Export, { id: 1 });
        return error;
      })
      .get('/', () => {
        throw new NotFound('nothing');
      });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(404);
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store Export', 'release Export']);
  });

  it('with the policy `sent` is called off when the client has left', async () => {
    const { engine, app, jobCalls } = appWithEngine();
    using record = recordTasks();
    const left = gate();
    engine.storing = left.opened;
    app.get('/', ({ ctx }) => {
      ctx.tasks.with({ on: 'sent' }).add(Export, { id: 1 });
      ctx.tasks.add(Report, {});
      ctx.signal.addEventListener('abort', left.open);
      return 'ok';
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await record.until('queued', 'report');
    client.socket.resetAndDestroy();
    await record.until('discarded', 'Export');
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store Export,report', 'release report', 'withdraw Export']);
  });

  it('added after the response is stored at once, and its failure is reported', async () => {
    const { engine, app, jobCalls } = appWithEngine();
    const failures: unknown[] = [];
    app
      .onTaskError((error) => failures.push(error))
      .get('/', ({ ctx }) => {
        ctx.tasks.add(() => {
          ctx.tasks.add(Export, { id: 1 });
          ctx.tasks.add(Export, { id: 2 });
        });
        return 'ok';
      });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(jobCalls()).toEqual(['store Export,Export', 'release Export,Export']);
    engine.fault = new Error('the disk is full');
    await server.fetch('/');
    await app.tasks.settled();
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatchObject({
      code: 'JOBS_NOT_STORED',
      message: expect.stringContaining('the disk is full'),
    });
  });

  it('added after the response is reported once, as what its policy says or as lost', async () => {
    const { engine, app } = appWithEngine();
    using record = recordTasks();
    const failures: string[] = [];
    app
      .onTaskError((_error, { taskName }) => failures.push(taskName))
      .get('/', ({ ctx }) => {
        ctx.tasks.add(() => {
          ctx.tasks.with({ on: 'error' }).add(Report, {});
          ctx.tasks.add(Export, { id: 1 });
        });
        return 'ok';
      });
    await using server = await serve(app);
    engine.fault = new Error('the disk is full');
    await server.fetch('/');
    await app.tasks.settled();
    expect(record.of('report')).toEqual(['queued', 'discarded']);
    expect(failures).toEqual(['Export']);
  });

  it('can be cancelled until it is stored', async () => {
    const { app, jobCalls } = appWithEngine();
    let late = true;
    app.get('/', ({ ctx }) => {
      expect(ctx.tasks.add(Export, { id: 1 }).cancel()).toBe(true);
      const handle = ctx.tasks.add(Report, {});
      ctx.tasks.add(() => (late = handle.cancel()));
      return 'ok';
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
    await app.tasks.settled();
    expect(late).toBe(false);
    expect(jobCalls()).toEqual(['store report', 'release report']);
  });

  it('whose payload does not fit is refused where it is added', async () => {
    const { app, jobCalls } = appWithEngine();
    let code: unknown;
    app.get('/', ({ ctx }) => {
      try {
        ctx.tasks.add(Export, { id: 'one' } as never);
      } catch (error) {
        code = (error as { code?: unknown }).code;
      }
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    expect(code).toBe('TASK_PAYLOAD');
    expect(jobCalls()).toEqual([]);
  });
});

describe('an app with a job engine', () => {
  it('starts it before the port opens, and quiets it before it waits for requests', async () => {
    const { engine, app } = appWithEngine();
    app.include(Export);
    const server = await serve(app);
    await server[Symbol.asyncDispose]();
    expect(engine.calls).toEqual(['register', 'include Export', 'start', 'quiet', 'close']);
  });

  it('works without a port', async () => {
    const { engine, app } = appWithEngine();
    await app.include(Export).work();
    expect(engine.calls.at(-1)).toBe('start as worker');
    await app.close();
    expect(engine.calls.at(-1)).toBe('close');
  });

  it('is needed for work()', async () => {
    await expect(createApp(QUIET).work()).rejects.toMatchObject({ code: 'APP_WITHOUT_JOBS' });
  });
});
