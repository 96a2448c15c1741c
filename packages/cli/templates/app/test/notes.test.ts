import { testApp } from 'thereafter/testing';
import { expect, it } from 'vitest';
import { AnnounceNote } from '../src/announce-note.ts';
import { notesApp } from '../src/app.ts';

it('keeps a note and announces it', async () => {
  await using t = await testApp(notesApp(), { tasks: 'hold' }).start();
  const added = await t.post('/notes', { json: { text: 'Buy milk' } });
  expect(added.status).toBe(201);
  const note = await added.json();
  expect(await (await t.get('/notes')).json()).toEqual([note]);
  expect(t.tasks.added(AnnounceNote)).toMatchObject([{ payload: note }]);
});

it('refuses a note without text', async () => {
  await using t = await testApp(notesApp()).start();
  const refused = await t.post('/notes', { json: { text: '' } });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ title: expect.any(String), status: 422 });
});

it('says when there is no such note', async () => {
  await using t = await testApp(notesApp()).start();
  expect((await t.get('/notes/7')).status).toBe(404);
});
