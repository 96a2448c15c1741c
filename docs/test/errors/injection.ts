import {
  createContainer,
  inject,
  Inject,
  Injectable,
  lazy,
  token,
  type Class,
} from '@thereafter/di';
import { Context, createApp, defineTask, dependency, query } from 'thereafter';
import { Type } from 'typebox';
import { codePrintedBy, faultOf, listen, tempFolder, thrownBy, type Programs } from './programs.ts';
import { QUIET } from '../support/quiet.ts';

/** The first thing that is wrong with a class that a handler asks for. */
const faultOfAsking = (wanted: Class): Promise<unknown> =>
  faultOf(createApp(QUIET).get('/', { in: { wanted } }, () => 'never'));

/** What somebody gets who asks a scope for something. */
async function refusalOfScope(wanted: Class): Promise<unknown> {
  await using container = createContainer();
  await container.start();
  await using scope = container.openScope();
  return await thrownBy(() => scope.get(wanted));
}

const Clock = token<{ now(): number }>('Clock');

@Injectable()
class Mailer {}

@Injectable({ scope: 'request' })
class Session {}

interface Shape {
  readonly area: number;
}

export const injection: Programs = {
  async ARGUMENT_INVALID() {
    const handler = (): string => 'never';
    return await thrownBy(() => createApp({ ...QUIET, trustProxy: -1 }).get('/', handler));
  },

  async TA100() {
    return await thrownBy(() => createContainer().start(Clock));
  },

  async TA101() {
    class Bare {
      constructor(readonly mailer: Mailer) {}
    }
    Injectable()(Bare); // not with @, so that the compiler emits nothing
    return await faultOfAsking(Bare);
  },

  async TA102() {
    class Plain {
      constructor(readonly mailer: Mailer) {}
    }
    return await faultOfAsking(Plain);
  },

  async TA103() {
    @Injectable()
    class Drawing {
      constructor(readonly shape: Shape) {}
    }
    return await faultOfAsking(Drawing);
  },

  async TA104() {
    @Injectable()
    class Greeting {
      constructor(readonly name: string) {}
    }
    return await faultOfAsking(Greeting);
  },

  async TA105() {
    const Later = undefined as unknown as Class<object>; // as a circular import leaves it
    @Injectable()
    class Early {
      constructor(@Inject(Later) readonly later: object) {}
    }
    return await faultOfAsking(Early);
  },

  async TA106() {
    @Injectable()
    class Notes {
      constructor(@Inject(Clock) readonly clock: object) {}
    }
    return await faultOfAsking(Notes);
  },

  async TA107() {
    const container = createContainer().override(Clock, { now: () => 0 });
    const error = await thrownBy(() => container.start(Mailer));
    return (error as { errors: readonly unknown[] }).errors[0];
  },

  async TA108() {
    return await faultOfAsking({ kind: 'nonsense' } as unknown as Class);
  },

  async TA110() {
    const Orders = token<object>('Orders');
    @Injectable()
    class Billing {
      constructor(@Inject(Orders) readonly orders: object) {}
    }
    const app = createApp(QUIET).provide(Orders, { class: Billing });
    return await faultOf(app.get('/', { in: { billing: Billing } }, () => 'never'));
  },

  async TA111() {
    @Injectable()
    class Cache {
      constructor(readonly session: Session) {}
    }
    return await faultOfAsking(Cache);
  },

  async TA112() {
    const task = defineTask(
      { name: 'audit', payload: Type.Object({}), in: { ctx: Context } },
      () => undefined,
    );
    return await faultOf(createApp(QUIET).include(task));
  },

  async TA113() {
    await using folder = await tempFolder();
    return await codePrintedBy(`
      import { cp, symlink } from 'node:fs/promises';
      import { createContainer } from '@thereafter/di';
      // A second copy of the package, as a second version in node_modules would be.
      const own = new URL('..', import.meta.resolve('@thereafter/di'));
      const second = ${JSON.stringify(folder.path)};
      await cp(new URL('src', own), second + '/src', { recursive: true });
      await symlink(new URL('node_modules', own), second + '/node_modules');
      const { Injectable } = await import(second + '/src/index.ts');
      class Service {}
      Injectable()(Service);
      await createContainer().start(Service).catch(({ errors }) => console.log(errors[0].code));
    `);
  },

  async TA120() {
    const container = createContainer();
    await container.start(Mailer);
    await container.close();
    return await thrownBy(() => container.get(Mailer));
  },

  async TA121() {
    return await thrownBy(() => createContainer().get(Mailer));
  },

  async TA122() {
    return await thrownBy(() => inject(Mailer));
  },

  async TA123() {
    const user = dependency({}, async () => 'Ada', { name: 'user' });
    const page = dependency({}, () => inject(user));
    return await refusalOfScope(page as unknown as Class);
  },

  async TA124() {
    @Injectable({ scope: 'request' })
    class Hen {
      readonly egg: unknown = inject(Egg);
    }
    @Injectable({ scope: 'request' })
    class Egg {
      readonly hen = inject(Hen);
    }
    return await refusalOfScope(Hen);
  },

  async TA125() {
    const limit = dependency({ limit: query('limit', Type.Integer()) }, (values) => values.limit);
    let refusal: unknown;
    const app = createApp(QUIET).get(
      '/',
      { in: { limit: lazy(() => limit as unknown as Class) } },
      async (values) => {
        refusal = await thrownBy(() => values.limit.get());
      },
    );
    await using _ = app;
    await fetch(`${await listen(app)}/?limit=many`);
    return refusal;
  },

  async TA126() {
    const container = createContainer();
    await container.start();
    return await thrownBy(() => container.provide(Clock, { value: { now: () => 0 } }));
  },

  async TA127() {
    const empty = dependency({}, function* (): Generator<string> {}, { name: 'empty' });
    return await refusalOfScope(empty as unknown as Class);
  },

  async TA130() {
    const failing = (name: string) =>
      dependency({}, () => Promise.reject(new Error(name)), { name, scope: 'singleton' });
    return await thrownBy(() => createContainer().start(failing('a'), failing('b')));
  },

  async TA131() {
    const container = createContainer();
    const failing = (name: string) =>
      dependency(
        {},
        function* () {
          yield name;
          throw new Error(name);
        },
        { name },
      );
    const [a, b] = [failing('a'), failing('b')];
    await container.start();
    const scope = container.openScope();
    await scope.get(a);
    await scope.get(b);
    return await thrownBy(() => scope.close());
  },
};
