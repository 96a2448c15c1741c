import assert from 'node:assert/strict';
import { createApp } from 'thereafter';
import { holdTasks } from 'thereafter/testing';
import { sent, SignupController } from './answer-first.ts';

export async function testSignup(): Promise<void> {
  await using app = createApp({ logger: false }).include(SignupController);
  const tasks = holdTasks(app); // recorded, not run
  const { url } = await app.listen({ port: 0 });

  const response = await fetch(`${url}/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com' }),
  });
  assert.equal(response.status, 200);
  assert.equal(tasks.added().length, 1);
  assert.deepEqual(sent, []);

  await tasks.drain(); // without holdTasks(): await app.tasks.settled()
  assert.deepEqual(sent, ['ada@example.com in en']);
}
