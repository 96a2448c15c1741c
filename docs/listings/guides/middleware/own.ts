import type { Middleware } from 'thereafter';

/** Tells the client how long the app took; `app.use(timed)` adds it. */
export const timed: Middleware = async (ctx, next) => {
  const startedAtMs = performance.now();
  const reply = await next();
  const elapsedMs = performance.now() - startedAtMs;
  reply.headers.set('server-timing', `app;dur=${elapsedMs.toFixed(1)}`);
  return reply;
};
