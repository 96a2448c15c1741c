import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa from 'koa';
import * as work from './work.ts';
import { ListedUser, Listing, NewUser, User, UserId } from './zod-schemas.ts';

const app = new Koa();
app.silent = true;
const router = new Router();
const json = bodyParser({ enableTypes: ['json'] });

router.get('/hello', (ctx) => {
  ctx.body = { message: 'hello' };
});

router.get('/users/:id', (ctx) => {
  const params = UserId.safeParse(ctx['params']);
  const query = Listing.safeParse(ctx.query);
  if (!params.success || !query.success) return refuse(ctx);
  ctx.body = ListedUser.parse(work.findUser(params.data.id, query.data));
});

router.post('/users', json, (ctx) => {
  const body = NewUser.safeParse(ctx.request.body);
  if (!body.success) return refuse(ctx);
  ctx.status = 201;
  ctx.body = User.parse(work.storeUser(body.data));
});

router.post('/inject', json, (ctx) => {
  const body = NewUser.safeParse(ctx.request.body);
  if (!body.success) return refuse(ctx);
  ctx.status = 201;
  ctx.body = User.parse(work.makeSignup().create(body.data));
});

router.post('/bg', json, (ctx) => {
  const body = NewUser.safeParse(ctx.request.body);
  if (!body.success) return refuse(ctx);
  const user = work.storeUser(body.data);
  ctx.res.once('finish', () => {
    void runTasks([
      () => work.sendWelcome(user.email),
      () => work.indexUser(user.id, user.name),
      () => work.countSignup(),
    ]);
  });
  ctx.status = 201;
  ctx.body = User.parse(user);
});

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

function refuse(ctx: Pick<Koa.Context, 'status' | 'body'>): void {
  ctx.status = 400;
  ctx.body = { error: 'invalid input' };
}

router.get('/done', (ctx) => {
  ctx.body = work.tally;
});

for (let route = 0; route < work.routeCount; route++) {
  router.get(`/things/${route}/:id`, (ctx) => {
    ctx.body = { route, id: (ctx['params'] as { id: string }).id };
  });
}

app.use(router.routes());
app.listen(work.port);
