import Fastify from 'fastify';
import { Type } from 'typebox';
import { ListedUser, Listing, NewUser, Thing, User, UserId } from './json-schemas.ts';
import * as work from './work.ts';

declare module 'fastify' {
  interface FastifyRequest {
    tasks: (() => unknown)[];
  }
}

const app = Fastify({ logger: false });

app.get(
  '/hello',
  { schema: { response: { 200: Type.Object({ message: Type.String() }) } } },
  () => ({ message: 'hello' }),
);

app.get<{ Params: { id: number }; Querystring: work.Listing }>(
  '/users/:id',
  {
    schema: {
      params: Type.Object({ id: UserId }),
      querystring: Listing,
      response: { 200: ListedUser },
    },
  },
  (request) => work.findUser(request.params.id, request.query),
);

const creating = { schema: { body: NewUser, response: { 201: User } } };

app.post<{ Body: work.NewUser }>('/users', creating, (request, reply) => {
  reply.code(201);
  return work.storeUser(request.body);
});

app.post<{ Body: work.NewUser }>('/inject', creating, (request, reply) => {
  reply.code(201);
  return work.makeSignup().create(request.body);
});

await app.register((scope, _options, done) => {
  scope.decorateRequest('tasks');
  scope.addHook('onRequest', (request, _reply, next) => {
    request.tasks = [];
    next();
  });
  scope.addHook('onResponse', async (request) => {
    for (const task of request.tasks) await task();
  });
  scope.post<{ Body: work.NewUser }>('/bg', creating, (request, reply) => {
    const user = work.storeUser(request.body);
    request.tasks.push(
      () => work.sendWelcome(user.email),
      () => work.indexUser(user.id, user.name),
      () => work.countSignup(),
    );
    reply.code(201);
    return user;
  });
  done();
});

app.get('/done', () => work.tally);

for (let route = 0; route < work.routeCount; route++) {
  app.get<{ Params: { id: string } }>(
    `/things/${route}/:id`,
    { schema: { response: { 200: Thing } } },
    (request) => ({ route, id: request.params.id }),
  );
}

await app.listen({ port: work.port });
