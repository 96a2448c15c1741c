import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { SignupController } from './background.js';
import { Mailer, SendWelcome } from './task.js';

const app = () => createApp().include(SignupController); // no port is opened

test('signup adds a welcome task', async () => {
  const sent: string[] = [];
  await using t = await testApp(app(), { tasks: 'hold' })
    .override(Mailer, {
      send: async (to: string) => {
        sent.push(to);
      },
    })
    .start();

  const res = await t.post('/signup', { json: { name: 'Ada', email: 'ada@x.io' } });
  assert.equal(res.status, 201);
  assert.equal(t.tasks.added(SendWelcome).length, 1);
  await t.tasks.drain();
  assert.deepEqual(sent, ['ada@x.io']);
});
