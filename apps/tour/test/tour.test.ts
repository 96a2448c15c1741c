import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { holdTasks } from 'thereafter/testing';
import { describe, expect, it } from 'vitest';
import { capturedLog } from './support/captured-log.ts';
import { serveTour } from './support/serve-tour.ts';

describe('the tour', () => {
  it('sends a notification after the answer', async () => {
    await using tour = await serveTour();
    expect(await tour.ask('POST', '/send-notification/ada@example.com')).toEqual({
      message: 'Notification is being sent',
    });
    expect(tour.logged()).toBe('Notification sent to ada@example.com\n');
  });

  it('writes one line, whatever a client puts into it', async () => {
    await using tour = await serveTour();
    await tour.ask('POST', '/send-notification/a%0Aaccess%20123');
    expect(tour.logged()).toBe('Notification sent to a access 123\n');
  });

  it('runs the three tasks of a new user in order', async () => {
    await using tour = await serveTour();
    expect(await tour.ask('POST', '/users/?email=a@b.c&user_id=7')).toEqual({
      message: 'User created',
    });
    expect(tour.logged()).toBe('log a@b.c\nemail a@b.c Welcome!\nstats 7\n');
  });

  it.each([
    ['POST', '/users/?email=a@b.c&user_id=x', 'query', '/user_id', 'must be an integer, got "x"'],
    ['GET', '/process-user/x', 'path', '/user_id', 'must be an integer, got "x"'],
    ['POST', '/process/', 'query', '/data', 'is required'],
    ['POST', '/register/?email=nobody', 'query', '/email', 'must be an email, got "nobody"'],
    ['POST', '/login/?user_id=1.5', 'query', '/user_id', 'must be an integer, got "1.5"'],
  ])('names the field that is wrong: %s %s', async (method, path, source, pointer, message) => {
    await using tour = await serveTour();
    const response = await fetch(tour.url + path, { method });
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ errors: [{ source, pointer, message }] });
  });

  it('asks its own upstream and waits, while nobody waits for it', async () => {
    await using tour = await serveTour();
    const held = holdTasks(tour.app);
    const response = await fetch(`${tour.url}/process-user/2`);
    expect(await response.json()).toEqual({ message: 'Processing user data' });
    expect(tour.app.tasks.pending).toBe(1);
    const startedAtMs = performance.now();
    await held.drain();
    expect(performance.now() - startedAtMs).toBeGreaterThan(990);
    expect(tour.logged()).toBe('processed 2 Grace\n');
  });

  it('asks the upstream of UPSTREAM_URL instead', async () => {
    const asked: (string | undefined)[] = [];
    const upstream = createServer((req, res) => {
      asked.push(req.url);
      res.setHeader('content-type', 'application/json').end('{"id":2,"name":"Somebody"}');
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    {
      await using tour = await serveTour({ env: { UPSTREAM_URL: `http://127.0.0.1:${port}/api` } });
      await tour.ask('GET', '/process-user/2');
      expect(tour.logged()).toBe('processed 2 Somebody\n');
    }
    upstream.close();
    expect(asked).toEqual(['/api/users/2']);
  });

  it('logs the access of whoever asks for the current user', async () => {
    await using tour = await serveTour();
    expect(await tour.ask('GET', '/items/')).toEqual({ user_id: 123, items: [] });
    expect(tour.logged()).toBe('access 123\n');
  });

  it('answers although the task fails; the failure is logged with its request, counted, and an alert', async () => {
    const { logger, lines } = capturedLog();
    await using tour = await serveTour({ logger });
    const response = await fetch(`${tour.url}/process/?data=bad`, { method: 'POST' });
    expect(await response.json()).toEqual({ message: 'Task submitted' });
    await tour.app.tasks.settled();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        taskName: 'riskyTask',
        requestId: response.headers.get('x-request-id'),
        err: new Error("cannot process 'bad'"),
      }),
    ]);
    expect(await tour.ask('GET', '/alerts')).toEqual([
      {
        at: expect.any(String),
        task: 'riskyTask',
        requestId: response.headers.get('x-request-id'),
        error: "Error: cannot process 'bad'",
      },
    ]);
    expect(await tour.ask('POST', '/process/?data=good')).toEqual({ message: 'Task submitted' });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', message: 'processed', data: 'good' }),
    );
    expect(await tour.ask('GET', '/alerts')).toHaveLength(1);
    const numbers = await (await fetch(`${tour.url}/metrics`)).text();
    expect(numbers).toContain('thereafter_tasks_total{task="riskyTask",end="failed"} 1');
    expect(numbers).toContain('thereafter_tasks_total{task="riskyTask",end="succeeded"} 1');
  });

  it.each([
    ['report', 'succeeded', 'monitored report\n'],
    ['bad', 'failed', ''],
  ])('watches the task of %s, which %s', async (name, end, line) => {
    const { logger, lines } = capturedLog();
    await using tour = await serveTour({ logger });
    expect(await tour.ask('GET', `/monitored/${name}`)).toEqual({ message: 'Task submitted' });
    expect(tour.logged()).toBe(line);
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'task started', task: 'monitoredTask' }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'task ended',
        task: 'monitoredTask',
        end,
        durationMs: expect.any(Number),
        requestId: expect.any(String),
      }),
    );
    const numbers = await (await fetch(`${tour.url}/metrics`)).text();
    expect(numbers).toContain(
      `tour_monitored_task_seconds_count{task="monitoredTask",end="${end}"} 1`,
    );
  });

  it('says that it lives and is ready, with all that it has embedded', async () => {
    await using tour = await serveTour();
    expect(await tour.ask('GET', '/livez')).toEqual({ status: 'ok' });
    expect(await tour.ask('GET', '/readyz')).toEqual({ status: 'ok', checks: { mail: 'ok' } });
  });

  it('describes its routes, and shows them on the docs page', async () => {
    await using tour = await serveTour();
    const { paths } = (await tour.ask('GET', '/openapi.json')) as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/send-notification/{email}', '/process-user/{user_id}', '/upload']),
    );
    expect((await fetch(`${tour.url}/docs`)).status).toBe(200);
  });
});
