import {
  createContainer,
  dependency,
  inject,
  Injectable,
  lazy,
  token,
  type Lazy,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

/** A promise and its ends. */
const gate = () => Promise.withResolvers<void>();

describe('a container', () => {
  it('injects constructors three deep with nothing registered', async () => {
    @Injectable()
    class Clock {}
    @Injectable()
    class Mailer {
      constructor(readonly clock: Clock) {}
    }
    @Injectable()
    class Notes {
      constructor(readonly mailer: Mailer) {}
    }
    await using container = createContainer();
    await container.start(Notes);
    expect(container.get(Notes).mailer.clock).toBe(container.get(Clock));
  });

  it('shares nothing with another', async () => {
    @Injectable()
    class Counter {}
    await using one = createContainer();
    await using two = createContainer();
    await one.start(Counter);
    await two.start(Counter);
    expect(one.get(Counter)).not.toBe(two.get(Counter));
  });

  it('gives the provided value, class or dependency, the last word counting', async () => {
    const Port = token<number>('Port');
    const Name = token<string>('Name');
    abstract class Store {}
    @Injectable()
    class MemoryStore extends Store {}
    await using container = createContainer()
      .provide(Port, { value: 1 })
      .provide(Port, { value: 2 })
      .provide(Store, { class: MemoryStore })
      .provide(Name, {
        make: dependency({ port: Port }, ({ port }) => `at ${port}`, { scope: 'singleton' }),
      });
    await container.start(Port, Store, Name);
    expect(container.get(Port)).toBe(2);
    expect(container.get(Name)).toBe('at 2');
    expect(container.get(Store)).toBeInstanceOf(MemoryStore);
    expect(container.get(Store)).toBe(container.get(MemoryStore));
  });

  it('makes a singleton once under 50 concurrent first requests, with an async factory too', async () => {
    let made = 0;
    const opened = gate();
    @Injectable()
    class Config {
      constructor() {
        made += 1;
      }
    }
    const pool = dependency(
      { config: Config },
      async () => {
        made += 1;
        await opened.promise;
        return {};
      },
      { scope: 'singleton' },
    );
    const user = dependency({ pool }, (values) => values.pool);
    await using container = createContainer();
    await container.start(); // neither is known yet
    const scopes = Array.from({ length: 50 }, () => container.openScope());
    const asked = scopes.map((scope) => scope.get(user));
    opened.resolve();
    expect(new Set(await Promise.all(asked)).size).toBe(1);
    expect(made).toBe(2);
    await Promise.all(scopes.map((scope) => scope.close()));
  });

  it('builds async singletons at start, those that do not need one another at once', async () => {
    const begun = [gate(), gate()];
    const wait = (mine: number) => async () => {
      begun[mine]!.resolve();
      await begun[1 - mine]!.promise; // ends only if the other has begun too
      return mine;
    };
    const singleton = { scope: 'singleton' } as const;
    const left = dependency({}, wait(0), singleton);
    const right = dependency({}, wait(1), singleton);
    const sum = dependency({ left, right }, (v) => v.left + v.right, singleton);
    await using container = createContainer();
    await container.start(sum);
    expect(container.get(sum)).toBe(1);
  });

  it('ends what it has built when a singleton fails, and throws what failed', async () => {
    const ended: string[] = [];
    @Injectable()
    class Pool {
      [Symbol.dispose]() {
        ended.push('pool');
      }
    }
    const late = gate();
    const singleton = { scope: 'singleton' } as const;
    const slow = dependency(
      { pool: Pool },
      async function* (): AsyncGenerator<number, void> {
        await late.promise;
        try {
          yield 1;
        } finally {
          ended.push('slow');
        }
      },
      singleton,
    );
    const broken = dependency(
      {},
      () => {
        late.resolve(); // slow becomes ready only after this has failed
        throw new Error('no database');
      },
      singleton,
    );
    const container = createContainer();
    await expect(container.start(slow, broken)).rejects.toThrow('no database');
    expect(ended).toEqual(['slow', 'pool']);
    expect(() => container.get(Pool)).toThrow(expect.objectContaining({ code: 'TA120' }));
  });

  it('tries a constructor that throws once, however many need it', async () => {
    let tries = 0;
    @Injectable()
    class Broken {
      constructor() {
        tries += 1;
        throw new Error('no database');
      }
    }
    const needs = [1, 2].map((n) =>
      dependency({ broken: Broken }, () => n, { scope: 'singleton' }),
    );
    await expect(createContainer().start(...needs)).rejects.toThrow(new Error('no database'));
    expect(tries).toBe(1);
  });

  it('is TA130 with every error when several singletons fail', async () => {
    const fail = (why: string) =>
      dependency({}, () => Promise.reject(new Error(why)), { scope: 'singleton' });
    await expect(createContainer().start(fail('a'), fail('b'))).rejects.toMatchObject({
      code: 'TA130',
      errors: [{ message: 'a' }, { message: 'b' }],
    });
  });

  it('ends singletons in reverse order of creation, each once, the others too when one throws', async () => {
    const ended: string[] = [];
    @Injectable()
    class First {
      async [Symbol.asyncDispose]() {
        ended.push('first');
      }
    }
    @Injectable()
    class Second {
      constructor(readonly first: First) {}
      [Symbol.dispose]() {
        ended.push('second');
        throw new Error('stuck');
      }
    }
    const third = dependency(
      { second: Second },
      function* (): Generator<number, void> {
        yield 3;
        ended.push('third');
      },
      { scope: 'singleton' },
    );
    const container = createContainer();
    await container.start(third);
    await expect(container.close()).rejects.toThrow('stuck');
    expect(ended).toEqual(['third', 'second', 'first']);
    await container.close();
    expect(ended).toHaveLength(3);
  });

  it('does not end a provided value, nor one that overrides', async () => {
    const ended: unknown[] = [];
    class Pool {
      [Symbol.dispose]() {
        ended.push(this);
      }
    }
    const Other = token<Pool>('Other');
    const container = createContainer()
      .provide(Pool, { value: new Pool() })
      .override(Other, new Pool());
    await container.start(Pool, Other);
    await container.close();
    expect(ended).toEqual([]);
  });

  it('refuses registrations, plans and a second start once it has started', async () => {
    await using container = createContainer();
    await container.start();
    const Late = token<number>('Late');
    const late = expect.objectContaining({ code: 'TA126' }) as Error;
    expect(() => container.provide(Late, { value: 1 })).toThrow(
      /Late was registered after start\(\)/,
    );
    expect(() => container.override(Late, 1)).toThrow(late);
    expect(() => container.plan([], { name: 'late' })).toThrow(late);
    await expect(container.start()).rejects.toThrow(late);
  });

  it('is TA121 before start and TA120 after close', async () => {
    @Injectable()
    class Thing {}
    const container = createContainer();
    expect(() => container.get(Thing)).toThrow(expect.objectContaining({ code: 'TA121' }));
    expect(() => container.openScope()).toThrow(expect.objectContaining({ code: 'TA121' }));
    await container.start(Thing);
    await container.close();
    expect(() => container.get(Thing)).toThrow(expect.objectContaining({ code: 'TA120' }));
    expect(() => container.openScope()).toThrow(expect.objectContaining({ code: 'TA120' }));
  });

  it('is TA111 when asked for what lives in a scope', async () => {
    @Injectable({ scope: 'request' })
    class Session {}
    await using container = createContainer();
    await container.start(Session);
    expect(() => container.get(Session)).toThrow(expect.objectContaining({ code: 'TA111' }));
  });

  it('is TA111 when asked for a transient that needs what lives in a scope', async () => {
    @Injectable({ scope: 'request' })
    class Session {}
    @Injectable({ scope: 'transient' })
    class Helper {
      constructor(readonly session: Session) {}
    }
    await using container = createContainer();
    await container.start(Helper);
    expect(() => container.get(Helper)).toThrow(
      expect.objectContaining({
        code: 'TA111',
        message: expect.stringContaining('Helper lives for one request'),
      }),
    );
  });

  it('is TA123 when asked for an async singleton that start() was not told of', async () => {
    const pool = dependency({}, async () => 1, { scope: 'singleton' });
    await using container = createContainer();
    await container.start();
    expect(() => container.get(pool)).toThrow(expect.objectContaining({ code: 'TA123' }));
  });

  it('gives every holder its own transient', async () => {
    @Injectable({ scope: 'transient' })
    class Stopwatch {}
    @Injectable()
    class One {
      constructor(readonly watch: Stopwatch) {}
    }
    @Injectable()
    class Two {
      constructor(readonly watch: Stopwatch) {}
    }
    await using container = createContainer();
    await container.start(One, Two);
    expect(container.get(One).watch).toBeInstanceOf(Stopwatch);
    expect(container.get(One).watch).not.toBe(container.get(Two).watch);
  });

  it('reports again, and not as something else, what could not be built the first time', async () => {
    class Plain {}
    await using container = createContainer();
    await container.start();
    expect(() => container.get(Plain)).toThrow(/TA102/);
    expect(() => container.get(Plain)).toThrow(/TA102/);
  });
});

describe('inject()', () => {
  const Port = token<number>('Port');

  it('works in field initialisers and factories of singletons, without metadata', async () => {
    class Server {
      readonly port = inject(Port);
    }
    Injectable()(Server); // no metadata at all
    const address = dependency({}, () => `:${inject(Port)}`, { scope: 'singleton' });
    await using container = createContainer().provide(Port, { value: 80 });
    await container.start(Server, address);
    expect(container.get(Server).port).toBe(80);
    expect(container.get(address)).toBe(':80');
  });

  it('is TA122 where nothing is being built', () => {
    expect(() => inject(Port)).toThrow(expect.objectContaining({ code: 'TA122' }));
  });

  it('is TA124 when two ask for each other, with the way round', async () => {
    @Injectable()
    class Hen {
      readonly egg: unknown = inject(Egg);
    }
    @Injectable()
    class Egg {
      readonly hen = inject(Hen);
    }
    await using container = createContainer();
    await expect(container.start(Hen)).rejects.toMatchObject({
      code: 'TA124',
      message: expect.stringContaining('(Hen → Egg → Hen)'),
    });
  });
});

describe('lazy()', () => {
  @Injectable({ scope: 'request' })
  class Session {}
  @Injectable()
  class Audit {
    readonly session: Lazy<Session> = inject(lazy(() => Session));
  }

  it('reads the current scope, from a singleton', async () => {
    await using container = createContainer();
    await container.start(Audit);
    await using one = container.openScope();
    await using two = container.openScope();
    const { session } = container.get(Audit);
    const seen = await container.enter(one, async () => {
      await Promise.resolve(); // still the same scope after waiting
      return session.get();
    });
    expect(seen).toBe(await one.get(Session));
    expect(container.enter(two, () => session.get())).not.toBe(seen);
  });

  it('is TA122 outside of any scope', async () => {
    await using container = createContainer();
    await container.start(Audit);
    expect(() => container.get(Audit).session.get()).toThrow(
      expect.objectContaining({ code: 'TA122' }),
    );
  });

  it('makes the container track scopes only if it leads to something that lives in one', async () => {
    @Injectable()
    class Config {}
    const of = (key: typeof Config | typeof Session) =>
      dependency({ it: lazy(() => key as typeof Config) }, () => 1, { scope: 'singleton' });
    await using one = createContainer();
    await one.start(of(Config));
    await using two = createContainer();
    await two.start(of(Session));
    expect([one.tracksScopes, two.tracksScopes]).toEqual([false, true]);
  });
});
