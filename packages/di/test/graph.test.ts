import {
  createContainer,
  dependency,
  inject,
  Inject,
  Injectable,
  InvalidContainerError,
  lazy,
  token,
  type Class,
  type Container,
  type ExternalSource,
  type InjectionError,
  type Lazy,
  type ScopeKind,
  type Source,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

/** The faults that a start with these entry points reports. */
async function faultsOf(
  container: Container,
  ...entryPoints: (Source<unknown> | Class)[]
): Promise<readonly InjectionError[]> {
  await using _ = container;
  try {
    await container.start(...entryPoints);
  } catch (error) {
    if (error instanceof InvalidContainerError) return error.errors;
    throw error;
  }
  return [];
}

const codesOf = (faults: readonly InjectionError[]) => faults.map(({ code }) => code);

/** Something that a scope of one kind carries, as an HTTP request does its context. */
function carried<T>(name: string, carriedBy: ScopeKind, read: (carrier: T) => unknown) {
  return { kind: 'external', name, carriedBy, reader: () => read } as ExternalSource;
}

interface Clock {
  now(): number;
}
const Clock = token<Clock>('Clock');

describe('a missing provider', () => {
  it('is TA106, with the path and the names of the parameters', async () => {
    @Injectable()
    class Mailer {
      constructor(@Inject(Clock) readonly clock: Clock) {}
    }
    @Injectable()
    class NotesService {
      constructor(readonly mailer: Mailer) {}
    }
    @Injectable()
    class NotesController {
      constructor(readonly notes: NotesService) {}
    }
    const [fault] = await faultsOf(createContainer(), NotesController);
    expect(fault).toMatchObject({
      code: 'TA106',
      path: ['NotesController', 'NotesService', 'Mailer', 'Clock'],
      message:
        'Cannot build NotesController: nothing provides Clock ' +
        '(NotesController → notes: NotesService → mailer: Mailer → clock: Clock). ' +
        'Register it: provide(Clock, { value | class | make }), or give its token a default.',
    });
  });

  it('is reported once, however many ask for it', async () => {
    const one = dependency({ clock: Clock }, () => 1);
    const two = dependency({ clock: Clock }, () => 2);
    expect(codesOf(await faultsOf(createContainer(), one, two))).toEqual(['TA106']);
  });
});

describe('all faults', () => {
  it('come at once, in one error that lists them', async () => {
    class Plain {}
    const broken = dependency({ clock: Clock, plain: Plain }, () => 1);
    await using container = createContainer();
    const error = await container.start(broken).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InvalidContainerError);
    expect(codesOf((error as InvalidContainerError).errors)).toEqual(['TA106', 'TA102']);
    expect((error as Error).message).toMatch(/^2 dependencies cannot be built:\n {2}\[TA106\] /);
  });
});

describe('a cycle', () => {
  it('of one is TA110', async () => {
    @Injectable()
    class Self {
      constructor(@Inject(token('placeholder')) readonly self: unknown) {}
    }
    // A class cannot name itself in its own decorators, so an alias leads back to it.
    const Again = token<unknown>('Again');
    const itself = dependency({ again: Again }, () => 1, { name: 'itself', scope: 'singleton' });
    const container = createContainer()
      .provide(Again, { make: itself })
      .provide(Self, { class: Self });
    const [fault, second] = await faultsOf(container, itself, Self);
    expect(fault).toMatchObject({ code: 'TA110', path: ['itself', 'Again', 'itself'] });
    expect(second).toMatchObject({ code: 'TA110', path: ['Self', 'Self'] });
  });

  it.for([2, 4])('of %i is TA110 with the whole way round', async (size) => {
    const tokens = Array.from({ length: size }, (_, i) => token<number>(`T${i}`));
    const container = createContainer();
    tokens.forEach((key, i) => {
      const next = tokens[(i + 1) % size]!;
      container.provide(key, { make: dependency({ next }, () => i, { name: `make${i}` }) });
    });
    const faults = await faultsOf(container, tokens[0]!);
    expect(codesOf(faults)).toEqual(['TA110']);
    const round = faults[0]!.path.filter((name) => name.startsWith('T'));
    expect(round).toEqual([...tokens.map(({ name }) => name), 'T0']);
    expect(faults[0]!.message).toContain('next: T1');
  });

  it('is broken by lazy()', async () => {
    const Parent = token<{ name: string; child: Lazy<{ parent: unknown }> }>('Parent');
    const Child = token<{ parent: unknown }>('Child');
    const singleton = { scope: 'singleton' } as const;
    await using container = createContainer()
      .provide(Parent, {
        make: dependency(
          { child: lazy(() => Child) },
          ({ child }) => ({ name: 'p', child }),
          singleton,
        ),
      })
      .provide(Child, {
        make: dependency({ parent: Parent }, ({ parent }) => ({ parent }), singleton),
      });
    await container.start(Parent);
    const parent = container.get(Parent);
    expect(parent.child.get().parent).toBe(parent);
  });
});

