import assert from 'node:assert/strict';

/** Status and body of an answer. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export const ADA = { name: 'Ada Lovelace', email: 'ada@example.com', age: 36 };
const STORED = { id: 1, ...ADA };

/**
 * Checks that a server does the work that is compared: the same answers to the same requests, the
 * same refused. Whether a refusal is 400 or 422 is the framework's own choice.
 */
export async function checkContract(name: string, url: string, routeCount: number): Promise<void> {
  const get = (path: string): Promise<Answer> => ask(url + path, {});
  const post = (path: string, body: string): Promise<Answer> =>
    ask(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const expect = (what: string, answer: Answer, status: number, body: unknown): void =>
    assert.deepEqual(answer, { status, body }, `${name}: ${what}`);
  const expectRefused = (what: string, { status }: Answer, allowed = [400, 422]): void =>
    assert.ok(allowed.includes(status), `${name} answers ${status} to ${what}`);

  expect('hello', await get('/hello'), 200, { message: 'hello' });
  const { age: _, ...listed } = { id: 42, ...ADA, limit: 10, active: true };
  expect('users', await get('/users/42?limit=10&active=true'), 200, listed);
  const inactive = { ...listed, active: false };
  expect('users', await get('/users/42?limit=10&active=false'), 200, inactive);
  for (const path of [
    '/users/ada?limit=10&active=true',
    '/users/0?limit=10&active=true',
    '/users/42?limit=101&active=true',
    '/users/42?limit=ten&active=true',
    '/users/42?limit=10&active=maybe',
    '/users/42?limit=10',
  ]) {
    expectRefused(path, await get(path));
  }
  for (const path of ['/users', '/inject', '/bg']) {
    expect(path, await post(path, JSON.stringify(ADA)), 201, STORED);
    for (const body of [
      '{"name":',
      '[]',
      JSON.stringify({ ...ADA, name: undefined }),
      JSON.stringify({ ...ADA, name: '' }),
      JSON.stringify({ ...ADA, age: -1 }),
      JSON.stringify({ ...ADA, age: 1.5 }),
    ]) {
      expectRefused(`${path} with ${body}`, await post(path, body));
    }
  }
  for (const route of new Set([0, routeCount - 1])) {
    expect('things', await get(`/things/${route}/a%20b`), 200, { route, id: 'a b' });
  }
  expectRefused('/nothing', await get('/nothing'), [404]);
  await checkTasksRun(name, get, post);
}

/** The three background tasks of one accepted `/bg`, no sooner than its response and no more. */
async function checkTasksRun(
  name: string,
  get: (path: string) => Promise<Answer>,
  post: (path: string, body: string) => Promise<Answer>,
): Promise<void> {
  const done = async (): Promise<number> => ((await get('/done')).body as { done: number }).done;
  const settled = await waitFor(done, (count) => count % 3 === 0);
  await post('/bg', JSON.stringify(ADA));
  const after = await waitFor(done, (count) => count >= settled + 3);
  assert.equal(after, settled + 3, `${name}: background tasks`);
}

async function waitFor(
  read: () => Promise<number>,
  isEnough: (value: number) => boolean,
): Promise<number> {
  const deadlineMs = performance.now() + 5000;
  for (;;) {
    const value = await read();
    if (isEnough(value) || performance.now() > deadlineMs) return value;
  }
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
}
