import express, { type ErrorRequestHandler, type Response } from 'express';
import * as work from './work.ts';
import { ListedUser, Listing, NewUser, User, UserId } from './zod-schemas.ts';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
const json = express.json();

app.get('/hello', (_req, res) => {
  res.json({ message: 'hello' });
});

app.get('/users/:id', (req, res) => {
  const params = UserId.safeParse(req.params);
  const query = Listing.safeParse(req.query);
  if (!params.success || !query.success) return refuse(res);
  res.json(ListedUser.parse(work.findUser(params.data.id, query.data)));
});

app.post('/users', json, (req, res) => {
  const body = NewUser.safeParse(req.body);
  if (!body.success) return refuse(res);
  res.status(201).json(User.parse(work.storeUser(body.data)));
});

app.post('/inject', json, (req, res) => {
  const body = NewUser.safeParse(req.body);
  if (!body.success) return refuse(res);
  res.status(201).json(User.parse(work.makeSignup().create(body.data)));
});

app.post('/bg', json, (req, res) => {
  const body = NewUser.safeParse(req.body);
  if (!body.success) return refuse(res);
  const user = work.storeUser(body.data);
  res.once('finish', () => {
    void runTasks([
      () => work.sendWelcome(user.email),
      () => work.indexUser(user.id, user.name),
      () => work.countSignup(),
    ]);
  });
  res.status(201).json(User.parse(user));
});

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

function refuse(res: Response): void {
  res.status(400).json({ error: 'invalid input' });
}

app.get('/done', (_req, res) => {
  res.json(work.tally);
});

for (let route = 0; route < work.routeCount; route++) {
  app.get(`/things/${route}/:id`, (req, res) => {
    res.json({ route, id: req.params['id'] });
  });
}

const onError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  res.status(error.status ?? 500).json({ error: 'failed' });
};
app.use(onError);
app.listen(work.port);
