import { existsSync } from 'node:fs';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it } from 'vitest';
import { inputs } from '../../listings/guides/inputs/app.ts';
import { compressed, RawController, strict } from '../../listings/guides/inputs/controllers.ts';
import { QUIET } from '../support/quiet.ts';

const open = () => testApp(inputs(QUIET), { over: 'socket' }).start();

describe('the guide to inputs', () => {
  it('reads query, path, header and cookie', async () => {
    await using t = await open();
    expect(await (await t.get('/items?text=a&tags=x')).json()).toEqual({
      text: 'a',
      limit: 20,
      tags: ['x'],
    });
    const headers = { cookie: 'theme=dark', 'accept-language': 'de' };
    expect(await (await t.get('/items/7', { headers })).json()).toEqual({
      id: 7,
      language: 'de',
      theme: 'dark',
    });
    expect(await (await t.get('/days/weekday?day=2026-11-24')).json()).toEqual({ weekday: 2 });
  });

  it('reads bodies', async () => {
    await using t = await open();
    const user = { name: 'Ada', email: 'a@b.io' };
    expect(await (await t.post('/users', { json: user })).json()).toEqual(user);
    expect((await t.post('/users', { json: 'x'.repeat(16 * 1024) })).status).toBe(413);
    const send = async (path: string) => (await t.post(path, { body: 'Ló' })).json();
    expect(await send('/raw/text')).toEqual({ characters: 2 });
    expect(await send('/raw/bytes')).toEqual({ bytes: 3 });
    expect(await send('/raw/stream')).toEqual({ stored: true });
  });

  it('reads forms and files', async () => {
    await using t = await open();
    const login = await t.post('/login', {
      body: 'name=Ada&remember=true',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(await login.json()).toEqual({ name: 'Ada', remember: true });
    const upload = (): FormData => {
      const body = new FormData();
      body.append('file', new Blob(['content']), 'photo.png');
      return body;
    };
    const answer = await t.post('/upload', { body: upload() });
    expect(await answer.json()).toEqual({ filename: 'photo.png', status: 'processing' });
    const imported = await t.post('/import', { body: upload() });
    expect(await imported.json()).toEqual({ file: 7 });
    await t.tasks.settled();
    expect(compressed).toHaveLength(1);
    await t[Symbol.asyncDispose]();
    expect(existsSync(compressed[0]!)).toBe(false);
  });

  it('sets limits', async () => {
    const limited = createApp({ ...QUIET, ...strict }).include(RawController);
    await using t = await testApp(limited, { over: 'socket' }).start();
    const send = async (bytes: number) =>
      (await t.post('/raw/text', { body: 'x'.repeat(bytes) })).status;
    expect(await send(64 * 1024)).toBe(200);
    expect(await send(64 * 1024 + 1)).toBe(413);
  });
});
