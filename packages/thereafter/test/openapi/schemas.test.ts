import { body, createApp, type App } from 'thereafter';
import { InvalidAppError } from 'thereafter/errors';
import { Type, type TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET } from '../support/serve.ts';

const appWith = (sent: TSchema, returned?: TSchema): App =>
  createApp(QUIET).post(
    '/x',
    { in: { it: body(sent) }, ...(returned && { response: returned }) },
    () => undefined as never,
  );

/** How a schema is described where a client sends it. */
function sent(schema: TSchema): unknown {
  const { paths } = appWith(schema).openapi();
  return paths['/x']!['post']!.requestBody!.content['application/json']!.schema;
}

/** The same where the server sends it, and the components. */
function described(schema: TSchema) {
  const document = appWith(schema, schema).openapi();
  const operation = document.paths['/x']!['post']!;
  const { Problem: _, InvalidInput: __, ...components } = document.components.schemas ?? {};
  return {
    in: operation.requestBody!.content['application/json']!.schema,
    out: operation.responses['200']!.content!['application/json']!.schema,
    components,
  };
}

describe('a schema in the document', () => {
  it.each<[string, TSchema, unknown]>([
    ['a string', Type.String({ format: 'email' }), { type: 'string', format: 'email' }],
    ['anything', Type.Unknown(), {}],
    ['nothing', Type.Never(), { not: {} }],
    ['null', Type.Null(), { type: 'null' }],
    [
      'a nullable',
      Type.Union([Type.String(), Type.Null()]),
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
    ],
    [
      'a tuple',
      Type.Tuple([Type.String(), Type.Integer()]),
      {
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'integer' }],
        items: false,
        minItems: 2,
        maxItems: 2,
      },
    ],
    ['an empty tuple', Type.Tuple([]), { type: 'array', items: false, minItems: 0, maxItems: 0 }],
    ['an enum', Type.Enum(['a', 1]), { enum: ['a', 1] }],
    [
      'a union of literals',
      Type.Union([Type.Literal('a'), Type.Literal('b')]),
      { type: 'string', enum: ['a', 'b'] },
    ],
    [
      'a union of literals that are explained',
      Type.Union([Type.Literal('a', { description: 'A' }), Type.Literal('b')]),
      {
        anyOf: [
          { type: 'string', const: 'a', description: 'A' },
          { type: 'string', const: 'b' },
        ],
      },
    ],
    [
      'a record',
      Type.Record(Type.String(), Type.Boolean()),
      { type: 'object', additionalProperties: { type: 'boolean' } },
    ],
    [
      'a record with a pattern of names',
      Type.Record(Type.TemplateLiteral('x-${string}'), Type.Boolean()),
      { type: 'object', patternProperties: { '^x-.*$': { type: 'boolean' } } },
    ],
    [
      'an intersection',
      Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({})]),
      {
        allOf: [
          { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
          { type: 'object', properties: {} },
        ],
      },
    ],
    [
      'a codec, by what is sent',
      Type.Codec(Type.String({ format: 'date-time' }))
        .Decode((text) => new Date(text))
        .Encode((date) => date.toISOString()),
      { type: 'string', format: 'date-time' },
    ],
    [
      'an optional that may be undefined',
      Type.Object({ a: Type.Optional(Type.Union([Type.String(), Type.Undefined()])) }),
      { type: 'object', properties: { a: { type: 'string' } } },
    ],
    [
      'examples and the like',
      Type.Number({ examples: [1, 2], description: 'How many', deprecated: true, title: 'Count' }),
      {
        type: 'number',
        examples: [1, 2],
        description: 'How many',
        deprecated: true,
        title: 'Count',
      },
    ],
  ])('shows %s', (_, schema, expected) => {
    expect(sent(schema)).toEqual(expected);
  });

  it('is a component where it has an $id, once for all that use it', () => {
    const User = Type.Object({ name: Type.String() }, { $id: 'User' });
    const list = Type.Object({ all: Type.Array(User), first: Type.Optional(User) });
    const { components, out } = described(list);
    const reference = { $ref: '#/components/schemas/User' };
    expect(components).toEqual({
      User: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    });
    expect(out).toMatchObject({
      properties: { all: { type: 'array', items: reference }, first: reference },
    });
  });

  it('is called after the last part of an $id that is a URI', () => {
    const schema = Type.Object({}, { $id: 'https://example.org/schemas/user profile' });
    expect(described(schema).out).toEqual({ $ref: '#/components/schemas/user_profile' });
  });

  it('keeps two of one $id apart', () => {
    const first = Type.Object({ a: Type.String() }, { $id: 'Same' });
    const second = Type.Object({ b: Type.String() }, { $id: 'Same' });
    const { components, out } = described(Type.Tuple([first, second]));
    expect(Object.keys(components)).toEqual(['Same', 'Same2']);
    expect(out).toMatchObject({
      prefixItems: [{ $ref: '#/components/schemas/Same' }, { $ref: '#/components/schemas/Same2' }],
    });
  });

  it('may refer to itself', () => {
    const Tree = Type.Cyclic(
      { Node: Type.Object({ children: Type.Array(Type.Ref('Node')) }) },
      'Node',
    );
    const reference = { $ref: '#/components/schemas/Node' };
    expect(described(Tree)).toEqual({
      in: reference,
      out: reference,
      components: {
        Node: {
          type: 'object',
          required: ['children'],
          properties: { children: { type: 'array', items: reference } },
        },
      },
    });
  });

  it('may refer to one that another route has', () => {
    const User = Type.Object({ name: Type.String() }, { $id: 'User' });
    const app = appWith(User).post('/y', { in: { it: body(Type.Ref('User')) } }, () => {});
    const schema = app.openapi().paths['/y']!['post']!.requestBody!.content['application/json'];
    expect(schema).toEqual({ schema: { $ref: '#/components/schemas/User' } });
  });

  it('needs no property with a default from a client, and always gets it from the server', () => {
    const Settings = Type.Object(
      { theme: Type.String({ default: 'light' }), name: Type.String() },
      { $id: 'Settings' },
    );
    const { components } = described(Settings);
    expect(components['Settings']).toMatchObject({ required: ['theme', 'name'] });
    expect(components['SettingsInput']).toMatchObject({ required: ['name'] });
    expect(Object.keys(components)).toHaveLength(2);
  });

  it.each<[string, TSchema]>([
    ['function', Type.Function([], Type.String())],
    ['bigint', Type.BigInt()],
    ['symbol', Type.Symbol()],
    ['constructor', Type.Constructor([], Type.String())],
  ])('is refused at start if it holds a %s, with the route and the place', async (type, schema) => {
    const app = appWith(Type.Object({ deep: Type.Array(schema) }));
    const error = await app.listen({ port: 0 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidAppError);
    expect((error as InvalidAppError).errors).toMatchObject([
      {
        code: 'OPENAPI_TYPE',
        route: 'POST /x',
        message: `Cannot describe POST /x: the body at /properties/deep/items is a ${type}, which JSON does not have. Use a type that can be sent, such as a string with a Type.Codec().`,
      },
    ]);
    expect(() => app.openapi()).toThrow(InvalidAppError);
  });

  it('is refused if it refers to one that is nowhere', () => {
    expect(() => appWith(Type.Array(Type.Ref('Nobody'))).openapi()).toThrow(
      /OPENAPI_REF.*POST \/x: the body at \/items refers to 'Nobody', which is nowhere in the app/s,
    );
  });
});
