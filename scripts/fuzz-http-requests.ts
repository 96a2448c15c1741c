// What fuzz-http.ts sends: good requests for every route of fuzz-http-server.ts, the same with some
// bytes changed, and requests that are wrong by design.
import { gzipSync } from 'node:zlib';

/** A head that promises a body of so many bytes. */
export function uploadHead(bytes: number): string {
  return head('POST', '/uploads', 'Content-Type: multipart/form-data; boundary=b', bytes);
}

function head(method: string, target: string, header = 'Accept: */*', bytes = 0): string {
  const length = bytes === 0 ? '' : `Content-Length: ${bytes}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nHost: a.example\r\n${header}\r\n${length}\r\n`;
}

function post(target: string, header: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(head('POST', target, header, bytes.length)), bytes]);
}

const JSON_TYPE = 'Content-Type: application/json';
const PARTS =
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n' +
  `${'content '.repeat(200)}\r\n` +
  '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nfor you\r\n--b--\r\n';
const ITEM = JSON.stringify({ name: 'Ada', email: 'ada@x.io', tags: ['a', 'b'], size: 3 });

/** One good request of each kind. */
export const GOOD: readonly Buffer[] = [
  ...[
    head('GET', '/'),
    head('HEAD', '/file'),
    head('OPTIONS', '*'),
    head('GET', '/items/7?limit=5&tag=a&tag=b%20c', 'Cookie: theme=dark; who=%C3%A4; by=x.y'),
    head('GET', '/items/8', 'X-Forwarded-For: 10.0.0.1, ::1\r\nX-Request-Id: abc'),
    head('GET', '/items/9', 'Origin: https://app.example\r\nAccept-Encoding: br;q=0.5, gzip'),
    head('OPTIONS', '/items', 'Origin: https://app.example\r\nAccess-Control-Request-Method: POST'),
    head('GET', '/static/lifecycle.md', 'Range: bytes=10-20\r\nAccept-Encoding: zstd, br'),
    head('GET', '/static/..%2f..%2fpackage.json', 'If-None-Match: W/"1-2", "x"'),
    head('GET', '/file', 'Range: bytes=0-0,5-9\r\nIf-Range: "x"\r\nIf-Match: *'),
    head('GET', '/events', 'Last-Event-ID: 7'),
    head('GET', '/lines'),
    head('GET', '/slow'),
    head('GET', '/go?to=%2Fitems%2F7%3Fa'),
    head('GET', '/docs'),
    head('GET', '/openapi.json'),
    head('GET', '/nowhere'),
    head('DELETE', '/items/7'),
    head('GET', 'http://a.example/items/7?x=1'),
    head('POST', '/texts', 'Transfer-Encoding: chunked') +
      '5\r\nhello\r\n3;x=y\r\n, a\r\n0\r\n\r\n',
    head('POST', '/texts', 'Content-Type: text/plain\r\nExpect: 100-continue', 5) + 'hello',
  ].map((text) => Buffer.from(text)),
  post('/items', JSON_TYPE, ITEM),
  post('/items', `${JSON_TYPE}\r\nContent-Encoding: gzip`, gzipSync(ITEM)),
  post('/forms', 'Content-Type: application/x-www-form-urlencoded', 'name=Ada+L%C3%A4&x=1'),
  post('/forms', 'Content-Type: multipart/form-data; boundary=b', PARTS.replace('file', 'name')),
  post('/uploads', 'Content-Type: multipart/form-data; boundary=b', PARTS),
  post('/parts', 'Content-Type: multipart/form-data; boundary="b"', PARTS),
  post('/streams', 'Content-Type: application/octet-stream', Buffer.alloc(5000, 1)),
];

/** Requests that are begun and left: besides the good ones, answers that take long. */
export const LONG: readonly Buffer[] = [
  ...GOOD,
  ...['/big', '/open-events', '/slow'].map((path) => Buffer.from(head('GET', path))),
  post('/uploads', 'Content-Type: multipart/form-data; boundary=b', PARTS.repeat(100)),
  post('/streams', 'Content-Type: text/plain', Buffer.alloc(500_000, 1)),
];

