// Starts the built tour (`pnpm build`) as a user would, sends requests and waits for what their background
// tasks leave behind. What is shown: the bundle is complete, and so are its metadata, the files that its
// worker threads load, and its pages.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const deadlineMs = 20_000;

const ONE_PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const folder = mkdtempSync(join(tmpdir(), 'thereafter-smoke-'));
const logFile = join(folder, 'tour.log');
const port = await freePort();
const url = `http://127.0.0.1:${port}`;

const program = join(import.meta.dirname, '..', 'apps', 'tour', 'dist', 'main.mjs');
const tour = spawn(process.execPath, [program], {
  cwd: folder,
  env: { ...process.env, PORT: String(port), LOG_FILE: logFile, DURATION_MS: '100' },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const exited = once(tour, 'exit');

try {
  await until('the tour listens', () => fetch(url).then(() => true));

  const notification = await fetch(`${url}/send-notification/ada@example.com`, { method: 'POST' });
  assert.deepEqual(await notification.json(), { message: 'Notification is being sent' });
  await until('the notification is logged', () => logged('Notification sent to ada@example.com'));

  const user = await fetch(`${url}/users/?email=a@b.c&user_id=7`, { method: 'POST' });
  assert.deepEqual(await user.json(), { message: 'User created' });
  await until('the tasks of a new user are logged, in order', () =>
    logged('log a@b.c\nemail a@b.c Welcome!\nstats 7'),
  );

  const picture = new FormData();
  picture.set('file', new Blob([ONE_PIXEL]), 'pixel.png');
  const upload = await fetch(`${url}/upload/`, { method: 'POST', body: picture });
  assert.deepEqual(await upload.json(), { filename: 'pixel.png', status: 'processing' });
  await until(
    'a worker thread has compressed the picture',
    () => globSync('data/processed/*.webp', { cwd: folder }).length === 1,
  );

  const heavy = await fetch(`${url}/heavy-task/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"pages":1}',
  });
  const { task_id: id } = (await heavy.json()) as { task_id: string };
  await until('the durable job is completed', async () => {
    const response = await fetch(`${url}/task-status/${id}`);
    return ((await response.json()) as { status: string }).status === 'completed';
  });

  for (const path of [
    '/',
    '/page/main.js',
    '/page/fonts/inter.woff2',
    '/docs',
    '/readyz',
    '/console/page/main.js',
  ]) {
    const response = await fetch(url + path);
    assert.deepEqual([path, response.status], [path, 200]);
    await response.arrayBuffer();
  }
  console.log('The built tour answers, and works thereafter.');
} finally {
  tour.kill();
  await exited;
  rmSync(folder, { recursive: true });
}

function logged(text: string): boolean {
  return readFileSync(logFile, 'utf8').includes(`${text}\n`);
}

/** Asks again until the answer is yes; an error is a no. */
async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const startedAtMs = performance.now();
  let lastError: unknown;
  while (performance.now() - startedAtMs < deadlineMs) {
    if (tour.exitCode !== null) throw new Error(`The tour exited before ${what}.`);
    try {
      if (await ask()) return;
    } catch (error) {
      lastError = error;
    }
    await delay(50);
  }
  throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`, { cause: lastError });
}
