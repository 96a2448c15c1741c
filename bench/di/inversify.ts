import 'reflect-metadata';
import { Container, injectable } from 'inversify';
import { contest } from './contest.ts';
import { emitTypes, S20, S5, services } from './services.ts';

emitTypes(services);
for (const [target] of services) injectable()(target);

// Its request scope is one call of get().
const container = new Container();
for (const [target] of services) container.bind(target).toSelf().inRequestScope();

contest({
  five: () => container.get(S5),
  twenty: () => container.get(S20),
  startMany: (many) => {
    emitTypes(many);
    const app = new Container();
    for (const [target] of many) {
      injectable()(target);
      app.bind(target).toSelf().inSingletonScope();
    }
    for (const [target] of many) app.get(target);
  },
});
