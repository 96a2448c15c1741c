import {
  getRouterParam,
  getValidatedQuery,
  getValidatedRouterParams,
  H3,
  readValidatedBody,
  type H3Event,
} from 'h3';
import { serve } from 'h3/node';
import * as work from './work.ts';
import { ListedUser, Listing, NewUser, User, UserId } from './zod-schemas.ts';

const app = new H3();

app.get('/hello', () => ({ message: 'hello' }));

app.get('/users/:id', async (event) => {
  const { id } = await getValidatedRouterParams(event, UserId);
  const listing = await getValidatedQuery(event, Listing);
  return ListedUser.parse(work.findUser(id, listing));
});

app.post('/users', async (event) => {
  const body = await readValidatedBody(event, NewUser);
  event.res.status = 201;
  return User.parse(work.storeUser(body));
});

app.post('/inject', async (event) => {
  const body = await readValidatedBody(event, NewUser);
  event.res.status = 201;
  return User.parse(work.makeSignup().create(body));
});

app.post('/bg', async (event) => {
  const user = work.storeUser(await readValidatedBody(event, NewUser));
  afterResponse(event, [
    () => work.sendWelcome(user.email),
    () => work.indexUser(user.id, user.name),
    () => work.countSignup(),
  ]);
  event.res.status = 201;
  return User.parse(user);
});

function afterResponse(event: H3Event, tasks: readonly (() => unknown)[]): void {
  event.runtime?.node?.res?.once('finish', () => {
    void runTasks(tasks);
  });
}

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

app.get('/done', () => work.tally);

for (let route = 0; route < work.routeCount; route++) {
  app.get(`/things/${route}/:id`, (event) => ({
    route,
    id: getRouterParam(event, 'id', { decode: true }),
  }));
}

serve(app, { port: work.port, silent: true });
