import { asClass, createContainer, InjectionMode, type AwilixContainer } from 'awilix';
import { contest } from './contest.ts';
import { services } from './services.ts';

const container = createContainer({ injectionMode: InjectionMode.CLASSIC, strict: true });
for (const [target] of services) {
  container.register(target.name.toLowerCase(), asClass(target as new () => object).scoped());
}

contest({
  five: () => container.createScope().resolve('s5'),
  twenty: () => container.createScope().resolve('s20'),
  startMany: (many) => {
    // Names of parameters are not to be had for classes that are made; the proxy reads them by name.
    const app: AwilixContainer = createContainer({ injectionMode: InjectionMode.PROXY });
    for (const [target, needs] of many) {
      const names = needs.map((need) => need.name);
      app.register(
        target.name,
        asClass(
          class {
            readonly made: object;

            constructor(cradle: Record<string, never>) {
              this.made = new target(...names.map((name) => cradle[name]!));
            }
          },
        ).singleton(),
      );
    }
    for (const [target] of many) app.resolve(target.name);
  },
});
