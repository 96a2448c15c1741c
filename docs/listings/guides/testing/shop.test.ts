// #region imports
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp, HttpClient, Injectable, Task } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { Type } from 'typebox';
import { MockAgent } from 'undici';
// #endregion

// #region mailer
@Injectable()
class Mailer {
  async send(to: string): Promise<void> {
    throw new Error(`no mail server to reach ${to}`);
  }
}
// #endregion

// #region send-welcome
@Task(Type.Object({ to: Type.String() }))
class SendWelcome {
  constructor(private mailer: Mailer) {}

  run({ to }: { to: string }) {
    return this.mailer.send(to);
  }
}
// #endregion

// #region shop
const shop = () =>
  createApp()
    .include(SendWelcome)
    .post('/signup', ({ ctx }) => {
      ctx.tasks.add(SendWelcome, { to: 'ada@x.io' });
      return { ok: true };
    })
    .get('/rate', { in: { http: HttpClient } }, ({ http }) =>
      http.json('https://bank.example/rate'),
    );
// #endregion

// #region added
test('signing up adds a welcome mail', async () => {
  await using t = await testApp(shop(), { tasks: 'hold' }).start();
  const response = await t.post('/signup', { json: { email: 'ada@x.io' } });
  assert.deepEqual(await response.json(), { ok: true });
  assert.deepEqual(t.tasks.added(SendWelcome)[0]?.payload, { to: 'ada@x.io' });
});
// #endregion

// #region sent
test('the welcome mail is sent', async () => {
  const sent: string[] = [];
  await using t = await testApp(shop())
    .override(Mailer, { send: async (to) => void sent.push(to) })
    .start();
  await t.post('/signup');
  await t.tasks.settled();
  assert.deepEqual(sent, ['ada@x.io']);
});
// #endregion

// #region bank
test('the rate comes from the bank', async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  agent.get('https://bank.example').intercept({ path: '/rate' }).reply(200, { rate: 1.1 });
  await using t = await testApp(shop(), { over: 'socket' })
    .override(HttpClient, new HttpClient({ dispatcher: agent }))
    .start();
  assert.deepEqual(await (await t.get('/rate')).json(), { rate: 1.1 });
});
// #endregion
