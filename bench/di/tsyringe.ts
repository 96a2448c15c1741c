import 'reflect-metadata';
import { container, injectable, Lifecycle, scoped, singleton } from 'tsyringe';
import { contest } from './contest.ts';
import { emitTypes, S20, S5, services } from './services.ts';

emitTypes(services);
for (const [target] of services) {
  scoped(Lifecycle.ContainerScoped)(target);
  injectable()(target);
}

contest({
  five: () => container.createChildContainer().resolve(S5),
  twenty: () => container.createChildContainer().resolve(S20),
  startMany: (many) => {
    emitTypes(many);
    for (const [target] of many) singleton()(target);
    for (const [target] of many) container.resolve(target);
  },
});
