import Fastify from 'fastify';
import * as work from './work.ts';

type Task = () => unknown;

declare module 'fastify' {
  interface FastifyRequest {
    afterwards: Task[];
  }
}

const app = Fastify({ logger: false });
const hello = { message: 'hello' };
const schema = {
  response: { 200: { type: 'object', properties: { message: { type: 'string' } } } },
};

app.get('/hello', { schema }, () => hello);

app.get('/release', { schema }, () => {
  work.openGate();
  return hello;
});

app.get('/last', () => work.lastHasRun());

await app.register((scope, _options, done) => {
  scope.decorateRequest('afterwards');
  scope.addHook('onRequest', (request, _reply, next) => {
    request.afterwards = [];
    next();
  });
  scope.addHook('onResponse', async ({ afterwards, log }) => {
    for (const task of afterwards) {
      try {
        await task();
      } catch (error) {
        log.error(error);
      }
    }
  });

  scope.get('/three', { schema }, ({ afterwards }) => {
    afterwards.push(
      () => work.noop(1, 'a'),
      () => work.noop(2, 'b'),
      () => work.noop(3, 'c'),
    );
    return hello;
  });

  scope.get('/many', { schema }, ({ afterwards }) => {
    for (let i = 1; i < work.MANY; i++) afterwards.push(() => work.noop(i, 'a'));
    afterwards.push(() => work.markLast());
    return hello;
  });

  scope.get('/hold', { schema }, ({ afterwards }) => {
    work.closeGate();
    for (let i = 0; i < work.MANY; i++) afterwards.push(() => work.waitAtGate());
    return hello;
  });
  done();
});

await app.listen({ port: work.port });
