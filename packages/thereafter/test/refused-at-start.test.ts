import {
  body,
  Controller,
  cookie,
  createApp,
  dependency,
  Depends,
  Get,
  header,
  Inject,
  Injectable,
  path,
  Path,
  Post,
  query,
  Query,
  type App,
  type Class,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

/** The codes and messages of everything that keeps an app from starting. */
async function faultsOf(app: App): Promise<readonly string[]> {
  const refusal: unknown = await app.listen({ port: 0 }).catch((error: unknown) => error);
  const { errors } = refusal as { readonly errors: readonly { code: string; message: string }[] };
  return errors.map(({ code, message }) => `${code} ${message}`);
}

const Id = Type.Integer();

describe('a path parameter that its route does not have', () => {
  @Controller('/users')
  class UsersController {
    @Get('/:id')
    one(@Path('idd', Id) id: number) {
      return id;
    }
  }

  const current = dependency({ id: path('userId', Id) }, ({ id }) => id);

  @Controller('/posts/:user')
  class PostsController {
    @Get('/:post')
    one(@Depends(current) user: number) {
      return user;
    }
  }

  @Injectable({ scope: 'request' })
  class Reader {
    constructor(@Path('name', Type.String()) readonly name: string) {}
  }

  it.each<[string, (app: App) => App, string]>([
    [
      'a controller',
      (app) => app.include(UsersController),
      "TA114 GET /users/:id (UsersController.one) asks for path 'idd', which it does not have. Did you mean 'id'? Its path has 'id'.",
    ],
    [
      'a function route',
      (app) => app.get('/:id/:kind', { in: { id: path('knd', Id) } }, () => 1),
      "TA114 GET /:id/:kind asks for path 'knd', which it does not have. Did you mean 'kind'? Its path has 'id' and 'kind'.",
    ],
    [
      'a dependency',
      (app) => app.include(PostsController),
      "TA114 GET /posts/:user/:post (PostsController.one) asks for path 'userId', which it does not have. Did you mean 'user'? Its path has 'user' and 'post'.",
    ],
    [
      'a guard',
      (app) => app.get('/', { use: [current] }, () => 1),
      "TA114 GET / asks for path 'userId', which it does not have. Its path has no parameters: write one, as in '/:userId'.",
    ],
    [
      'a class',
      (app) => app.get('/files/*', { in: { reader: Reader } }, () => 1),
      "TA114 GET /files/* asks for path 'name', which it does not have. Did you mean '*'? Its path has '*'.",
    ],
  ])('is refused in %s, with the nearest name', async (_, register, fault) => {
    expect(await faultsOf(register(createApp(QUIET)))).toEqual([fault]);
  });

  it.each<[string, string]>([
    ['/:id', 'id'],
    ['/:id?', 'id'],
    ['/:id(^\\d+$)', 'id'],
    ['/a/:id-:other', 'id'],
    ['/:other.:id', 'id'],
    ['/files/*', '*'],
  ])('is not %s for %s', async (pattern, name) => {
    await using server = await serve(
      createApp(QUIET).get(
        pattern,
        { in: { id: path(name, Type.Optional(Type.String())) } },
        () => 1,
      ),
    );
    expect(server.url).toMatch(/^http:/);
  });
});

describe('a schema that cannot be compiled', () => {
  const Broken = Type.String({ pattern: '((' });

  it.each<[string, (app: App) => App]>([
    ["query 'q'", (app) => app.get('/', { in: { q: query('q', Broken) } }, () => 1)],
    ["path 'id'", (app) => app.get('/:id', { in: { id: path('id', Broken) } }, () => 1)],
    ["header 'x'", (app) => app.get('/', { in: { x: header('X', Broken) } }, () => 1)],
    ["cookie 'c'", (app) => app.get('/', { in: { c: cookie('c', Broken) } }, () => 1)],
    ['the query', (app) => app.get('/', { in: { q: query(Type.Object({ q: Broken })) } }, () => 1)],
    ['the body', (app) => app.get('/', { in: { b: body(Type.Array(Broken)) } }, () => 1)],
    ['the response', (app) => app.get('/', { response: Broken }, () => 'x')],
  ])('is named with its route: %s', async (what, register) => {
    const [fault, ...others] = await faultsOf(register(createApp(QUIET)));
    expect(others).toEqual([]);
    expect(fault).toMatch(/^SCHEMA_INVALID /);
    expect(fault).toContain(`The schema of ${what} of GET /`);
    expect(fault).toContain('Unterminated group');
    expect(fault).toContain('"pattern":"(("');
  });

  it('is reported with the other ones', async () => {
    @Controller()
    class Two {
      @Get('/a')
      a(@Query('a', Broken) a: string) {
        return a;
      }
      @Post('/b')
      b(@Query('b', Broken) b: string) {
        return b;
      }
    }
    expect(await faultsOf(createApp(QUIET).include(Two))).toEqual([
      expect.stringContaining("query 'a' of Two.a") as string,
      expect.stringContaining("query 'b' of Two.b") as string,
    ]);
  });
});

describe('a controller', () => {
  it('without a route is refused where it is included', () => {
    @Controller('/empty')
    class Empty {}
    expect(() => createApp(QUIET).include(Empty)).toThrow(
      /^Empty is a controller without a route: write @Get/,
    );
  });

  it('that inherits its routes is not', async () => {
    class Base {
      @Get('/')
      hello() {
        return 'hello';
      }
    }
    @Controller('/derived')
    class Derived extends Base {}
    await using server = await serve(createApp(QUIET).include(Derived));
    expect(await (await server.fetch('/derived')).text()).toBe('hello');
  });
});

describe('a standard decorator', () => {
  // What a compiler makes of them that was not told `experimentalDecorators`.
  const ofClass = { kind: 'class', name: 'A', addInitializer: () => undefined, metadata: {} };
  const ofMethod = { ...ofClass, kind: 'method', name: 'a', static: false, private: false };

  it.each<[string, unknown, object]>([
    ['Controller', Controller('/'), ofClass],
    ['Injectable', Injectable(), ofClass],
    ['Get', Get('/'), ofMethod],
    ['Post', Post('/'), ofMethod],
  ])('is refused, saying what to set: @%s', (name, decorator, context) => {
    const decorate = decorator as (target: unknown, context: object) => void;
    expect(() => decorate(class A {}, context)).toThrow(
      new RegExp(`^@${name} was compiled as a standard decorator.*"experimentalDecorators"`),
    );
  });
});

describe('@Inject of a function that is no class', () => {
  it('points to lazy()', async () => {
    @Injectable()
    class Later {}
    @Injectable()
    class Now {
      constructor(@Inject((() => Later) as unknown as Class<Later>) readonly later: Later) {}
    }
    const [fault] = await faultsOf(createApp(QUIET).get('/', { in: { now: Now } }, () => 1));
    expect(fault).toMatch(/^TA108 .*@Inject\(lazy\(\(\) => TheClass\)\)/);
  });
});
