import {
  createApp,
  NotFound,
  Problem,
  ServiceUnavailable,
  ThereafterError,
  type Context,
} from 'thereafter';
import { Type } from 'typebox';
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { QUIET, serve } from '../support/serve.ts';

class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ available: Type.Integer() }),
}) {}

describe('a problem', () => {
  it('has the standard members, the instance, the request id and typed members of its own', async () => {
    const app = createApp(QUIET).get('/cart', () => {
      throw new OutOfStock({ available: 2 }, 'only two left');
    });
    await using server = await serve(app);
    const response = await server.fetch('/cart?secret=1');
    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: '/problems/out-of-stock',
      title: 'Out of stock',
      status: 409,
      detail: 'only two left',
      instance: '/cart',
      requestId: expect.any(String),
      available: 2,
    });
    expectTypeOf(new OutOfStock({ available: 2 }).available).toEqualTypeOf<number>();
    // @ts-expect-error a member is missing
    expect(new OutOfStock({})).toBeInstanceOf(Problem);
  });

  it.each(['status', 'requestId', 'message', 'stack'])(
    'may not declare a member %s, which exists',
    (member) => {
      expect(() =>
        Problem.define({
          type: '/problems/odd',
          status: 400,
          title: 'Odd',
          extension: Type.Object({ [member]: Type.String() }),
        }),
      ).toThrow(`/problems/odd declares the member ${member}`);
    },
  );

  it('is a ThereafterError, whose code says no more than that it is a problem', () => {
    for (const problem of [
      new Problem(),
      new NotFound('Nobody'),
      new OutOfStock({ available: 2 }),
    ]) {
      expect(problem).toBeInstanceOf(ThereafterError);
      expect(problem.code).toBe('PROBLEM');
      expect(Object.keys(problem)).not.toContain('code');
    }
    expect(new OutOfStock({ available: 2 }).name).toBe('OutOfStock');
  });

  it('may have a code, and a time to try again, among its own members', async () => {
    class Refused extends Problem.define({
      type: '/problems/refused',
      status: 402,
      title: 'Payment refused',
      extension: Type.Object({
        code: Type.Integer(),
        retryAfterSeconds: Type.Optional(Type.String()),
      }),
    }) {
      override get title(): string {
        return `Payment refused, ${this.code.toFixed(0)}`;
      }
    }
    const refused = new Refused({ code: 51 });
    expect(refused).toBeInstanceOf(ThereafterError);
    expect(refused.code).toBe(51);
    expect(refused.title).toBe('Payment refused, 51');
    expect(refused.retryAfterSeconds?.toUpperCase()).toBeUndefined();
    expect(new NotFound().code).toBe('PROBLEM');
    const app = createApp(QUIET).get('/pay', () => {
      throw refused;
    });
    await using server = await serve(app);
    expect(await (await server.fetch('/pay')).json()).toMatchObject({ status: 402, code: 51 });
  });

  it('below 500 is not logged; from 500 its detail is logged and not sent', async () => {
    const app = createApp(QUIET)
      .get('/missing', () => {
        throw new NotFound('no such thing');
      })
      .get('/busy', () => {
        throw new ServiceUnavailable('the database at 10.0.0.1 is down');
      });
    const errors = loggedErrors(app);
    await using server = await serve(app);
    expect(await (await server.fetch('/missing')).json()).toMatchObject({
      detail: 'no such thing',
    });
    expect(errors).toEqual([]);
    const busy = await server.fetch('/busy');
    expect(busy.status).toBe(503);
    expect(await busy.text()).not.toContain('10.0.0.1');
    expect(errors).toHaveLength(1);
  });

  it('replaces what the handler had said of its own body, and keeps the other headers', async () => {
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.header('content-type', 'text/csv');
      ctx.header('etag', '"1"');
      ctx.header('content-disposition', 'attachment');
      ctx.header('x-kept', 'yes');
      throw new NotFound();
    });
    await using server = await serve(app);
    const { headers } = await server.fetch('/');
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.has('etag')).toBe(false);
    expect(headers.has('content-disposition')).toBe(false);
    expect(headers.get('x-kept')).toBe('yes');
  });
});

describe('an unknown error', () => {
  const thrown: [string, () => unknown][] = [
    ['an error', () => new Error('secret')],
    ['a text', () => 'secret'],
    ['undefined', () => undefined],
    ['null', () => null],
    ['an object', () => ({ secret: true })],
    ['a symbol', () => Symbol('secret')],
    ['an object without a prototype', () => Object.create(null) as object],
  ];
  it.each(thrown)(
    'such as %s is a 500 without internals, logged once with the id',
    async (_, make) => {
      const app = createApp(QUIET)
        .get('/thrown', () => {
          throw make();
        })
        .get('/rejected', () => Promise.reject(make() as Error))
        .onError(TypeError, () => new NotFound());
      const errors = loggedErrors(app);
      await using server = await serve(app);
      for (const path of ['/thrown', '/rejected']) {
        const response = await server.fetch(path);
        expect(response.status).toBe(500);
        const body = (await response.json()) as { requestId: string };
        expect(JSON.stringify(body)).not.toContain('secret');
        expect(errors.splice(0)).toMatchObject([{ id: body.requestId, path }]);
      }
    },
  );
});

describe('a fault of the server', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each(['production', 'development', 'test'])(
    'tells the same in %s: a fixed text and the request id',
    async (environment) => {
      vi.stubEnv('NODE_ENV', environment);
      const app = createApp(QUIET).get('/fails', () => {
        throw Object.assign(new Error('secret at /etc/passwd'), { status: 400, statusCode: 400 });
      });
      await using server = await serve(app);
      const response = await server.fetch('/fails?token=secret');
      expect(response.status).toBe(500);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: 'Something went wrong here. It has been logged.',
        instance: '/fails',
        requestId: expect.any(String),
      });
      expect([...response.headers.keys()].toSorted()).toEqual([
        'connection',
        'content-length',
        'content-type',
        'date',
        'keep-alive',
      ]);
    },
  );
});

describe('an error handler', () => {
  const failing: [string, (error: Error, ctx: Context) => never | Response | Promise<Response>][] =
    [
      [
        'throws',
        () => {
          throw new Error('broken');
        },
      ],
      ['rejects', () => Promise.reject(new Error('broken'))],
      [
        'gives a Response that was read',
        async () => {
          const used = new Response('x');
          await used.text();
          return used;
        },
      ],
      ['gives nothing useful', () => 5 as never],
    ];
  it.each(failing)('that %s falls to the plain 500 once', async (_, handler) => {
    const app = createApp(QUIET)
      .get('/', () => {
        throw new Error('first');
      })
      .onError(Error, handler);
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ status: 500, type: 'about:blank' });
    expect(errors).toHaveLength(1);
  });

  it('gives a problem or a Response, at once or later', async () => {
    const app = createApp(QUIET)
      .get('/range', () => {
        throw new RangeError('far');
      })
      .get('/type', () => {
        throw new TypeError('odd');
      })
      .onError(Error, async () => new NotFound('by Error'))
      .onError(RangeError, (error) => new Response(error.message, { status: 418 }));
    await using server = await serve(app);
    const teapot = await server.fetch('/range');
    expect(teapot.status).toBe(418);
    expect(await teapot.text()).toBe('far');
    expect(await (await server.fetch('/type')).json()).toMatchObject({ detail: 'by Error' });
  });
});
