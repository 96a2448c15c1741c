import { createApp, type Middleware } from 'thereafter';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

const timed: Middleware = async (ctx, next) => {
  const startedAtMs = performance.now();
  const reply = await next();
  const elapsedMs = performance.now() - startedAtMs;
  reply.headers.set('server-timing', `app;dur=${elapsedMs.toFixed(1)}`);
  return reply;
};

app.use(timed);
app.get('/', () => 'hello');
