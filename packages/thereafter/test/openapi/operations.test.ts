import {
  body,
  Controller,
  createApp,
  dependency,
  form,
  Get,
  header,
  Inject,
  Injectable,
  MethodNotAllowed,
  NotFound,
  path,
  Post,
  Problem,
  query,
  secures,
  token,
  type App,
  type OpenApiDocument,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';

const app = (): App => createApp(QUIET);
type Operation = OpenApiDocument['paths'][string][string];

/** The only operation of an app. */
function operationOf(one: App): Operation {
  const [item] = Object.values(one.openapi().paths);
  return Object.values(item!)[0]!;
}

describe('the document of an app', () => {
  it('has its title, version and description', () => {
    const { info } = createApp({
      title: 'Shop',
      version: '2.0.0',
      description: 'Sells.',
    }).openapi();
    expect(info).toEqual({ title: 'Shop', version: '2.0.0', description: 'Sells.' });
    expect(app().openapi()).toMatchObject({
      info: { title: 'app', version: '0.0.0' },
      servers: [{ url: '.' }],
    });
  });

  it('has the servers, license, contact and terms that the app names', () => {
    const about = {
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
      contact: { name: 'Ada', email: 'ada@shop.example' },
      termsOfService: 'https://shop.example/terms',
    };
    const servers = [{ url: 'https://api.shop.example/v1', description: 'For all' }] as const;
    const document = createApp({ openapi: { ...about, servers } }).openapi();
    expect(document.info).toEqual({ title: 'app', version: '0.0.0', ...about });
    expect(document.servers).toEqual(servers);
  });

  it('is made without building anything', () => {
    let built = 0;
    @Injectable()
    class Database {
      constructor() {
        built += 1;
      }
    }
    @Controller()
    class Users {
      constructor(readonly database: Database) {
        built += 1;
      }
      @Get('/users')
      all() {}
    }
    expect(Object.keys(app().include(Users).openapi().paths)).toEqual(['/users']);
    expect(built).toBe(0);
  });

  it('can be asked for before, between and after registrations, and does not change the app', async () => {
    const one = app();
    expect(one.openapi().paths).toEqual({});
    one.get('/a', () => 'a');
    expect(Object.keys(one.openapi().paths)).toEqual(['/a']);
    await using _ = one;
    await one.listen({ port: 0, host: '127.0.0.1' });
    expect(Object.keys(one.openapi().paths)).toEqual(['/a']);
  });
});

describe('what is not documented', () => {
  it('is not in the document, and answers all the same', async () => {
    @Controller('/staff', { documented: false })
    class Staff {
      @Get('/', { operationId: 'same', response: Type.String({ $id: 'Secret' }) })
      all() {
        return 'Ada';
      }
    }
    @Controller('/guests')
    class Guests {
      @Get('/', { operationId: 'same' })
      all() {}

      @Get('/vip', { documented: false, tags: ['vip'] })
      vip() {}
    }
    const one = app()
      .include(Staff, Guests)
      .include({ prefix: '/old', documented: false }, Guests)
      .get('/ping', { documented: false }, () => 'pong');
    const { paths, tags, components } = one.openapi();
    expect(Object.keys(paths)).toEqual(['/guests']);
    expect([tags, components]).toEqual([undefined, {}]);
    await using server = await serve(one);
    const asked = ['/staff', '/guests/vip', '/old/guests', '/ping'];
    const statuses = await Promise.all(asked.map(async (at) => (await server.fetch(at)).status));
    expect(statuses).toEqual([200, 204, 204, 200]);
  });
});

describe('a path in the document', () => {
  const pathsOf = (...paths: string[]): string[] => {
    const one = app();
    for (const each of paths) one.get(each, () => 'it');
    return Object.keys(one.openapi().paths);
  };

  it.each([
    ['/users/:id', ['/users/{id}']],
    ['/files/*', ['/files/{wildcard}']],
    ['/at/:hour-:minute', ['/at/{hour}-{minute}']],
    ['/images/:name.png', ['/images/{name}.png']],
    ['/years/:year(^\\d{4}$)', ['/years/{year}']],
    ['/either/:x((?:a|b))/:y', ['/either/{x}/{y}']],
    ['/maybe/:name?', ['/maybe', '/maybe/{name}']],
    ['/::colon', ['/:colon']],
  ])('shows %s as %j', (given, expected) => {
    expect(pathsOf(given)).toEqual(expected);
  });

  it('is one for methods that call its parameter differently', () => {
    const { paths } = app()
      .get('/users/:id', () => 'it')
      .put('/users/:user', { in: { user: path('user', Type.Integer()) } }, () => 'it')
      .openapi();
    expect(Object.keys(paths)).toEqual(['/users/{id}']);
    expect(paths['/users/{id}']!['put']!.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
    ]);
  });

  it('has its parameters even if nobody reads them by a schema', () => {
    const one = app().get('/years/:year(^\\d{4}$)', () => 'it');
    expect(operationOf(one).parameters).toEqual([
      { name: 'year', in: 'path', required: true, schema: { type: 'string', pattern: '^\\d{4}$' } },
    ]);
  });
});

