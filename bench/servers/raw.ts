// The mark: node:http by hand, as somebody writes it who counts.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import {
  countSignup,
  findUser,
  indexUser,
  makeSignup,
  port,
  routeCount,
  sendWelcome,
  storeUser,
  tally,
  type NewUser,
  type StoredUser,
} from './work.ts';

const things = new Map(
  Array.from({ length: routeCount }, (_, route) => [
    String(route),
    (id: string) => ({ route, id }),
  ]),
);

createServer((req, res) => {
  const target = req.url!;
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  if (req.method === 'GET') {
    if (path === '/hello') return sendJson(res, 200, { message: 'hello' });
    if (path.startsWith('/users/')) {
      return listUser(res, path.slice(7), end === -1 ? '' : target.slice(end + 1));
    }
    if (path.startsWith('/things/')) {
      const [, , route = '', id = ''] = path.split('/');
      const thing = things.get(route);
      if (thing) return sendJson(res, 200, thing(decodeURIComponent(id)));
    }
    if (path === '/done') return sendJson(res, 200, tally);
  } else if (req.method === 'POST') {
    if (path === '/users') {
      return readUser(req, res, (user) => sendJson(res, 201, shown(storeUser(user))));
    }
    if (path === '/inject') {
      return readUser(req, res, (user) => sendJson(res, 201, shown(makeSignup().create(user))));
    }
    if (path === '/bg') return readUser(req, res, (newUser) => createWithTasks(res, newUser));
  }
  sendJson(res, 404, { error: 'not found' });
}).listen(port);

function listUser(res: ServerResponse, idText: string, queryText: string): void {
  const id = toInteger(idText);
  const query = parse(queryText);
  const limit = toInteger(query['limit']);
  const active = query['active'] === 'true' || (query['active'] === 'false' ? false : undefined);
  if (!(id >= 1) || !(limit >= 1 && limit <= 100) || active === undefined) {
    return sendJson(res, 400, { error: 'invalid input' });
  }
  const { name, email } = findUser(id, { limit, active });
  sendJson(res, 200, { id, name, email, limit, active });
}

function createWithTasks(res: ServerResponse, newUser: NewUser): void {
  const user = storeUser(newUser);
  res.once('finish', () => {
    runTasks([
      () => sendWelcome(user.email),
      () => indexUser(user.id, user.name),
      () => countSignup(),
    ]).catch((error: unknown) => console.error(error));
  });
  sendJson(res, 201, shown(user));
}

async function runTasks(tasks: readonly (() => unknown)[]): Promise<void> {
  for (const task of tasks) await task();
}

function readUser(req: IncomingMessage, res: ServerResponse, done: (user: NewUser) => void): void {
  if (!req.headers['content-type']?.startsWith('application/json')) {
    return sendJson(res, 415, { error: 'not JSON' });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  req.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > 1_048_576) return req.destroy();
    chunks.push(chunk);
  });
  req.on('end', () => {
    let body: unknown;
    try {
      body = JSON.parse(
        chunks.length === 1 ? chunks[0]!.toString() : Buffer.concat(chunks).toString(),
      );
    } catch {
      return sendJson(res, 400, { error: 'not JSON' });
    }
    if (!isNewUser(body)) return sendJson(res, 400, { error: 'invalid input' });
    done(body);
  });
}

function isNewUser(body: unknown): body is NewUser {
  if (typeof body !== 'object' || body === null) return false;
  const { name, email, age } = body as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    name.length >= 1 &&
    name.length <= 100 &&
    typeof email === 'string' &&
    email.length >= 3 &&
    email.length <= 200 &&
    Number.isInteger(age) &&
    (age as number) >= 0 &&
    (age as number) <= 150
  );
}

function shown({ id, name, email, age }: StoredUser): Omit<StoredUser, 'passwordHash'> {
  return { id, name, email, age };
}

function toInteger(text: string | string[] | undefined): number {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  res
    .writeHead(status, [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(text)),
    ])
    .end(text);
}
