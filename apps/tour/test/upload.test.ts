import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { file, type App } from 'thereafter';
import { holdTasks } from 'thereafter/testing';
import { describe, expect, it } from 'vitest';
import { serveTour, type ServedTour } from './support/serve-tour.ts';

/** A picture of noise, which is large. */
const picture = (): Promise<Buffer> =>
  sharp({
    create: {
      width: 1800,
      height: 900,
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .png()
    .toBuffer();

function form(content: string | Uint8Array<ArrayBuffer>, name: string): FormData {
  const data = new FormData();
  data.set('file', new Blob([content]), name);
  return data;
}

/** A route that tells where this process keeps uploads. */
const tellFolder = (app: App) =>
  void app.post('/folder', { in: { sent: file('file') } }, ({ sent }) => ({
    folder: dirname(sent.path),
  }));

async function uploadsOf(tour: ServedTour): Promise<() => string[]> {
  const { folder } = (await tour.ask('POST', '/folder', form('x', 'x'))) as { folder: string };
  return () => readdirSync(folder);
}

describe('upload', () => {
  it('compresses an image after the answer, and removes the temporary file', async () => {
    await using tour = await serveTour({ extend: tellFolder });
    const uploads = await uploadsOf(tour);
    const content = await picture();
    const held = holdTasks(tour.app);

    const body = form(new Uint8Array(content), '../../evil picture.png');
    const response = await fetch(`${tour.url}/upload/`, { method: 'POST', body });
    expect(await response.json()).toEqual({ filename: 'evil picture.png', status: 'processing' });
    expect(uploads()).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(existsSync(tour.processed)).toBe(false);

    await held.drain();
    expect(uploads()).toEqual([]);
    const [name, ...others] = readdirSync(tour.processed);
    expect(others).toEqual([]);
    expect(name).toMatch(/^[0-9a-f-]{36}\.webp$/);
    const path = join(tour.processed, name!);
    expect(await sharp(path).metadata()).toMatchObject({
      format: 'webp',
      width: 1600,
      height: 800,
    });
    expect(statSync(path).size).toBeLessThan(content.length / 2);
  });

  it.each([
    ['text', () => 'no image', 'unsupported image format'],
    ['nothing', () => '', ''],
    ['an image that is cut', async () => (await picture()).subarray(0, 100_000), ''],
    ['an image with broken bytes', async () => (await picture()).fill(0xff, 5000, 50_000), ''],
  ])('reports %s, and leaves nothing behind', async (_, make, reason) => {
    await using tour = await serveTour({ extend: tellFolder });
    const uploads = await uploadsOf(tour);
    const failures: unknown[] = [];
    tour.app.onTaskError((error, { taskName }) => failures.push([taskName, String(error)]));
    const content = Buffer.from(await make());
    expect(await tour.ask('POST', '/upload/', form(new Uint8Array(content), 'notes.png'))).toEqual({
      filename: 'notes.png',
      status: 'processing',
    });
    expect(failures).toEqual([['compressImage', expect.stringContaining(reason)]]);
    expect(uploads()).toEqual([]);
    expect(readdirSync(tour.processed)).toEqual([]);
  });

  it('wants a file', async () => {
    await using tour = await serveTour();
    const response = await fetch(`${tour.url}/upload/`, { method: 'POST', body: new FormData() });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: '/file' }] });
  });
});
