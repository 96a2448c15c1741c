import { body, createApp, path } from 'thereafter';
import { Type, type TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { validatorOf } from '../../src/handler/validator.ts';
import { QUIET, serve } from '../support/serve.ts';

describe('validatorOf', () => {
  const refined = (refine: (value: string) => boolean): TSchema =>
    Type.Refine(Type.String(), refine);

  it('gives schemas that say the same one validator', () => {
    const user = (): TSchema => Type.Object({ id: Type.Integer({ minimum: 1 }) });
    expect(validatorOf(user())).toBe(validatorOf(user()));
  });

  it.each([
    ['types', Type.String(), Type.Number()],
    ['keywords', Type.String({ minLength: 1 }), Type.String({ minLength: 2 })],
    ['literals', Type.Literal('1'), Type.Literal(1)],
    ['orders', Type.Tuple([Type.String(), Type.Null()]), Type.Tuple([Type.Null(), Type.String()])],
    ['refinements', refined((value) => value === 'a'), refined((value) => value === 'b')],
  ])('tells schemas with other %s apart', (_, one, other) => {
    expect(validatorOf(one)).not.toBe(validatorOf(other));
  });

  it('keeps two routes apart whose schemas look the same as JSON', async () => {
    const app = createApp(QUIET)
      .get(
        '/a/:id',
        {
          in: {
            id: path(
              'id',
              refined((id) => id === 'a'),
            ),
          },
        },
        ({ id }) => ({ id }),
      )
      .get(
        '/b/:id',
        {
          in: {
            id: path(
              'id',
              refined((id) => id === 'b'),
            ),
          },
        },
        ({ id }) => ({ id }),
      );
    await using server = await serve(app);
    expect((await server.fetch('/a/a')).status).toBe(200);
    expect((await server.fetch('/b/a')).status).toBe(422);
    expect((await server.fetch('/b/b')).status).toBe(200);
  });
});

describe('a request without a body', () => {
  it('has an empty one for who reads it', async () => {
    const app = createApp(QUIET)
      .get('/text', { in: { text: body.text() } }, ({ text }) => ({ length: text.length }))
      .post('/json', { in: { value: body(Type.Unknown()) } }, ({ value }) => ({ value }));
    await using server = await serve(app);
    expect(await (await server.fetch('/text')).json()).toEqual({ length: 0 });
    const headers = { 'content-type': 'application/json' };
    expect((await server.fetch('/json', { method: 'POST', headers })).status).toBe(400);
  });
});