/** A source of chance that gives the same again for the same seed. */
export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  pick<T>(from: readonly T[]): T;
}

export function createChance(seed: number): Chance {
  let bits = seed | 0 || 1; // a shift register never leaves zero
  const next = (): number => {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    return (bits >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number =>
    low + Math.floor(next() * (high - low + 1));
  return { next, between, pick: (from) => from[between(0, from.length - 1)]! };
}

/** What parsers are known to stumble over. */
const TOKENS = [
  ['\r\n', '\n', '\r', '\0', '\r\n\r\n', ' ', '\t', '%', '%00', '%2e%2e%2f', '%c0%af', '%u0041'],
  ['__proto__', 'constructor', '"', "'", '<', '{', '}', '[', ']', ':', ';', ',', '=', '&', '..'],
  ['-1', '0', '1e999', '99999999999999999999', '0x10', 'null', 'true', 'NaN', '\u{1f600}', 'é'],
  ['Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n', 'Expect: x\r\n'],
  ['Content-Encoding: gzip\r\n', 'Connection: upgrade\r\nUpgrade: h2c\r\n', '--b', '--b--'],
  ['a'.repeat(300), 'a'.repeat(9000), '['.repeat(100), '&a=1'.repeat(1100), '../'.repeat(50)],
]
  .flat()
  .map((token) => Buffer.from(token));

/** A good request with one to five changes in one of its regions, perhaps with another after it. */
export function mutate(chance: Chance): Buffer {
  const good = chance.pick(GOOD);
  const [line, headers, body] = regionsOf(good);
  const changed = (): Buffer => {
    switch (chance.between(0, 4)) {
      case 0:
        return change(chance, good);
      case 1:
        return Buffer.concat([line, change(chance, headers), body]);
      case 2: {
        const words = line.toString('latin1').split(' ');
        words[1] = change(chance, Buffer.from(words[1]!, 'latin1')).toString('latin1');
        return Buffer.concat([Buffer.from(words.join(' '), 'latin1'), headers, body]);
      }
      default:
        return withLength(line, headers, change(chance, body));
    }
  };
  return chance.next() < 0.2 ? Buffer.concat([changed(), chance.pick(GOOD)]) : changed();
}

/** Request line, headers and body. */
function regionsOf(request: Buffer): [Buffer, Buffer, Buffer] {
  const lineEnd = request.indexOf('\r\n') + 2;
  const headEnd = request.indexOf('\r\n\r\n') + 4;
  return [
    request.subarray(0, lineEnd),
    request.subarray(lineEnd, headEnd),
    request.subarray(headEnd),
  ];
}

/** So that a changed body is read to its end. */
function withLength(line: Buffer, headers: Buffer, body: Buffer): Buffer {
  const fitting = headers.toString('latin1').replace(/(?<=content-length: )\d+/i, `${body.length}`);
  return Buffer.concat([line, Buffer.from(fitting, 'latin1'), body]);
}

function change(chance: Chance, given: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(given);
  for (let changes = chance.between(1, 5); changes > 0; changes--) {
    const at = chance.between(0, bytes.length);
    const end = Math.min(bytes.length, at + chance.between(0, 8));
    switch (chance.between(0, 4)) {
      case 0: // another byte
        if (at < bytes.length) bytes[at] = chance.between(0, 255);
        break;
      case 1: // less
        bytes = splice(bytes, at, end);
        break;
      case 2: // twice the same
        bytes = splice(bytes, at, at, bytes.subarray(at, end));
        break;
      case 3: // a part of another request
        bytes = splice(bytes, at, end, part(chance, chance.pick(GOOD)));
        break;
      default:
        bytes = splice(bytes, at, end, chance.pick(TOKENS));
    }
  }
  return bytes;
}

function splice(bytes: Buffer, from: number, to: number, put: Buffer = NOTHING): Buffer {
  return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)]);
}

const NOTHING = Buffer.alloc(0);

function part(chance: Chance, bytes: Buffer): Buffer {
  const at = chance.between(0, bytes.length);
  return bytes.subarray(at, at + chance.between(0, 100));
}

