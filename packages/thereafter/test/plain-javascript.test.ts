import {
  body,
  Controller,
  cookie,
  createApp,
  file,
  form,
  Get,
  path,
  query,
  type AddOptions,
  type App,
  type AppOptions,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

// What TypeScript refuses, as a program passes it that TypeScript has not looked at.

const ok = (): string => 'ok';
const of = (options: object): unknown => createApp({ ...QUIET, ...options } as AppOptions);
const on = (use: (app: Record<string, (...args: unknown[]) => unknown>) => unknown): unknown =>
  use(createApp(QUIET) as unknown as Record<string, (...args: unknown[]) => unknown>);
const any = (value: unknown): never => value as never;

describe('an argument of the wrong kind', () => {
  it.each<[string, () => unknown]>([
    ["The option 'title' of createApp() must be a text, and is 5.", () => of({ title: 5 })],
    ["createApp() has no option 'limit'. Did you mean 'limits'?", () => of({ limit: {} })],
    [
      "The option 'docs' of createApp() must be a text or false, and is true.",
      () => of({ docs: true }),
    ],
    [
      "The option 'logger' of createApp() must be true or false or an object, and is 5.",
      () => of({ logger: 5 }),
    ],
    [
      "The option 'limits' of createApp() must be an object, and is a list.",
      () => of({ limits: [] }),
    ],
    [
      "limits has no option 'maxBodyByte'. Did you mean 'maxBodyBytes'?",
      () => of({ limits: { maxBodyByte: 5 } }),
    ],
    [
      "The option 'maxBodyBytes' of limits must be a number from 0, and is '1mb'.",
      () => of({ limits: { maxBodyBytes: '1mb' } }),
    ],
    [
      "The option 'maxBodyBytes' of limits must be a number from 0, and is -1.",
      () => of({ limits: { maxBodyBytes: -1 } }),
    ],
    [
      "The option 'maxBodyBytes' of limits must be a number from 0, and is NaN.",
      () => of({ limits: { maxBodyBytes: NaN } }),
    ],
    [
      "The option 'maxFiles' of limits.multipart must be a number from 0, and is '3'.",
      () => of({ limits: { multipart: { maxFiles: '3' } } }),
    ],
    [
      "'-5s' is not a duration. Write a number and a unit: ms, s, m, h or d, as in '30s'.",
      () => of({ limits: { headTimeout: '-5s' } }),
    ],
    [
      "The option 'headTimeout' of limits must be a duration, and is 5.",
      () => of({ limits: { headTimeout: 5 } }),
    ],
    [
      "'-5s' is not a duration. Write a number and a unit: ms, s, m, h or d, as in '30s'.",
      () => of({ shutdown: { drainTimeout: '-5s' } }),
    ],
    [
      "The option 'signals' of shutdown must be true or false, and is 'no'.",
      () => of({ shutdown: { signals: 'no' } }),
    ],
    [
      "The option 'maxPending' of tasks must be a number from 0, and is -1.",
      () => of({ tasks: { maxPending: -1 } }),
    ],
    [
      "The option 'concurrency' of tasks must be a number from 0, and is 'x'.",
      () => of({ tasks: { concurrency: 'x' } }),
    ],
    ['The path of GET 5 must be a text, and is 5.', () => on((app) => app.get!(5, ok))],
    [
      'The handler of GET / must be a function, and is undefined.',
      () => on((app) => app.get!('/', {}, undefined)),
    ],
    [
      'The handler of GET / must be a function, and is undefined.',
      () => on((app) => app.get!('/', undefined)),
    ],
    [
      "The option 'status' of GET / must be a status from 200 to 599, and is '201'.",
      () => on((app) => app.get!('/', { status: '201' }, ok)),
    ],
    [
      "The option 'status' of GET / must be a status from 200 to 599, and is 99.",
      () => on((app) => app.get!('/', { status: 99 }, ok)),
    ],
    [
      "GET / has no option 'repsonse'. Did you mean 'response'?",
      () => on((app) => app.get!('/', { repsonse: {} }, ok)),
    ],
    [
      "The option 'response' of GET / must be an object, and is 'x'.",
      () => on((app) => app.get!('/', { response: 'x' }, ok)),
    ],
    [
      "The option 'use' of GET / must be a list, and is a function.",
      () => on((app) => app.get!('/', { use: ok }, ok)),
    ],
    [
      "The option 'tags' of GET / must be a list, and is 'x'.",
      () => on((app) => app.get!('/', { tags: 'x' }, ok)),
    ],
    [
      "The option 'errors' of GET / must be a list, and is 5.",
      () => on((app) => app.get!('/', { errors: 5 }, ok)),
    ],
    [
      "The option 'status' of @Get('/') must be a status from 200 to 599, and is 1.",
      () => Get('/', { status: 1 }),
    ],
    ['The prefix of @Controller must be a text, and is 5.', () => Controller(any(5))],
    [
      "@Controller has no option 'tag'. Did you mean 'tags'?",
      () => Controller('/', any({ tag: [] })),
    ],
    ['What use() is given must be a function, and is 5.', () => on((app) => app.use!(5))],
    ['What lifespan() is given must be a function, and is 5.', () => on((app) => app.lifespan!(5))],
    [
      'What onError() is given must be a function, and is 5.',
      () => on((app) => app.onError!(5, ok)),
    ],
    [
      'What onError() is given must be a function, and is 5.',
      () => on((app) => app.onError!(Error, 5)),
    ],
    [
      'What onTaskError() is given must be a function, and is 5.',
      () => on((app) => app.onTaskError!(5)),
    ],
    [
      'What include() is given must be a function or an object, and is undefined.',
      () => on((app) => app.include!({}, undefined)),
    ],
    [
      'The options of include() must be an object, and is undefined.',
      () => on((app) => app.include!(undefined)),
    ],
    ['The options of include() must be an object, and is 5.', () => on((app) => app.include!(5))],
    [
      "The option 'prefix' of include() must be a text, and is 5.",
      () => on((app) => app.include!({ prefix: 5 })),
    ],
    [
      'What provide() is given must be a function or an object, and is 5.',
      () => on((app) => app.provide!(5, { value: 1 })),
    ],
    [
      'What provide() says of it must be an object, and is 5.',
      () => on((app) => app.provide!(Date, 5)),
    ],
    [
      'The schema of the input from query must be an object, and is undefined.',
      () => query('a', any(undefined)),
    ],
    [
      'The schema of the input from query must be an object, and is undefined.',
      () => query(any(undefined)),
    ],
    ["The schema of the input from path must be an object, and is 'x'.", () => path('a', any('x'))],
    [
      'The schema of the input from cookie must be an object, and is a function.',
      () => cookie('a', any(ok)),
    ],
    [
      'The name of the input from query must be a text, and is 5.',
      () => query(any(5), Type.String()),
    ],
    [
      'The schema of the input from body must be an object, and is undefined.',
      () => body(any(undefined)),
    ],
    [
      'The schema of the input from body must be an object, and is undefined.',
      () => form(any(undefined)),
    ],
    ['The name of the input from body must be a text, and is 5.', () => file(any(5))],
    [
      "maxBytes of the input from body must be a number from 0, and is '1kb'.",
      () => body(Type.String(), { maxBytes: any('1kb') }),
    ],
    [
      'maxBytes of the input from body must be a number from 0, and is -1.',
      () => body.bytes({ maxBytes: -1 }),
    ],
  ])('is refused: %s', (message, give) => {
    expect(give).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID', message }) as Error);
  });
});

describe('a task', () => {
  // oxlint-disable-next-line unicorn/no-thenable -- what query builders are
  const callable = Object.defineProperty(() => undefined, 'then', { value: () => undefined });

  it.each<[string, (app: App) => App]>([
    [
      "on: 'bogus'",
      (app) =>
        app.get(
          '/',
          ({ ctx }) => ctx.tasks.with({ on: 'bogus' } as unknown as AddOptions).add(ok).id,
        ),
    ],
    [
      "timeout: '-5s'",
      (app) => app.get('/', ({ ctx }) => ctx.tasks.with({ timeout: any('-5s') }).add(ok).id),
    ],
    [
      'timeout: 5',
      (app) => app.get('/', ({ ctx }) => ctx.tasks.with({ timeout: any(5) }).add(ok).id),
    ],
    ['a callable thenable', (app) => app.get('/', ({ ctx }) => ctx.tasks.add(callable).id)],
    ['a promise', (app) => app.get('/', ({ ctx }) => ctx.tasks.add(any(Promise.resolve())).id)],
    ['nothing', (app) => app.get('/', ({ ctx }) => ctx.tasks.add(any(undefined)).id)],
  ])('is refused where it is added with %s', async (_, register) => {
    let refusal: unknown;
    const app = register(
      createApp(QUIET).onError(TypeError, (error) => {
        refusal = error;
        return new Response('refused', { status: 500 });
      }),
    );
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    expect(refusal).toMatchObject({ code: 'ARGUMENT_INVALID' });
  });
});