describe('a captive dependency', () => {
  @Injectable({ scope: 'request' })
  class Session {}
  @Injectable({ scope: 'transient' })
  class Helper {
    constructor(readonly session: Session) {}
  }

  it('is TA111 when a singleton would keep what lives for a request', async () => {
    @Injectable()
    class Cache {
      constructor(readonly session: Session) {}
    }
    const [fault] = await faultsOf(createContainer(), Cache);
    expect(fault).toMatchObject({ code: 'TA111', path: ['Cache', 'Session'] });
    expect(fault!.message).toContain('Cache lives for the whole app and would keep Session');
    expect(fault!.message).toContain('(Cache → session: Session)');
  });

  it('is found through transients', async () => {
    @Injectable({ scope: 'transient' })
    class Outer {
      constructor(readonly helper: Helper) {}
    }
    @Injectable()
    class Cache {
      constructor(readonly outer: Outer) {}
    }
    const [fault] = await faultsOf(createContainer(), Cache);
    expect(fault!.path).toEqual(['Cache', 'Outer', 'Helper', 'Session']);
  });

  it('is TA111 when a request-scoped object would keep what ends before the response', async () => {
    const tx = dependency({}, () => 1, { scope: 'handler', name: 'tx' });
    const repo = dependency({ tx }, () => 1, { name: 'repo' });
    const [fault] = await faultsOf(createContainer(), repo);
    expect(fault).toMatchObject({ code: 'TA111', path: ['repo', 'tx'] });
  });

  it('is none when a transient is held by a request-scoped object', async () => {
    const page = dependency({ helper: Helper }, () => 1);
    expect(await faultsOf(createContainer(), page)).toEqual([]);
  });

  it('is none when lazy() stands between', async () => {
    const cache = dependency({ session: lazy(() => Session) }, () => 1, { scope: 'singleton' });
    expect(await faultsOf(createContainer(), cache)).toEqual([]);
  });

  it('is TA111 when a singleton asks with inject(), naming who asked', async () => {
    @Injectable()
    class Cache {
      readonly session = inject(Session);
    }
    await using container = createContainer();
    await expect(container.start(Cache)).rejects.toMatchObject({
      code: 'TA111',
      path: ['Cache', 'Session'],
    });
  });
});

describe('what only one kind of scope carries', () => {
  class HttpThing {}
  @Injectable({ scope: 'request' })
  class Greeting {
    constructor(readonly thing: HttpThing) {}
  }
  const withHttp = () =>
    createContainer().external(
      HttpThing,
      carried('the request', 'http', (c) => c),
    );

  it('is TA112 in a task, with the path', async () => {
    const container = withHttp();
    container.plan([{ label: 'greeting', key: Greeting }], { name: 'SendMail', kind: 'task' });
    const [fault] = await faultsOf(container);
    expect(fault).toMatchObject({ code: 'TA112', path: ['SendMail', 'Greeting', 'HttpThing'] });
    expect(fault!.message).toContain('greeting: Greeting → thing: HttpThing');
    expect(fault!.message).toContain('A task outlives its request');
  });

  it('is TA112 in a scope without a carrier, and may be had in one that has it', async () => {
    await using container = withHttp();
    const plan = container.plan([{ key: Greeting }], { name: 'GET /', kind: 'http' });
    await container.start();
    await using nothing = container.openScope();
    await expect(nothing.get(Greeting)).rejects.toThrow(/TA112/);
    const carrier = {};
    await using scope = container.openScope(plan, carrier);
    expect((await scope.get(Greeting)).thing).toBe(carrier);
  });
});

describe('a thing that cannot be asked for', () => {
  it('is TA108', async () => {
    const [fault] = await faultsOf(createContainer(), { kind: 'nonsense' } as never);
    expect(fault).toMatchObject({ code: 'TA108' });
  });

  it('is TA105 when it is not defined yet', async () => {
    const later = undefined as unknown as Class<object>;
    const page = dependency({ later }, () => 1, { name: 'page' });
    const decorated = (): Class => {
      @Injectable()
      class Decorated {
        constructor(@Inject(later) readonly later: object) {}
      }
      return Decorated;
    };
    const faults = await faultsOf(createContainer(), page, decorated());
    expect(codesOf(faults)).toEqual(['TA105', 'TA105']);
    expect(faults[0]!.message).toContain('page');
    expect(faults[1]!.message).toContain('later of Decorated');
  });

  it('is TA105 when a lazy() still has nothing at start', async () => {
    const page = dependency({ later: lazy(() => undefined as unknown as Class<object>) }, () => 1);
    expect(codesOf(await faultsOf(createContainer(), page))).toEqual(['TA105']);
  });
});