function noise(chance: Chance, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(chance.between(0, 255))).join('');
}

/** Wrong in one way each; what is noise in it differs every time. */
const WRONG: readonly ((noise: (most: number) => string) => string)[] = [
  (some) => some(300),
  (some) => `${some(20)}\r\n\r\n`,
  (some) => `GET ${some(50)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `${some(10)} / HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `GET / HTTP/${some(4)}\r\nHost: a\r\n\r\n`,
  (some) => `GET / HTTP/1.1\r\nHost: ${some(20)}\r\n\r\n`,
  (some) => `GET / HTTP/1.1\r\nHost: a\r\n${some(40)}\r\n\r\n`,
  (some) => `GET /items/%${some(5)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `GET /items/1?${some(60)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `GET /items/1 HTTP/1.1\r\nHost: a\r\nCookie: ${some(40)}\r\n\r\n`,
  (some) => `GET /static/${some(30)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `GET /file HTTP/1.1\r\nHost: a\r\nRange: ${some(20)}\r\nIf-Range: ${some(9)}\r\n\r\n`,
  (some) =>
    `GET / HTTP/1.1\r\nHost: a\r\nOrigin: ${some(20)}\r\nAccept-Encoding: ${some(9)}\r\n\r\n`,
  (some) => `GET /go?to=${encodeURIComponent(some(20))} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (some) => `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(17_000)}${some(5)}\r\n\r\n`,
  () => `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: 1\r\n'.repeat(120)}\r\n`,
  () => 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  () => 'GET / HTTP/1.1\r\n\r\n',
  () => 'GET / HTTP/0.9\r\n\r\n',
  () => 'GET / HTTP/1.1\nHost: a\n\n',
  () => 'GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n',
  () => 'GET / HTTP/1.1\r\nHost: a\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
  () => 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
  () => 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  (some) => `${head('POST', '/items', JSON_TYPE, 60)}${some(60)}`,
  (some) => `${head('POST', '/items', JSON_TYPE, 60)}{"name":"${some(10)}`,
  () => `${head('POST', '/items', JSON_TYPE, 6000)}${'['.repeat(6000)}`,
  () => `${head('POST', '/items', JSON_TYPE, 20)}{"__proto__":{"a":1}}`,
  () => `${head('POST', '/items', JSON_TYPE, 2 ** 31)}{}`,
  (some) => `${head('POST', '/items', `${JSON_TYPE}\r\nContent-Encoding: gzip`, 40)}${some(40)}`,
  (some) => `${head('POST', '/items', `Content-Type: ${some(20)}`, 2)}{}`,
  (some) => `${head('POST', '/items', `Content-Length: ${some(5)}`)}{}`,
  () => head('POST', '/texts', 'Content-Length: 5\r\nTransfer-Encoding: chunked') + '0\r\n\r\n',
  () => head('POST', '/texts', 'Content-Length: 5\r\nContent-Length: 6') + 'hello',
  () => head('POST', '/texts', 'Transfer-Encoding: chunked, gzip') + '0\r\n\r\n',
  (some) => head('POST', '/texts', 'Transfer-Encoding: chunked') + `${some(4)}\r\n${some(9)}\r\n`,
  () => `${head('POST', '/texts', 'Transfer-Encoding: chunked')}fffffffffffffffff\r\n`,
  (some) =>
    head('POST', '/forms', 'Content-Type: application/x-www-form-urlencoded', 50) + some(50),
  (some) => `${uploadHead(200)}--b\r\n${some(100)}\r\n\r\n${some(50)}\r\n--b--`,
  (some) =>
    `${uploadHead(200)}--b\r\nContent-Disposition: form-data; ${some(50)}\r\n\r\nx\r\n--b--`,
  () =>
    uploadHead(60_000) + '--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n'.repeat(1000),
];

export function makeWrong(chance: Chance): Buffer {
  const some = (most: number): string => noise(chance, chance.between(0, most));
  return Buffer.from(chance.pick(WRONG)(some), 'latin1');
}
