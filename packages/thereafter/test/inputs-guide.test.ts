import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from 'thereafter';
import { FormData } from 'undici';
import { describe, expect, it } from 'vitest';
import {
  addImport,
  compressed,
  DaysController,
  ItemsController,
  LoginController,
  RawController,
  strict,
  UploadController,
  UsersController,
} from './listings/inputs-guide.ts';
import { QUIET, serve } from './support/serve.ts';

const here = import.meta.dirname;
const guide = readFileSync(join(here, '../../../docs/guides/inputs.md'), 'utf8');

function app() {
  return addImport(
    createApp(QUIET).include(
      ItemsController,
      DaysController,
      UsersController,
      RawController,
      LoginController,
      UploadController,
    ),
  );
}

describe('the guide to inputs', () => {
  it('shows listings that are run here', () => {
    const source = readFileSync(join(here, 'listings/inputs-guide.ts'), 'utf8');
    const listings = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, listing]) => listing!);
    expect(listings).toHaveLength(8);
    for (const listing of listings) expect(source).toContain(listing);
  });

  it('reads query, path, header and cookie', async () => {
    await using server = await serve(app());
    expect(await (await server.fetch('/items?text=a&tags=x')).json()).toEqual({
      text: 'a',
      limit: 20,
      tags: ['x'],
    });
    const headers = { cookie: 'theme=dark', 'accept-language': 'de' };
    expect(await (await server.fetch('/items/7', { headers })).json()).toEqual({
      id: 7,
      language: 'de',
      theme: 'dark',
    });
    const wrong = (await (await server.fetch('/items?limit=500')).json()) as { errors: unknown };
    const [, shown = ''] = /```json\n(.*?)```/s.exec(guide) ?? [];
    expect(wrong).toMatchObject(JSON.parse(shown));
    expect(await (await server.fetch('/days/weekday?day=2026-11-24')).json()).toEqual({
      weekday: 2,
    });
  });

  it('reads bodies', async () => {
    await using server = await serve(app());
    const user = { name: 'Ada', email: 'a@b.io' };
    expect(await (await server.post('/users', user)).json()).toEqual(user);
    expect((await server.post('/users', 'x'.repeat(16 * 1024))).status).toBe(413);
    const send = async (path: string) =>
      (await server.fetch(path, { method: 'POST', body: 'Ló' })).json();
    expect(await send('/raw/text')).toEqual({ characters: 2 });
    expect(await send('/raw/bytes')).toEqual({ bytes: 3 });
    expect(await send('/raw/stream')).toEqual({ stored: true });
  });

  it('reads forms and files', async () => {
    const served = app();
    await using server = await serve(served);
    const login = new URLSearchParams({ name: 'Ada', remember: 'true' });
    expect(await (await server.fetch('/login', { method: 'POST', body: login })).json()).toEqual({
      name: 'Ada',
      remember: true,
    });
    const upload = (): FormData => {
      const body = new FormData();
      body.append('file', new Blob(['content']), 'photo.png');
      return body;
    };
    const answer = await server.fetch('/upload', { method: 'POST', body: upload() });
    expect(await answer.json()).toEqual({ filename: 'photo.png', status: 'processing' });
    const imported = await server.fetch('/import', { method: 'POST', body: upload() });
    expect(await imported.json()).toEqual({ file: 7 });
    await served.close();
    expect(compressed).toHaveLength(1);
    expect(existsSync(compressed[0]!)).toBe(false);
  });

  it('sets limits', async () => {
    const limited = createApp({ ...QUIET, ...strict }).include(RawController);
    await using server = await serve(limited);
    const send = async (bytes: number) =>
      (await server.fetch('/raw/text', { method: 'POST', body: 'x'.repeat(bytes) })).status;
    expect(await send(64 * 1024)).toBe(200);
    expect(await send(64 * 1024 + 1)).toBe(413);
  });
});
