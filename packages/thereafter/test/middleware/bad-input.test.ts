import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createApp } from 'thereafter';
import { compress } from 'thereafter/compress';
import { cors } from 'thereafter/cors';
import { getCookie, signedCookies } from 'thereafter/cookies';
import { etag } from 'thereafter/etag';
import { rateLimit } from 'thereafter/rate-limit';
import { requestId } from 'thereafter/request-id';
import { staticFiles } from 'thereafter/static';
import { telemetry } from 'thereafter/telemetry';
import { capturedLog } from '../support/captured-log.ts';
import { QUIET, serve } from '../support/serve.ts';

const TARGETS = [
  '/',
  '//',
  '///evil.example/..',
  '/%',
  '/%00',
  '/%ff%fe',
  '/..%c0%af..%c0%afetc/passwd',
  '/\\..\\..',
  '/style.css/',
  '/style.css/x',
  `/${'a'.repeat(300)}`,
  `/${'../'.repeat(100)}etc/passwd`,
  '/?%',
  '*',
  'http://evil.example/',
  'http://[::1',
];

const HEADERS = [
  'host: a b',
  'host: [::1',
  'origin: \u0001',
  'accept-encoding: ;;;,q=,gzip;q=abc,br;q=-1,*;q=1e999',
  'if-none-match: "',
  'if-match: ,,W/,"',
  'if-range: "',
  'if-modified-since: never',
  'range: bytes=9-1,-,--,a-b',
  'range: bytes=-0',
  'range: bytes=99999999999999999999-',
  'cookie: =;a;a=%;__proto__=1;user=.;user=%.%',
  'traceparent: 00-0-0-0',
  'tracestate: ,,,=',
  'x-forwarded-for: ,,, ,999.1.1.1,::ffff:,fe80::1%eth0',
  'x-forwarded-for: fe80::1%eth0',
  'x-request-id: \u00ff',
  'access-control-request-method: \u00ff',
];

describe('the URL of a request', () => {
  it.each([
    ['//evil.example/a', 'a', 'http://a//evil.example/a'],
    ['//', 'a', 'http://a//'],
    ['*', 'a', 'http://a/'],
  ])('of %s at host %s', async (target, host, url) => {
    const seen: string[] = [];
    const app = createApp(QUIET).use((ctx, next) => {
      seen.push(ctx.url.href);
      return next();
    });
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').resume();
    socket.write(`OPTIONS ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    await once(socket, 'close');
    expect(seen).toEqual([url]);
  });
});

describe('middleware', () => {
  it('answers whatever a client makes up, and never with a fault of its own', async () => {
    const { logger, lines } = capturedLog();
    const signed = signedCookies(['x'.repeat(32)]);
    const app = createApp({ ...QUIET, logger, trustProxy: 1 })
      .use(requestId({ trust: true }))
      .use(telemetry())
      .use(cors({ origin: ['https://app.example'] }))
      .use(rateLimit({ limit: 1e6, window: '1s' }))
      .use(compress({ minBytes: 1 }))
      .use(etag())
      .use(staticFiles(new URL('./fixtures/public', import.meta.url)))
      .get('/', ({ ctx }) => getCookie(ctx, 'a') ?? signed.get(ctx, 'user') ?? 'home');
    await using server = await serve(app);

    const ask = async (method: string, target: string, header: string): Promise<string> => {
      const socket = connect(server.port, '127.0.0.1');
      const answer = text(socket);
      const host = header.startsWith('host') ? '' : 'host: a\r\n';
      socket.write(
        Buffer.from(
          `${method} ${target} HTTP/1.1\r\n${host}${header}\r\nconnection: close\r\n\r\n`,
          'latin1',
        ),
      );
      await once(socket, 'close');
      return `${method} ${target} [${header}] ${(await answer).slice(9, 12)}`;
    };
    const answers: string[] = [];
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      for (const target of TARGETS) answers.push(await ask(method, target, 'accept: */*'));
      for (const header of HEADERS) {
        answers.push(await ask(method, '/', header), await ask(method, '/style.css', header));
      }
    }
    expect(answers.filter((answer) => !/ [234]\d\d$/.test(answer))).toEqual([]);
    expect(lines.filter((line) => 'msg' in line && line.msg === 'request failed')).toEqual([]);
  });
});
