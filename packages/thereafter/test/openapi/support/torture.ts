import {
  Body,
  BackgroundTasks,
  BadRequest,
  body,
  Conflict,
  Controller,
  createApp,
  Delete,
  dependency,
  Depends,
  Get,
  Header,
  header,
  Inject,
  Injectable,
  NotFound,
  path,
  Path,
  Post,
  Problem,
  Put,
  query,
  Query,
  secures,
  token,
  type App,
  type AppOptions,
} from 'thereafter';
import { Type, type Static } from 'typebox';

// Every kind of schema, input, path and problem in one app that nobody would write.

const Address = Type.Object({ street: Type.String(), city: Type.String() }, { $id: 'Address' });

const Person = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'As on the door', examples: ['Ada'] }),
    home: Address,
    work: Type.Optional(Address),
    language: Type.String({ default: 'en' }),
    theme: Type.Union([Type.Literal('light'), Type.Literal('dark')], { default: 'light' }),
  },
  { $id: 'https://example.org/schemas/Person' },
);

const Tree = Type.Cyclic(
  {
    Node: Type.Object({
      value: Type.Number(),
      children: Type.Array(Type.Ref('Node')),
      leaf: Type.Optional(Type.Ref('Leaf')),
    }),
    Leaf: Type.Object({ colour: Type.String(), up: Type.Optional(Type.Ref('Node')) }),
  },
  'Node',
);

const Instant = Type.Codec(Type.String({ format: 'date-time' }))
  .Decode((text) => new Date(text))
  .Encode((date) => date.toISOString());

const Everything = Type.Object({
  any: Type.Any(),
  unknown: Type.Unknown(),
  never: Type.Optional(Type.Never()),
  null: Type.Null(),
  flag: Type.Boolean(),
  count: Type.Integer({ minimum: 0, exclusiveMaximum: 10, multipleOf: 2 }),
  ratio: Type.Number(),
  text: Type.String({ pattern: '^a', maxLength: 9, format: 'email' }),
  literal: Type.Literal(7),
  literals: Type.Union([Type.Literal('a'), Type.Literal('b')]),
  mixed: Type.Union([Type.Literal('a'), Type.Literal(1), Type.Null()]),
  enum: Type.Enum(['x', 'y']),
  nullable: Type.Union([Type.String(), Type.Null()]),
  list: Type.Array(Type.Integer(), { uniqueItems: true, minItems: 1 }),
  tuple: Type.Tuple([Type.String(), Type.Tuple([Type.Number()])]),
  empty: Type.Tuple([]),
  record: Type.Record(Type.String(), Type.Tuple([Type.Integer(), Type.Integer()])),
  byPattern: Type.Record(Type.TemplateLiteral('x-${string}'), Type.String()),
  byName: Type.Record(Type.Union([Type.Literal('north'), Type.Literal('south')]), Type.Number()),
  template: Type.TemplateLiteral('id-${number}'),
  both: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.Number() })]),
  closed: Type.Object({ a: Type.String() }, { additionalProperties: false }),
  open: Type.Object({ a: Type.String() }, { additionalProperties: Type.Number() }),
  at: Instant,
  refined: Type.Refine(Type.String(), (text) => text !== 'no'),
  unsafe: Type.Unsafe<string>({ type: 'string', contentEncoding: 'base64' }),
  maybe: Type.Optional(Type.Union([Type.String(), Type.Undefined()])),
  partial: Type.Partial(Type.Object({ a: Type.String() })),
  keys: Type.KeyOf(Type.Object({ a: Type.String(), b: Type.String() })),
  tree: Tree,
  person: Person,
});

class OutOfStock extends Problem.define({
  type: '/problems/out-of-stock',
  status: 409,
  title: 'Out of stock',
  extension: Type.Object({ left: Type.Integer(), where: Type.Optional(Address) }),
}) {}

const Gone = Problem.define({
  type: '/problems/gone',
  status: 410,
  title: 'Gone for good',
  extension: Type.Object({}),
});

const bearer = secures(header('authorization', Type.String()), {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
});
const traced = dependency(
  { trace: header('X-Trace-Id', Type.Optional(Type.String())) },
  ({ trace }) => trace,
);
const currentUser = dependency({ bearer, traced }, () => ({ id: 1 }));
const paging = dependency(
  {
    page: query(
      Type.Object({
        limit: Type.Integer({
          default: 20,
          maximum: 100,
          description: 'How many',
          deprecated: true,
        }),
        sort: Type.Optional(Type.Array(Type.Enum(['name', 'age']))),
        after: Type.String(),
      }),
    ),
  },
  ({ page }) => page,
);

interface Tenant {
  readonly name: string;
}
const Tenant = token<Tenant>('Tenant');
const tenant = dependency({ name: header('x-tenant', Type.String()) }, ({ name }): Tenant => ({
  name,
}));

@Injectable({ scope: 'request' })
class Shop {
  constructor(@Inject(Tenant) readonly tenant: Tenant) {}
}

@Controller('/people', { tags: ['people'], use: [traced] })
class PeopleController {
  @Get('/', { response: Type.Array(Person), summary: 'All people', tags: ['lists'] })
  list(@Depends(paging) _page: unknown): Static<typeof Person>[] {
    return [];
  }

  @Post('/', {
    status: 201,
    response: Person,
    errors: [OutOfStock, Conflict, BadRequest],
    description: 'Adds **one**.',
  })
  create(
    @Depends(currentUser) _user: unknown,
    @Body(Person) person: Static<typeof Person>,
    tasks: BackgroundTasks,
  ) {
    tasks.add(() => {});
    return person;
  }

  @Get('/:id', { response: Person, errors: [NotFound, Gone] })
  one(@Path('id', Type.Integer({ minimum: 1 })) _id: number): Static<typeof Person> {
    throw new NotFound();
  }

  @Put('/:personId', {
    response: Type.Void(),
    status: 204,
    deprecated: true,
    operationId: 'replace',
  })
  replace(
    @Path('personId', Type.Integer()) _id: number,
    @Header('if-match', Type.String()) _match: string,
    _shop: Shop,
  ): void {}

  @Delete('/:id')
  remove(
    @Path('id', Type.Integer()) _id: number,
    @Query('force', Type.Boolean()) _force: boolean,
  ) {}
}

export function torture(options: AppOptions = {}): App {
  return createApp({ title: 'Torture', version: '1.2.3', description: 'Everything.', ...options })
    .provide(Tenant, { make: tenant })
    .include('/v1', PeopleController)
    .include('/v2', PeopleController)
    .post('/everything', { in: { all: body(Everything) }, response: Everything }, ({ all }) => all)
    .post('/tree', { in: { tree: body(Tree) }, response: Type.Array(Tree) }, ({ tree }) => [tree])
    .get('/words', { response: Type.String() }, () => 'words')
    .get('/files/*', { in: { file: path('*', Type.String()) } }, ({ file }) => file)
    .get('/years/:year(^\\d{4}$)', ({ ctx }) => ctx.params)
    .get('/range/:from-:to', ({ ctx }) => ctx.params)
    .get('/maybe/:name?', ({ ctx }) => ctx.params)
    .get('/me', { use: [currentUser] }, () => 'me')
    .get(
      '/optional',
      { in: { who: header('authorization', Type.Optional(Type.String())) } },
      ({ who }) => who ?? 'nobody',
    );
}
