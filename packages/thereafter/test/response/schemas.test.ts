import { createApp, Controller, Get, HttpReply, Context } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';
import { loggedErrors } from '../support/log.ts';

const User = Type.Object({ id: Type.Integer(), name: Type.String() });
const Missing = Type.Object({ missing: Type.Integer() });

@Controller('/users')
class Users {
  @Get('/:id', { response: { 200: User, 404: Missing } })
  find(ctx: Context) {
    const id = Number(ctx.params['id']);
    const user = { id, name: 'Ada', hash: 'secret' };
    return id === 1 ? user : new HttpReply({ missing: id, hash: 'secret' }, { status: 404 });
  }

  // @ts-expect-error neither of the two
  @Get('/', { response: { 200: User, 404: Missing } })
  list() {
    return { neither: true };
  }
}

describe('response schemas', () => {
  it('filter each status by a schema of its own', async () => {
    await using server = await serve(createApp(QUIET).include(Users));
    expect(await (await server.fetch('/users/1')).json()).toEqual({ id: 1, name: 'Ada' });
    const missing = await server.fetch('/users/9');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toEqual({ missing: 9 });
  });

  it('filter unions by the branch that fits', async () => {
    const Shape = Type.Union([
      Type.Object({ kind: Type.Literal('circle'), radius: Type.Number() }),
      Type.Object({ kind: Type.Literal('square'), side: Type.Number() }),
    ]);
    const app = createApp(QUIET).get('/', { response: Type.Array(Shape) }, () => [
      { kind: 'circle' as const, radius: 1, hash: 'secret' },
      { kind: 'square' as const, side: 2, hash: 'secret' },
    ]);
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual([
      { kind: 'circle', radius: 1 },
      { kind: 'square', side: 2 },
    ]);
  });

  it('are checked in development: a logged 500 that names route and field, without the value', async () => {
    const app = createApp(QUIET).get('/wrong', { response: User }, () => ({
      id: 1,
      name: 5 as never,
    }));
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const response = await server.fetch('/wrong');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('name');
    expect(errors).toMatchObject([
      {
        err: {
          code: 'RESPONSE_MISMATCH',
          message:
            'GET /wrong answers 200 with a value that does not fit its response schema: /name must be a string.',
        },
      },
    ]);
  });

  it('are checked as the client would see them, so that a date may stand for its text', async () => {
    const Event = Type.Object({ at: Type.String({ format: 'date-time' }) });
    const app = createApp(QUIET).get('/', { response: Event }, () => ({
      at: new Date(0) as never,
      note: undefined,
    }));
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('are not checked in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    const app = createApp(QUIET).get('/', { response: User }, () => ({ id: 1, name: 5 as never }));
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual({ id: 1, name: 5 });
  });
});