describe('the inputs of an operation', () => {
  it('are parameters: optional ones and those with a default need not be sent', () => {
    const filter = Type.Object({
      limit: Type.Integer({ default: 20, description: 'How many' }),
      sort: Type.Optional(Type.String()),
      q: Type.String({ deprecated: true }),
    });
    const one = app().get('/', { in: { filter: query(filter) } }, () => 'it');
    expect(operationOf(one).parameters).toEqual([
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'How many',
        schema: { type: 'integer', default: 20 },
      },
      { name: 'sort', in: 'query', required: false, schema: { type: 'string' } },
      { name: 'q', in: 'query', required: true, deprecated: true, schema: { type: 'string' } },
    ]);
  });

  it('are found through dependencies, classes and what is provided for a token', () => {
    const language = dependency({ it: header('Accept-Language', Type.String()) }, ({ it }) => it);
    const Locale = token<string>('Locale');
    @Injectable({ scope: 'request' })
    class Translator {
      constructor(@Inject(Locale) readonly locale: string) {}
    }
    @Controller()
    class Words {
      @Get('/')
      all(_translator: Translator) {}
    }
    const nested = dependency({ language }, ({ language: it }) => it);
    const one = app().provide(Locale, { make: nested }).include(Words);
    expect(operationOf(one).parameters).toEqual([
      { name: 'accept-language', in: 'header', required: true, schema: { type: 'string' } },
    ]);
    expect(operationOf(one).responses).toHaveProperty('422');
  });

  it('are not those of what is overridden', () => {
    const page = dependency({ after: query('after', Type.String()) }, ({ after }) => after);
    const one = app().get('/', { in: { page, id: query('id', Type.String()) } }, () => 'ok');
    expect(operationOf(one.override(page, 'all')).parameters?.map(({ name }) => name)).toEqual([
      'id',
    ]);
  });

  it('are found in guards, and each stands there once', () => {
    const tenant = header('x-tenant', Type.String());
    const guard = dependency({ tenant }, () => true);
    const one = app().get('/', { use: [guard], in: { tenant } }, () => 'it');
    expect(operationOf(one).parameters).toHaveLength(1);
  });

  it('must please all who read the same parameter', () => {
    const guard = dependency({ it: query('n', Type.Optional(Type.Integer())) }, () => true);
    const one = app().get(
      '/',
      { use: [guard], in: { n: query('n', Type.Number({ minimum: 1 })) } },
      () => 'it',
    );
    expect(operationOf(one).parameters).toEqual([
      {
        name: 'n',
        in: 'query',
        required: true,
        schema: { allOf: [{ type: 'integer' }, { type: 'number', minimum: 1 }] },
      },
    ]);
  });

  it('may be a body', () => {
    const one = app().post('/', { in: { it: body(Type.Object({})) } }, () => 'it');
    expect(operationOf(one).requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { type: 'object', properties: {} } } },
    });
  });
});

describe('the responses of an operation', () => {
  const codes = (one: App): string[] => Object.keys(operationOf(one).responses);

  it('are what it declares, and what its inputs are refused with', () => {
    expect(codes(app().get('/', () => 'it'))).toEqual(['200']);
    const made = { status: 201, in: { q: query('q', Type.String()) } };
    expect(codes(app().post('/', made, () => 'it'))).toEqual(['201', '400', '422']);
    const sent = { in: { b: body(Type.String()) } };
    const refusals = ['400', '413', '415', '422'];
    expect(codes(app().post('/', sent, () => 'it'))).toEqual(['200', ...refusals]);
    const formed = { in: { f: form('a', Type.String()) } };
    expect(codes(app().post('/', formed, () => 'it'))).toEqual(['200', ...refusals]);
    const named = { in: { id: path('id', Type.String()) } };
    expect(codes(app().get('/:id', named, () => 'it'))).toEqual(['200', '422']);
  });

  it('have no content where nothing is sent', () => {
    const one = app().delete('/', { status: 204, response: Type.Void() }, () => {});
    expect(operationOf(one).responses).toEqual({ 204: { description: 'No Content' } });
  });

  it('are plain text for a string, which is sent as it is', () => {
    const one = app().get('/', { response: Type.String() }, () => 'it');
    expect(operationOf(one).responses['200']!.content).toEqual({
      'text/plain': { schema: { type: 'string' } },
    });
  });

  it('show a declared problem with the members that it adds', () => {
    class OutOfStock extends Problem.define({
      type: '/problems/out-of-stock',
      status: 409,
      title: 'Out of stock',
      extension: Type.Object({ left: Type.Integer() }),
    }) {}
    const one = app().get('/', { errors: [OutOfStock, NotFound, MethodNotAllowed] }, () => 'it');
    const reference = (name: string) => ({
      'application/problem+json': { schema: { $ref: `#/components/schemas/${name}` } },
    });
    expect(operationOf(one).responses).toEqual({
      200: { description: 'OK' },
      404: { description: 'Not Found', content: reference('Problem') },
      405: { description: 'Method Not Allowed', content: reference('Problem') },
      409: { description: 'Out of stock', content: reference('OutOfStock') },
    });
    expect(one.openapi().components.schemas!['OutOfStock']).toEqual({
      allOf: [
        { $ref: '#/components/schemas/Problem' },
        {
          type: 'object',
          required: ['type', 'title', 'status', 'left'],
          properties: {
            type: { const: '/problems/out-of-stock' },
            title: { const: 'Out of stock' },
            status: { const: 409 },
            left: { type: 'integer' },
          },
        },
      ],
    });
  });

  it('refuse a problem whose status cannot be known', () => {
    class Picky extends Problem {
      override readonly status: number;
      constructor(reason: { status: number }) {
        super();
        this.status = reason.status.valueOf();
      }
    }
    expect(() =>
      app()
        .get('/', { errors: [Picky] }, () => 'it')
        .openapi(),
    ).toThrow(/OPENAPI_PROBLEM.*GET \/: making a Picky to read its status failed/s);
  });
});

