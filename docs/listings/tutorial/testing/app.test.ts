import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from 'thereafter/testing';
import { Mailer, shop } from './app.ts';

test('a new user is sent a welcome mail', async () => {
  const sent: string[] = [];
  await using t = await testApp(shop())
    .override(Mailer, { send: async (to, text) => void sent.push(`${to}: ${text}`) })
    .start();

  const response = await t.post('/signup?email=ada@example.com');
  assert.deepEqual(await response.json(), { message: 'Welcome!' });

  await t.tasks.settled();
  assert.deepEqual(sent, ['ada@example.com: Welcome!']);
});

test('what is no address is refused, and nothing is sent', async () => {
  await using t = await testApp(shop(), { tasks: 'hold' }).start();
  const response = await t.post('/signup?email=ada');
  assert.equal(response.status, 422);
  assert.equal(t.tasks.added().length, 0);
});

test('over a socket it is the same', async () => {
  await using t = await testApp(shop(), { over: 'socket', tasks: 'hold' }).start();
  const response = await fetch(`${t.url}/signup?email=ada@example.com`, { method: 'POST' });
  assert.equal(response.status, 200);
  assert.equal(t.tasks.added().length, 1); // it waits, and is discarded with the app
});
