import fc from 'fast-check';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createApp, HttpReply, type Context } from 'thereafter';
import { assert, describe, expect, it } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { QUIET, serve, type Served } from '../support/serve.ts';

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Takes one answer off the bytes of a connection, as strictly as RFC 9112 lets a client be. */
function parse(bytes: Buffer, method: string): { answer: Answer; rest: Buffer } {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) throw new Error(`no end of headers in ${JSON.stringify(bytes.toString())}`);
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([2-9]\d\d) [^\r\n]*$/.exec(line)?.[1]);
  if (Number.isNaN(status)) throw new Error(`a status line is none: ${line}`);
  const headers = new Map<string, string>();
  for (const each of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): ?(.*)$/.exec(each) ?? [];
    if (name === undefined) throw new Error(`a header is none: ${each}`);
    if (/^(content-length|transfer-encoding)$/i.test(name) && headers.has(name.toLowerCase())) {
      throw new Error(`${name} is there twice`);
    }
    headers.set(name.toLowerCase(), value!);
  }
  let rest = bytes.subarray(end + 4);
  const take = (length: number): Buffer => {
    if (rest.length < length) throw new Error('the body is cut');
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const takeLine = (): string => {
    const line = take(rest.indexOf('\r\n')).toString('latin1');
    take(2);
    return line;
  };
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) throw new Error('a length and a coding');
  if (headers.has('trailer')) throw new Error('trailers are announced');
  let body = '';
  if (status === 204 || status === 304) {
    if (coding !== undefined || (status === 204 && length !== undefined)) {
      throw new Error(`a ${status} with the frame of a body`);
    }
  } else if (status === 205 && (length !== '0' || coding !== undefined)) {
    throw new Error('a 205 that does not say that it is empty');
  } else if (method !== 'HEAD') {
    if (coding !== undefined) {
      if (coding !== 'chunked') throw new Error(`the coding ${coding}`);
      for (;;) {
        const size = takeLine();
        if (!/^[\da-f]+$/i.test(size)) throw new Error(`a chunk of the size ${size}`);
        body += take(Number.parseInt(size, 16)).toString('latin1');
        if (takeLine() !== '') throw new Error('a chunk that does not end');
        if (Number.parseInt(size, 16) === 0) break;
      }
    } else {
      if (length === undefined || !/^\d+$/.test(length)) throw new Error(`the length ${length}`);
      body = take(Number(length)).toString('latin1');
    }
  }
  return { answer: { status, headers, body }, rest };
}

