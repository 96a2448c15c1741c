import {
  createContainer,
  dependency,
  inject,
  Injectable,
  INVALID,
  lazy,
  token,
  type ExternalSource,
  type Lazy,
  type SeveralFailedError,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

/** A generator dependency that writes down what happens to it. */
function noted(log: string[], name: string, needs: Parameters<typeof dependency>[0] = {}) {
  return dependency(
    needs,
    function* (): Generator<string, void> {
      log.push(`+${name}`);
      try {
        yield name;
      } catch (error) {
        log.push(`!${name} ${(error as Error).message}`);
      } finally {
        log.push(`-${name}`);
      }
    },
    { name },
  );
}

describe('a scope', () => {
  @Injectable({ scope: 'request' })
  class Session {}

  it('makes one object, and another scope another', async () => {
    const a = dependency({ session: Session }, ({ session }) => session);
    await using container = createContainer();
    await container.start(a);
    await using one = container.openScope();
    await using two = container.openScope();
    expect(await one.get(a)).toBe(await one.get(Session));
    expect(await one.get(a)).not.toBe(await two.get(a));
  });

  it('runs what its plan names, synchronously, sharing what several need', async () => {
    let runs = 0;
    const shared = dependency({}, () => (runs += 1));
    const needs = [1, 2, 3].map((n) => ({
      label: `n${n}`,
      key: dependency({ shared }, (v) => v.shared * n),
    }));
    await using container = createContainer();
    const plan = container.plan(needs, { name: 'three' });
    await container.start();
    await using scope = container.openScope(plan);
    const slots = scope.run();
    expect(slots).not.toBeInstanceOf(Promise);
    expect(plan.entries.map((slot) => (slots as unknown[])[slot])).toEqual([1, 2, 3]);
    expect(runs).toBe(1);
    expect(await scope.get(shared)).toBe(1);
    expect(runs).toBe(1);
  });

  it('waits for what is asynchronous, in the order of the plan', async () => {
    const log: string[] = [];
    const user = dependency({}, async () => {
      log.push('user');
      await Promise.resolve();
      return 'Ada';
    });
    const page = dependency({ user }, (v) => {
      log.push('page');
      return `page of ${v.user}`;
    });
    await using container = createContainer();
    const plan = container.plan([{ key: page }], { name: 'page' });
    await container.start();
    await using scope = container.openScope(plan);
    expect((await scope.run())[plan.entries[0]!]).toBe('page of Ada');
    expect(log).toEqual(['user', 'page']);
  });

  it('makes an asynchronous value once for all who ask at the same time', async () => {
    let runs = 0;
    const user = dependency({}, async () => (runs += 1));
    await using container = createContainer();
    const plan = container.plan([{ key: user }], { name: 'page' });
    await container.start();
    await using scope = container.openScope(plan);
    await Promise.all([scope.run(), scope.get(user), scope.get(user)]);
    expect(runs).toBe(1);
  });

  it('keeps a value of undefined', async () => {
    let runs = 0;
    const nothing = dependency({}, () => {
      runs += 1;
      return undefined;
    });
    await using container = createContainer();
    await container.start(nothing);
    await using scope = container.openScope();
    await scope.get(nothing);
    await scope.get(nothing);
    expect(runs).toBe(1);
  });

  it('never waits for an instance of a class, even if it has a then', async () => {
    @Injectable({ scope: 'request' })
    class Query {
      asked = 0;
      // oxlint-disable-next-line unicorn/no-thenable -- as query builders have
      then(): void {
        this.asked += 1;
      }
    }
    const count = dependency({ query: Query }, ({ query }) => query.asked);
    await using container = createContainer();
    const plan = container.plan([{ key: count }], { name: 'query' });
    await container.start();
    await using scope = container.openScope(plan);
    const slots = scope.run();
    expect((slots as unknown[])[plan.entries[0]!]).toBe(0);
    await using other = container.openScope();
    expect(await other.get(count)).toBe(0);
  });

  it('is TA120 once it has ended, and says which it was', async () => {
    await using container = createContainer();
    const plan = container.plan([], { name: 'GET /users' });
    await container.start(Session);
    const scope = container.openScope(plan);
    await scope.close();
    await expect(scope.get(Session)).rejects.toMatchObject({
      code: 'TA120',
      message: expect.stringContaining(
        'Session was asked of the scope of GET /users, which has ended',
      ),
    });
  });

  it('gives every place its own transient', async () => {
    @Injectable({ scope: 'transient' })
    class Watch {}
    const one = dependency({ watch: Watch }, (v) => v.watch);
    const two = dependency({ watch: Watch }, (v) => v.watch);
    await using container = createContainer();
    const plan = container.plan([{ key: one }, { key: two }, { key: Watch }], { name: 'watches' });
    await container.start();
    await using scope = container.openScope(plan);
    const slots = await scope.run();
    expect(new Set(plan.entries.map((slot) => slots[slot])).size).toBe(3);
    expect(await scope.get(Watch)).not.toBe(await scope.get(Watch));
  });

  it('answers inject() and lazy() of what it makes, from itself', async () => {
    @Injectable({ scope: 'request' })
    class Page {
      readonly session = inject(Session);
      readonly later: Lazy<Session> = inject(lazy(() => Session));
    }
    await using container = createContainer();
    await container.start(Page);
    await using scope = container.openScope();
    const page = await scope.get(Page);
    expect(page.session).toBe(await scope.get(Session));
    expect(page.later.get()).toBe(page.session);
  });

  it('is TA123 when inject() asks for what must be awaited', async () => {
    const user = dependency({}, async () => 'Ada', { name: 'user' });
    const page = dependency({}, () => inject(user));
    await using container = createContainer();
    await container.start();
    await using scope = container.openScope();
    await expect(scope.get(page)).rejects.toMatchObject({ code: 'TA123' });
  });

  it('is TA124 when two of its objects inject() each other', async () => {
    @Injectable({ scope: 'request' })
    class Hen {
      readonly egg: unknown = inject(Egg);
    }
    @Injectable({ scope: 'request' })
    class Egg {
      readonly hen = inject(Hen);
    }
    await using container = createContainer();
    const plan = container.plan([{ key: Hen }], { name: 'farm' });
    await container.start();
    await using scope = container.openScope(plan);
    expect(() => scope.run()).toThrow(expect.objectContaining({ code: 'TA124' }));
  });
});

describe('inputs that come with a scope', () => {
  const input = (name: string) =>
    ({
      kind: 'external',
      name,
      carriedBy: 'any',
      reader: () => (carrier: Record<string, unknown>) => carrier[name],
    }) as unknown as ExternalSource & ReturnType<typeof token<string>>;

  it('are all read though one is not valid, and nothing is made of them', async () => {
    const made: string[] = [];
    const [a, b] = [input('a'), input('b')];
    const both = dependency({ a, b }, () => made.push('both'));
    const read: string[] = [];
    const carrier = {
      get a() {
        read.push('a');
        return INVALID;
      },
      get b() {
        read.push('b');
        return 'fine';
      },
    };
    await using container = createContainer();
    const plan = container.plan([{ key: both }], { name: 'inputs' });
    await container.start();
    await using scope = container.openScope(plan, carrier);
    await scope.run();
    expect([read, made]).toEqual([['a', 'b'], []]);
  });

  it('are all read for who asks outside of the plan, though one is not valid', async () => {
    const read: string[] = [];
    const made: string[] = [];
    const noting = (name: string, value: unknown) =>
      ({
        kind: 'external',
        name,
        carriedBy: 'any',
        reader: () => () => {
          read.push(name);
          return value;
        },
      }) as unknown as ReturnType<typeof input>;
    const inputs = {
      a: noting('a', INVALID),
      b: noting('b', Promise.resolve(INVALID)),
      c: noting('c', 1),
    };
    const page = dependency(inputs, () => made.push('page'), { name: 'page' });
    await using container = createContainer();
    await container.start();
    await using scope = container.openScope();
    await expect(scope.get(page)).rejects.toMatchObject({ code: 'TA125' });
    expect([read, made]).toEqual([['a', 'b', 'c'], []]);
  });

  it('are TA125 for who asks outside of the plan, when they are not valid', async () => {
    let runs = 0;
    const page = dependency({ a: input('a') }, () => (runs += 1), { name: 'page' });
    await using container = createContainer();
    await container.start();
    await using scope = container.openScope(undefined, { a: INVALID });
    await expect(scope.get(page)).rejects.toMatchObject({ code: 'TA125' });
    expect(runs).toBe(0);
  });
});

describe('clean-up', () => {
  it('runs in reverse order of creation, each once', async () => {
    const log: string[] = [];
    const first = noted(log, 'first');
    const second = noted(log, 'second', { first });
    await using container = createContainer();
    await container.start(second);
    const scope = container.openScope();
    await scope.get(second);
    await scope.close();
    await scope.close();
    expect(log).toEqual(['+first', '+second', '-second', '-first']);
  });

  it('runs in full though one fails, and reports every failure', async () => {
    const ended: string[] = [];
    @Injectable({ scope: 'request' })
    class A {
      async [Symbol.asyncDispose]() {
        ended.push('a');
        throw new Error('a is stuck');
      }
    }
    @Injectable({ scope: 'request' })
    class B {
      constructor(readonly a: A) {}
      [Symbol.dispose]() {
        ended.push('b');
        throw new Error('b is stuck');
      }
    }
    @Injectable({ scope: 'request' })
    class C {
      constructor(readonly b: B) {}
      [Symbol.dispose]() {
        ended.push('c');
      }
    }
    await using container = createContainer();
    await container.start(C);
    const scope = container.openScope();
    await scope.get(C);
    const error = await scope.close().catch((e: unknown) => e);
    expect(ended).toEqual(['c', 'b', 'a']);
    expect(error).toMatchObject({ code: 'TA131' });
    expect((error as SeveralFailedError).errors).toEqual([
      new Error('b is stuck'),
      new Error('a is stuck'),
    ]);
  });

  it('throws a single failure as it is', async () => {
    const broken = dependency({}, function* (): Generator<number, void> {
      yield 1;
      throw new Error('commit failed');
    });
    await using container = createContainer();
    await container.start(broken);
    const scope = container.openScope();
    await scope.get(broken);
    await expect(scope.close()).rejects.toThrow(new Error('commit failed'));
  });

  it('brings the failure of the handler to every yield, and is silent when it is thrown again', async () => {
    const log: string[] = [];
    const inner = noted(log, 'inner'); // swallows it
    const rethrows = dependency({ inner }, async function* (): AsyncGenerator<number, void> {
      try {
        yield 1;
      } catch (error) {
        log.push('rethrows');
        throw error;
      }
    });
    await using container = createContainer();
    await container.start(rethrows);
    const scope = container.openScope();
    await scope.get(rethrows);
    await scope.close({ error: new Error('boom') });
    expect(log).toEqual(['+inner', 'rethrows', '!inner boom', '-inner']);
  });

  it('ends what is scoped to the handler before the rest, and only that with closeHandler()', async () => {
    const log: string[] = [];
    const session = noted(log, 'session');
    const tx = dependency(
      { session },
      async function* (): AsyncGenerator<string, void> {
        yield 'tx';
        log.push('-tx');
      },
      { scope: 'handler' },
    );
    await using container = createContainer();
    await container.start(tx);
    const scope = container.openScope();
    await scope.get(tx);
    await scope.closeHandler();
    expect(log).toEqual(['+session', '-tx']);
    await scope.close();
    expect(log).toEqual(['+session', '-tx', '-session']);
    await using other = container.openScope();
    await other.get(tx);
    await other.close(); // nobody called closeHandler()
    expect(log.slice(3)).toEqual(['+session', '-tx', '-session']);
  });

  it('complains about a generator that yields twice, or never', async () => {
    const twice = dependency(
      {},
      function* (): Generator<number, void> {
        yield 1;
        yield 2;
      },
      { name: 'twice' },
    );
    const never = dependency({}, async function* (): AsyncGenerator<number, void> {}, {
      name: 'never',
    });
    await using container = createContainer();
    await container.start(twice, never);
    const scope = container.openScope();
    await scope.get(twice);
    await expect(scope.get(never)).rejects.toThrow('never ended without a yield');
    await expect(scope.close()).rejects.toThrow('twice must yield exactly once');
  });

  it('ends an object that several keys lead to once', async () => {
    let ended = 0;
    abstract class Store {}
    @Injectable({ scope: 'request' })
    class MemoryStore extends Store {
      [Symbol.dispose]() {
        ended += 1;
      }
    }
    await using container = createContainer().provide(Store, { class: MemoryStore });
    await container.start(Store);
    const scope = container.openScope();
    expect(await scope.get(Store)).toBe(await scope.get(MemoryStore));
    await scope.close();
    expect(ended).toBe(1);
  });

  it('does not end what a function merely returns: it may be somebody else’s', async () => {
    let ended = 0;
    const shared = { [Symbol.dispose]: () => (ended += 1) };
    const borrowed = dependency({}, () => shared);
    await using container = createContainer();
    await container.start(borrowed);
    const scope = container.openScope();
    await scope.get(borrowed);
    await scope.close();
    expect(ended).toBe(0);
  });
});
