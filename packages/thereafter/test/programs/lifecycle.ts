import { config, createApp, token, type Middleware } from 'thereafter';
import { Type } from 'typebox';
import { UsersController } from './controller.js';

const Clock = token<{ now(): Date }>('Clock');

export const Env = config(
  Type.Object({ PORT: Type.Integer({ default: 3000 }), DATABASE_URL: Type.String() }),
); // read, coerced and checked at start

const timing: Middleware = async (ctx, next) => {
  const t0 = performance.now();
  const res = await next();
  ctx.header('server-timing', `app;dur=${(performance.now() - t0).toFixed(1)}`);
  return res;
};

const app = createApp({ title: 'Shop', version: '1.0.0', shutdown: { drainTimeout: '25s' } })
  .use(timing)
  .provide(Clock, { value: { now: () => new Date() } })
  .include('/api', UsersController)
  .lifespan(async function* () {
    // before the port opens
    yield;
    // after: no new connections, requests drained, tasks drained; singletons are disposed next, last made first
  });

await app.listen();
