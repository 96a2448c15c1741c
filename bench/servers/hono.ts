import { serve, type HttpBindings } from '@hono/node-server';
import { zValidator } from '@hono/zod-validator';
import { Hono } from 'hono';
import * as work from './work.ts';
import { ListedUser, Listing, NewUser, User, UserId } from './zod-schemas.ts';

const app = new Hono<{ Bindings: HttpBindings }>();

app.get('/hello', (c) => c.json({ message: 'hello' }));

app.get('/users/:id', zValidator('param', UserId), zValidator('query', Listing), (c) => {
  const user = work.findUser(c.req.valid('param').id, c.req.valid('query'));
  return c.json(ListedUser.parse(user));
});

app.post('/users', zValidator('json', NewUser), (c) =>
  c.json(User.parse(work.storeUser(c.req.valid('json'))), 201),
);

app.post('/inject', zValidator('json', NewUser), (c) =>
  c.json(User.parse(work.makeSignup().create(c.req.valid('json'))), 201),
);

app.post('/bg', zValidator('json', NewUser), (c) => {
  const user = work.storeUser(c.req.valid('json'));
  c.env.outgoing.once('finish', () => {
    void runTasks([
      () => work.sendWelcome(user.email),
      () => work.indexUser(user.id, user.name),
      () => work.countSignup(),
    ]);
  });
  return c.json(User.parse(user), 201);
});

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

app.get('/done', (c) => c.json(work.tally));

for (let route = 0; route < work.routeCount; route++) {
  app.get(`/things/${route}/:id`, (c) => c.json({ route, id: c.req.param('id') }));
}

serve({ fetch: app.fetch, port: work.port });
