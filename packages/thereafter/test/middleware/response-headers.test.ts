import { createApp, HttpReply } from 'thereafter';
import { compress } from 'thereafter/compress';
import { cors } from 'thereafter/cors';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

describe('response headers', () => {
  it('vary by what each of several middleware says, once', async () => {
    const app = createApp(QUIET)
      .use(cors({ origin: ['https://app.example'] }))
      .use(compress({ minBytes: 1 }))
      .use(compress({ minBytes: 1 }))
      .get('/', () => new HttpReply('hello', { headers: { vary: 'accept-language' } }));
    await using server = await serve(app);
    const { headers } = await get(server, '/', { 'accept-encoding': 'gzip' });
    expect(headers['vary']).toBe('Origin, Accept-Encoding, accept-language');
  });

  it('that would split the response make one logged 500, without the value', async () => {
    const { logger, lines } = capturedLog();
    const app = createApp({ ...QUIET, logger }).get('/', ({ ctx }) => {
      ctx.header('x-note', 'a\r\nset-cookie: evil=1');
    });
    await using server = await serve(app);
    const { status, headers, body } = await get(server, '/');
    expect(status).toBe(500);
    expect(headers['set-cookie']).toBeUndefined();
    const failures = lines.filter((line) => 'msg' in line && line.msg === 'request failed');
    expect(failures).toHaveLength(1);
    expect(body.toString() + JSON.stringify(lines)).not.toContain('evil');
  });
});