/** Asks twice without waiting, and reads until the server closes. */
async function askTwice({ port }: Served, method: string): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    `${method} /first HTTP/1.1\r\nhost: x\r\n\r\nGET /second HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

const texts = fc.array(fc.string({ maxLength: 9, unit: 'grapheme-ascii' }), { maxLength: 4 });

/** What a handler can return, made anew for each request, and the bytes that are to come. */
const bodies = texts.chain((pieces) => {
  const all = pieces.join('');
  const bytes = (): Buffer[] => pieces.map((piece) => Buffer.from(piece));
  const asAsked = (status: number): number => status;
  return fc.constantFrom(
    {
      kind: 'nothing',
      make: (): unknown => undefined,
      all: '',
      statusOf: (status: number) => (status === 200 ? 204 : status),
    },
    { kind: 'text', make: () => all, all, statusOf: asAsked },
    { kind: 'bytes', make: () => Buffer.from(all), all, statusOf: asAsked },
    {
      kind: 'stream',
      make: () => Readable.from(bytes(), { objectMode: false }),
      all,
      statusOf: asAsked,
    },
    { kind: 'stream', make: () => Readable.from(pieces), all, statusOf: asAsked },
    { kind: 'stream', make: () => ReadableStream.from(bytes()), all, statusOf: asAsked },
    { kind: 'stream', make: () => new Response(all), all, statusOf: () => 200 },
  );
});

/** A number of bytes that there can be. */
const LENGTH = /^\d{1,15}$/;

const declared = fc.oneof(
  fc.nat(40).map(String),
  fc.constantFrom('true', 'abc', '-1', '1.5', '5, 5', '', '99999999999999999999'),
);
const headers = fc.record(
  {
    'content-length': declared,
    'transfer-encoding': fc.constantFrom('chunked', 'identity', 'gzip, chunked', 'bogus'),
    trailer: fc.constant('x-end'),
    'content-type': fc.constant('text/plain'),
    etag: fc.constant('"1"'),
  },
  { requiredKeys: [] },
);
const status = fc.oneof(
  fc.constantFrom(200, 201, 204, 205, 206, 304, 404, 500),
  fc.constantFrom(100, 101, 102, 103, 199, 0, -1, 1000, 204.5, Number.NaN),
  fc.integer({ min: 200, max: 599 }),
);
const method = fc.constantFrom('GET', 'HEAD');

describe('what a handler says of its body', () => {
  it('never makes the next answer of the connection another one', async () => {
    let handler: (ctx: Context) => unknown = () => undefined;
    const app = createApp(QUIET)
      .get('/first', ({ ctx }) => handler(ctx))
      .get('/second', () => 'the second answer');
    const errors = loggedErrors(app);
    await using server = await serve(app);
    await fc.assert(
      fc.asyncProperty(
        fc.record({ method, status, headers, body: bodies, byContext: fc.boolean() }),
        async ({ method, headers, body, byContext, ...asked }) => {
          const status = body.statusOf(asked.status);
          errors.length = 0;
          handler = (ctx) => {
            if (byContext) for (const [k, v] of Object.entries(headers)) ctx.header(k, v);
            return new HttpReply(body.make(), {
              status: asked.status,
              headers: byContext ? {} : headers,
            });
          };
          const received = await askTwice(server, method);
          const length = headers['content-length'];
          const isFinal = Number.isInteger(status) && status >= 200 && status <= 599;
          const hasBody = isFinal && ![204, 205, 304].includes(status);
          const isMeasured =
            hasBody &&
            length !== undefined &&
            (body.kind === 'stream' || (body.kind === 'nothing' && method === 'HEAD'));
          const isWrong = Number(length) !== body.all.length;
          if (isMeasured && method === 'GET' && LENGTH.test(length) && isWrong) {
            assert.deepEqual(
              errors.map(({ err }) => (err as { code?: string }).code),
              ['RESPONSE_LENGTH'],
            );
            assert(!received.includes('the second answer'));
            return;
          }
          const first = parse(received, method);
          const second = parse(first.rest, 'GET');
          expect(second.answer).toMatchObject({ status: 200, body: 'the second answer' });
          expect(second.rest.length).toBe(0);
          const isRefused = !isFinal || (isMeasured && !LENGTH.test(length));
          expect(first.answer.status).toBe(isRefused ? 500 : status);
          const isSent = !isRefused && hasBody && method === 'GET';
          expect(isRefused ? '' : first.answer.body).toBe(isSent ? body.all : '');
        },
      ),
      { numRuns: 400 },
    );
  });

  it('may be the length of a stream, which is sent then, and told to HEAD too', async () => {
    const app = createApp(QUIET)
      .get('/', () => new HttpReply(Readable.from(['abc']), { headers: { 'content-length': '3' } }))
      .get('/own', () => new Response(null, { headers: { 'content-length': '7' } }));
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['3', 'abc']);
    expect((await server.fetch('/', { method: 'HEAD' })).headers.get('content-length')).toBe('3');
    expect((await server.fetch('/own', { method: 'HEAD' })).headers.get('content-length')).toBe(
      '7',
    );
  });

  it('does not end the server when a stream gives what cannot be sent', async () => {
    const app = createApp(QUIET)
      .get('/node', () => Readable.from([{ an: 'object' }]))
      .get('/web', () => ReadableStream.from([1, 2]))
      .get('/null', () => new ReadableStream({ start: (c) => c.enqueue(null) }));
    const errors = loggedErrors(app);
    await using server = await serve(app);
    for (const path of ['/node', '/web', '/null']) {
      await expect(server.fetch(path).then((r) => r.text())).rejects.toThrow(
        /terminated|fetch failed/,
      );
    }
    expect(errors.map(({ err }) => (err as { code: string }).code)).toEqual([
      'ARGUMENT_INVALID',
      'ARGUMENT_INVALID',
      'ARGUMENT_INVALID',
    ]);
  });

  it('is held to when it says too much or too little', async () => {
    const app = createApp(QUIET)
      .get(
        '/less',
        () => new HttpReply(Readable.from(['ab']), { headers: { 'content-length': '3' } }),
      )
      .get(
        '/more',
        () => new HttpReply(Readable.from(['abcd']), { headers: { 'content-length': '3' } }),
      );
    const errors = loggedErrors(app);
    await using server = await serve(app);
    for (const path of ['/less', '/more']) {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      const sent = (await buffer(socket).catch(() => Buffer.alloc(0))).toString();
      expect(sent).not.toContain('abcd');
    }
    expect(errors.map(({ err }) => (err as Error).message)).toEqual([
      expect.stringContaining('said 3 bytes, and its body has 2'),
      expect.stringContaining('said 3 bytes, and its body has at least 4'),
    ]);
  });
});