describe('the name of an operation', () => {
  @Controller('/users', { tags: ['users'] })
  class UsersController {
    @Get('/', { tags: ['lists'], summary: 'All', description: '*All* of them', deprecated: true })
    list() {}
    @Post('/')
    addOne() {}
  }
  const idsOf = (one: App): string[] =>
    Object.values(one.openapi().paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );

  it('is made from controller and method, or from method and path', () => {
    const one = app()
      .include(UsersController)
      .get('/users/:id/notes', () => 'it')
      .get('/', () => 'home');
    expect(idsOf(one)).toEqual(['usersList', 'usersAddOne', 'getUsersByIdNotes', 'get']);
  });

  it('is another one where a controller is included twice', () => {
    const one = app().include('/v1', UsersController).include('/v2', UsersController);
    expect(idsOf(one)).toEqual(['usersList', 'usersAddOne', 'getV2Users', 'postV2Users']);
  });

  it('can be given, and is refused if two routes claim it', () => {
    const one = app().get('/a', { operationId: 'mine' }, () => 'it');
    expect(idsOf(one)).toEqual(['mine']);
    one.get('/b', { operationId: 'mine' }, () => 'it');
    expect(() => one.openapi()).toThrow(
      /OPENAPI_OPERATION_ID.*GET \/b: its operationId 'mine' is that of GET \/a too/s,
    );
  });

  it('stands beside tags, summary, description and deprecation', () => {
    const { paths, tags } = app().include(UsersController).openapi();
    expect(paths['/users']!['get']).toMatchObject({
      tags: ['users', 'lists'],
      summary: 'All',
      description: '*All* of them',
      deprecated: true,
    });
    expect(paths['/users']!['post']).toMatchObject({ tags: ['users'], summary: 'Add one' });
    expect(tags).toEqual([{ name: 'users' }, { name: 'lists' }]);
  });
});

describe('the security of an operation', () => {
  const bearer = { bearer: { type: 'http', scheme: 'bearer' } } as const;

  it('is that of all inputs and dependencies that it reaches', () => {
    const credential = secures(header('authorization', Type.String()), bearer);
    const user = dependency({ credential }, () => 1);
    const admin = secures(
      dependency({ user }, () => true),
      { staff: { type: 'apiKey', in: 'cookie', name: 'sid' } },
    );
    const one = app().get('/', { use: [admin] }, () => 'it');
    expect(operationOf(one)).toMatchObject({ security: [{ staff: [], bearer: [] }] });
    expect(operationOf(one)).not.toHaveProperty('parameters');
    expect(one.openapi().components.securitySchemes).toEqual({
      staff: { type: 'apiKey', in: 'cookie', name: 'sid' },
      ...bearer,
    });
  });

  it('is a key in the header where that is all that is known', () => {
    const one = app().get('/', { in: { it: header('Authorization', Type.String()) } }, () => 'it');
    expect(operationOf(one).security).toEqual([{ authorization: [] }]);
    expect(one.openapi().components.securitySchemes).toEqual({
      authorization: { type: 'apiKey', in: 'header', name: 'Authorization' },
    });
  });

  it('may be optional, or nothing', () => {
    const credential = secures(header('authorization', Type.Optional(Type.String())), bearer);
    const one = app().get('/', { in: { credential } }, () => 'it');
    expect(operationOf(one).security).toEqual([{ bearer: [] }, {}]);
    expect(operationOf(app().get('/', () => 'it')).security).toEqual([]);
  });
});
