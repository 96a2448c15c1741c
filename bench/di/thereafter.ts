import 'reflect-metadata';
import { createContainer, Injectable, type Class, type Plan } from '@thereafter/di';
import { contest } from './contest.ts';
import { emitTypes, S20, S5, services } from './services.ts';

emitTypes(services);
for (const [target] of services) Injectable({ scope: 'request' })(target);

const container = createContainer();
const planOf = (target: Class): Plan =>
  container.plan([{ label: 'root', key: target }], { name: target.name });
const five = planOf(S5);
const twenty = planOf(S20);
await container.start();

/** As a request does it: the plan is run in a new scope, and the value lies in its slot. */
function make(plan: Plan): unknown {
  const slots = container.openScope(plan).run();
  return slots instanceof Promise ? slots : slots[plan.entries[0]!];
}

contest({
  five: () => make(five),
  twenty: () => make(twenty),
  startMany: async (many) => {
    emitTypes(many);
    const app = createContainer();
    for (const [target] of many) {
      Injectable()(target);
      app.plan([{ label: 'root', key: target }], { name: target.name });
    }
    await app.start();
  },
});
