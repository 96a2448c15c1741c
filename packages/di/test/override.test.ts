import { once } from 'node:events';
import {
  createContainer,
  dependency,
  inject,
  inject as ask, // as a user may import it
  Injectable,
  lazy,
  token,
  type Class,
  type Container,
  type Lazy,
  type Source,
} from '../src/index.ts';
import { describe, expect, it, onTestFinished } from 'vitest';

interface Clock {
  now(): number;
}
const Clock = token<Clock>('Clock');
const noon: Clock = { now: () => 12 };

/** Asks for it, as code that several classes share does. */
const theTime = (): number => inject(Clock).now();

/** Starts a container in which the clock is overridden. */
async function startWith(...entryPoints: (Source<unknown> | Class)[]): Promise<Container> {
  const container = createContainer().override(Clock, noon);
  await container.start(...entryPoints);
  return container;
}

const TA107 = {
  code: 'TA100',
  errors: [{ code: 'TA107', path: ['Clock'] }],
};

describe('an override', () => {
  const users = dependency({ clock: Clock }, () => 'real', { name: 'users' });
  const page = dependency({ users }, ({ users: u }) => `page of ${u}`, { name: 'page' });

  it('of a function dependency takes what that one needed out of the graph', async () => {
    await using container = createContainer().override(users, 'fake'); // nothing provides Clock
    await container.start(page);
    await using scope = container.openScope();
    expect(await scope.get(page)).toBe('page of fake');
  });

  it('of a token and of a class wins, in whichever order it is given', async () => {
    @Injectable()
    class Mailer {
      name = 'real';
    }
    await using container = createContainer()
      .override(Clock, { now: () => 0 })
      .provide(Clock, { value: { now: () => 1 } })
      .provide(Mailer, { class: Mailer })
      .override(Mailer, { name: 'fake' });
    const both = dependency({ clock: Clock, mailer: Mailer }, (v) => v, { scope: 'singleton' });
    await container.start(both);
    expect(container.get(both).clock.now()).toBe(0);
    expect(container.get(both).mailer.name).toBe('fake');
  });
});

describe('an override that a singleton asks for', () => {
  @Injectable()
  class Base {
    readonly time = inject(Clock).now();
  }
  @Injectable()
  class Derived extends Base {}
  @Injectable()
  class Aliased {
    readonly time = ask(Clock).now();
  }
  @Injectable()
  class Helped {
    readonly time = theTime();
  }
  @Injectable()
  class Late {
    readonly #clock: Lazy<Clock> = inject(lazy(() => Clock));
    get time() {
      return this.#clock.get().now();
    }
  }
  const made = dependency({}, () => ({ time: theTime() }), { scope: 'singleton' });
  const lately = dependency(
    { clock: lazy(() => Clock) },
    ({ clock }) => ({
      get time() {
        return clock.get().now();
      },
    }),
    { scope: 'singleton' },
  );

  it.for([
    ['in a field of its base class', Derived],
    ['through an inject() that is imported by another name', Aliased],
    ['in a helper function', Helped],
    ['in a helper of a function dependency', made],
    ['lazily, through inject()', Late],
    ['lazily, as an input', lately],
  ] as const)('%s is used', async ([, key]) => {
    await using container = await startWith(key);
    expect(container.get(key as typeof made).time).toBe(12);
  });
});

describe('an override that nobody asks for', () => {
  it('is TA107', async () => {
    await expect(startWith()).rejects.toMatchObject(TA107);
    expect(createContainer().override(Clock, noon).faults).toMatchObject(TA107.errors);
  });

  it('is TA107 as soon as all code that could ask has run, and what that made is ended', async () => {
    const log: string[] = [];
    @Injectable()
    class Pool {
      // The word inject in a comment is no inject().
      constructor() {
        log.push('made');
      }
      [Symbol.dispose]() {
        log.push('ended');
      }
    }
    await expect(startWith(Pool)).rejects.toMatchObject(TA107);
    expect(log).toEqual(['made', 'ended']);
  });

  it('is TA107 when only a class asks that nobody reaches', async () => {
    @Injectable()
    class Reached {}
    @Injectable()
    class Unreached {
      readonly clock = inject(Clock);
    }
    await expect(startWith(Reached)).rejects.toMatchObject(TA107);
    await using container = await startWith(Reached, Unreached);
    expect(container.get(Unreached).clock).toBe(noon);
  });

  it('is not said to be while something else is broken, which might ask for it', async () => {
    class Plain {}
    await expect(startWith(Plain)).rejects.toMatchObject({ errors: [{ code: 'TA102' }] });
  });

  it('is let pass where it may be unused', async () => {
    await using container = createContainer().override(Clock, noon, { mayBeUnused: true });
    await expect(container.start()).resolves.toBeUndefined();
  });
});

describe('an override that code may ask for later', () => {
  class Base {
    readonly time = inject(Clock).now();
  }
  @Injectable({ scope: 'request' })
  class Page extends Base {}
  @Injectable({ scope: 'transient' })
  class Watch {
    readonly time = theTime();
  }
  const page = dependency({}, () => ({ time: theTime() }));

  /** The warnings of the process, until the test ends. */
  function warnings(): Error[] {
    const seen: Error[] = [];
    const see = (warning: Error): void => void seen.push(warning);
    process.on('warning', see);
    onTestFinished(() => void process.off('warning', see));
    return seen;
  }

  it.for([
    ['a request-scoped class', Page],
    ['a transient class', Watch],
    ['a function dependency', page],
  ] as const)('is let pass at start, and used by %s', async ([, key]) => {
    const seen = warnings();
    const container = await startWith(key);
    const scope = container.openScope();
    expect((await scope.get(key as typeof page)).time).toBe(12);
    await scope.close();
    await container.close();
    await new Promise(setImmediate); // a warning comes in a later tick
    expect(seen).toEqual([]);
  });

  it('is warned of when the container closes and nobody has asked, once', async () => {
    const seen = warnings();
    const container = await startWith(page);
    const warned = once(process, 'warning');
    await container.close();
    await warned;
    await container.close();
    await new Promise(setImmediate);
    expect(seen).toEqual([expect.objectContaining({ code: 'TA107' })]);
    expect(seen[0]!.message).toContain('Clock is overridden');
  });

  it('is not warned of where it may be unused, nor when the start has failed', async () => {
    const seen = warnings();
    const unused = createContainer().override(Clock, noon, { mayBeUnused: true });
    await unused.start(page);
    await unused.close();
    const broken = dependency({}, () => Promise.reject(new Error('no')), { scope: 'singleton' });
    const failed = createContainer().override(Clock, noon);
    await expect(failed.start(page, broken)).rejects.toThrow('no');
    await failed.close();
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
  });
});
