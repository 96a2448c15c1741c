import { existsSync, readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  BackgroundTasks,
  Controller,
  createApp,
  file,
  File,
  form,
  Form,
  Post,
  type App,
  type UploadedFile,
} from 'thereafter';
import { Type } from 'typebox';
import { FormData } from 'undici';
import { describe, expect, it } from 'vitest';
import { rawClient } from '../support/raw.ts';
import { QUIET, serve, type Served } from '../support/serve.ts';

const Profile = Type.Object({
  name: Type.String({ minLength: 1 }),
  age: Type.Integer({ minimum: 0 }),
  tags: Type.Optional(Type.Array(Type.String())),
  role: Type.String({ default: 'member' }),
});

function postForm(server: Served, body: string, type = 'application/x-www-form-urlencoded') {
  return server.fetch('/', { method: 'POST', body, headers: { 'content-type': type } });
}

describe('form(schema)', () => {
  const app = () =>
    createApp(QUIET).post('/', { in: { profile: form(Profile) } }, ({ profile }) => profile);

  it('reads an urlencoded form as its schema says', async () => {
    await using server = await serve(app());
    const response = await postForm(server, 'name=Ada+L%C3%B3&age=36&tags=a&other=x');
    expect(await response.json()).toEqual({
      name: 'Ada Ló',
      age: 36,
      tags: ['a'],
      role: 'member',
    });
  });

  it('reads a multipart form to the same effect', async () => {
    await using server = await serve(app());
    const body = new FormData();
    body.append('name', 'Ada Ló');
    body.append('age', '36');
    body.append('tags', 'a');
    body.append('tags', 'b');
    const response = await server.fetch('/', { method: 'POST', body });
    expect(await response.json()).toEqual({
      name: 'Ada Ló',
      age: 36,
      tags: ['a', 'b'],
      role: 'member',
    });
  });

  it('reports every field that is wrong, without its value', async () => {
    await using server = await serve(app());
    const response = await postForm(server, 'name=&age=secret');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [
        { source: 'body', pointer: '/name', message: 'must not have fewer than 1 characters' },
        { source: 'body', pointer: '/age', message: 'must be an integer' },
      ],
    });
  });

  it.each([
    ['in another type', 415, '{}', 'application/json'],
    ['with broken percent-encoding', 400, 'name=%zz&age=1', 'application/x-www-form-urlencoded'],
    ['with 1,001 pairs', 400, 'a=1&'.repeat(1000) + 'a=1', 'application/x-www-form-urlencoded'],
    ['over 1 MiB', 413, `a=${'x'.repeat(1024 * 1024)}`, 'application/x-www-form-urlencoded'],
  ])('is refused %s', async (_, status, body, type) => {
    await using server = await serve(app());
    expect((await postForm(server, body, type)).status).toBe(status);
  });

  it.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=b'])(
    'never reaches a prototype, as %s',
    async (type) => {
      await using server = await serve(app());
      const pairs = [
        ['name', 'Ada'],
        ['age', '1'],
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ];
      const body = type.startsWith('m')
        ? `${pairs.map(([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--b--`
        : pairs.map((pair) => pair.join('=')).join('&');
      const response = await postForm(server, body, type);
      expect(await response.json()).toEqual({ name: 'Ada', age: 1, role: 'member' });
    },
  );

  it('gives one field by its name', async () => {
    const one = createApp(QUIET).post(
      '/',
      { in: { age: form('age', Type.Integer()), name: form('name', Type.String()) } },
      ({ age, name }) => ({ age, name }),
    );
    await using server = await serve(one);
    expect(await (await postForm(server, 'age=3&name=Ada')).json()).toEqual({
      age: 3,
      name: 'Ada',
    });
    expect(await (await postForm(server, 'name=Ada')).json()).toMatchObject({
      errors: [{ source: 'body', pointer: '/age', message: 'is required' }],
    });
  });
});

/** Keeps what it was given, so that a test can look for it later. */
function uploader(limits = {}): { app: App; seen: UploadedFile[] } {
  const seen: UploadedFile[] = [];
  const app = createApp({ ...QUIET, limits }).post(
    '/',
    { in: { upload: file('file'), note: form('note', Type.Optional(Type.String())) } },
    async ({ upload, note }) => {
      seen.push(upload);
      const { name, type, size } = upload;
      return { name, type, size, note, content: (await upload.bytes()).toString() };
    },
  );
  return { app, seen };
}

function multipart(...parts: readonly string[]): string {
  return `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;
}

function filePart(content: string, name = 'a.txt'): string {
  return `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/x-test\r\n\r\n${content}`;
}

/** A file with so many headers besides its two. */
function withHeaders(count: number): string {
  const more = Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
  return more + filePart('x');
}

/** A file whose headers have so many bytes. */
function withHeaderBytes(bytes: number): string {
  const part = `X-A: \r\n${filePart('x')}`;
  const missing = bytes - part.indexOf('\r\n\r\n');
  return part.replace('X-A: ', `X-A: ${'x'.repeat(missing)}`);
}

function postParts(server: Served, body: string | Buffer) {
  return server.fetch('/', {
    method: 'POST',
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
}

describe('file(name)', () => {
  it('gives the upload as a file on disk, which only its user may read', async () => {
    const modes: number[] = [];
    const app = createApp(QUIET).post('/', { in: { upload: file('file') } }, async ({ upload }) => {
      modes.push((await stat(upload.path)).mode & 0o777);
      return text(upload.stream());
    });
    await using server = await serve(app);
    const response = await postParts(server, multipart(filePart('hello')));
    expect(await response.text()).toBe('hello');
    expect(modes).toEqual([0o600]);
  });

  it('comes with its fields, in any order', async () => {
    await using server = await serve(uploader().app);
    const note = 'Content-Disposition: form-data; name=note\r\n\r\nhi';
    for (const parts of [
      [filePart('x\r\ny'), note],
      [note, filePart('x\r\ny')],
    ]) {
      expect(await (await postParts(server, multipart(...parts))).json()).toEqual({
        name: 'a.txt',
        type: 'text/x-test',
        size: 4,
        note: 'hi',
        content: 'x\r\ny',
      });
    }
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\dir\\file.txt', 'file.txt'],
    ['..', 'file'],
    ['a/', 'file'],
    ['q\\"uote %22.txt', 'q"uote ".txt'],
    ['Ló.txt', 'Ló.txt'],
  ])('calls %j %j, and puts it under a name of our own', async (given, name) => {
    const { app, seen } = uploader();
    await using server = await serve(app);
    const response = await postParts(server, multipart(filePart('x', given)));
    expect(await response.json()).toMatchObject({ name });
    expect(seen[0]!.path).toMatch(/thereafter-\w+\/[\da-f-]{36}$/);
  });

  it('is 422 when it is missing, empty and nameless, or there are two', async () => {
    await using server = await serve(uploader().app);
    const bodies = [
      multipart(),
      multipart(filePart('', '')),
      multipart(filePart('a'), filePart('b')),
    ];
    const answers = await Promise.all(
      bodies.map(async (body) => (await postParts(server, body)).json()),
    );
    expect(answers.map((answer) => (answer as { errors: unknown }).errors)).toEqual([
      [{ source: 'body', pointer: '/file', message: 'is required' }],
      [{ source: 'body', pointer: '/file', message: 'is required' }],
      [{ source: 'body', pointer: '/file', message: 'must be one file' }],
    ]);
  });

  it('may be optional, or a list', async () => {
    const app = createApp(QUIET).post(
      '/',
      { in: { one: file.optional('one'), many: file.list('file') } },
      ({ one, many }) => ({ one: one?.name ?? 'none', many: many.map(({ name }) => name) }),
    );
    await using server = await serve(app);
    const response = await postParts(server, multipart(filePart('1', 'a'), filePart('2', 'b')));
    expect(await response.json()).toEqual({ one: 'none', many: ['a', 'b'] });
  });

  it('is 415 in an urlencoded form', async () => {
    await using server = await serve(uploader().app);
    expect((await postForm(server, 'file=x')).status).toBe(415);
  });

  it.each([
    ['a part has no name', 400, multipart('Content-Disposition: form-data\r\n\r\nx')],
    [
      'a part has an empty name',
      400,
      multipart('Content-Disposition: form-data; name=""\r\n\r\nx'),
    ],
    ['a part has no headers', 400, multipart('\r\nx')],
    ['a part has no disposition', 400, multipart('Content-Type: text/plain\r\n\r\nx')],
    [
      'a header has no colon',
      400,
      multipart(`${filePart('x').replace('\r\n\r\n', '\r\nbroken\r\n\r\n')}`),
    ],
    ['a header is folded', 400, multipart('Content-Disposition: form-data;\r\n name=a\r\n\r\nx')],
    [
      'a header comes twice',
      400,
      multipart(filePart('x').replace('\r\n', '\r\nContent-Type: a/b\r\n')),
    ],
    ['a part has 17 headers', 400, multipart(withHeaders(15))],
    ['headers of a part have over 8 KiB', 400, multipart(withHeaderBytes(8193))],
    [
      'a field is not UTF-8',
      400,
      Buffer.concat([
        Buffer.from('--b\r\nContent-Disposition: form-data; name=note\r\n\r\n'),
        Buffer.of(0xff),
        Buffer.from('\r\n--b--'),
      ]),
    ],
    ['the closing boundary is missing', 400, multipart(filePart('x')).replace('--b--', '')],
    ['there is no boundary at all', 400, 'nothing'],
    ['a boundary is followed by something', 400, `--bx\r\n${filePart('x')}\r\n--b--`],
    [
      'there are 101 fields',
      413,
      multipart(
        ...Array.from({ length: 101 }, () => 'Content-Disposition: form-data; name=a\r\n\r\nx'),
      ),
    ],
    ['there are 17 files', 413, multipart(...Array.from({ length: 17 }, () => filePart('x')))],
    [
      'a field has over 1 MiB',
      413,
      multipart(`Content-Disposition: form-data; name=a\r\n\r\n${'x'.repeat(1024 * 1024 + 1)}`),
    ],
    ['a file has over 10 MiB', 413, multipart(filePart('x'.repeat(10 * 1024 * 1024 + 1)))],
  ])('is refused when %s, and leaves nothing on disk', async (_, status, body) => {
    const { app, seen } = uploader();
    await using server = await serve(app);
    await postParts(server, multipart(filePart('first')));
    expect((await postParts(server, body)).status).toBe(status);
    await app.tasks.settled();
    await app.close();
    expect(readdirSync(dirname(seen[0]!.path))).toEqual([]);
  });

  it('may have as many headers as the limits say', async () => {
    await using server = await serve(uploader().app);
    for (const part of [withHeaders(14), withHeaderBytes(8192)]) {
      expect((await postParts(server, multipart(part))).status).toBe(200);
    }
  });

  it('refuses 1,001 parts', async () => {
    const { app } = uploader({ multipart: { maxFields: 5000 } });
    await using server = await serve(app);
    const parts = Array.from(
      { length: 1001 },
      () => 'Content-Disposition: form-data; name=a\r\n\r\nx',
    );
    expect((await postParts(server, multipart(...parts.slice(1)))).status).toBe(422);
    expect((await postParts(server, multipart(...parts))).status).toBe(413);
  });

  it('refuses a bomb of 100,000 fields early', async () => {
    await using server = await serve(uploader().app);
    const bomb = '--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n'.repeat(100_000);
    expect((await postParts(server, `${bomb}--b--`)).status).toBe(413);
  });

  it('may be larger by its own option', async () => {
    const app = createApp(QUIET).post(
      '/',
      {
        in: {
          big: file('file', { maxBytes: 12 * 1024 * 1024 }),
          small: file.optional('small', { maxBytes: 3 }),
        },
      },
      ({ big }) => big.size,
    );
    await using server = await serve(app);
    const response = await postParts(server, multipart(filePart('x'.repeat(11 * 1024 * 1024))));
    expect(await response.json()).toBe(11 * 1024 * 1024);
    const small = filePart('four').replace('"file"', '"small"');
    expect((await postParts(server, multipart(small))).status).toBe(413);
  });

  it('is there for background tasks, and gone after them, one that fails included', async () => {
    const contents: string[] = [];
    const paths: string[] = [];

    @Controller('/')
    class Uploads {
      @Post('/')
      take(
        @File('file') upload: UploadedFile,
        @Form('note', Type.String()) note: string,
        tasks: BackgroundTasks,
      ) {
        paths.push(upload.path);
        tasks.add(async () => {
          contents.push(note + (await readFile(upload.path, 'utf8')));
          throw new Error('the task fails');
        });
        return { filename: upload.name };
      }
    }

    const app = createApp(QUIET).include(Uploads);
    await using server = await serve(app);
    const note = 'Content-Disposition: form-data; name=note\r\n\r\n';
    const response = await postParts(server, multipart(filePart('content'), `${note}n:`));
    expect(await response.json()).toEqual({ filename: 'a.txt' });
    await app.close();
    expect(contents).toEqual(['n:content']);
    expect(existsSync(paths[0]!)).toBe(false);
  });

  it('is gone after a handler that fails', async () => {
    const paths: string[] = [];
    const app = createApp(QUIET).post('/', { in: { upload: file('file') } }, ({ upload }) => {
      paths.push(upload.path);
      throw new Error('no');
    });
    await using server = await serve(app);
    expect((await postParts(server, multipart(filePart('x')))).status).toBe(500);
    await app.close();
    expect(existsSync(paths[0]!)).toBe(false);
  });

  it('leaves nothing behind when the client goes away half-way', async () => {
    const { app, seen } = uploader();
    await using server = await serve(app);
    await postParts(server, multipart(filePart('first')));
    const folder = dirname(seen[0]!.path);
    await app.tasks.settled();
    {
      await using client = await rawClient(server.port);
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n${filePart('x'.repeat(5000))}`,
      );
      await expect.poll(() => readdirSync(folder).length).toBe(1);
    }
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind wherever the client goes away', async () => {
    const { app, seen } = uploader();
    await using server = await serve(app);
    await postParts(server, multipart(filePart('first')));
    const folder = dirname(seen[0]!.path);
    const body = multipart(filePart('x'.repeat(40)), filePart('second'));
    for (let sent = 0; sent <= body.length; sent += 3) {
      await using client = await rawClient(server.port);
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, sent)}`,
      );
      client.socket.destroySoon();
    }
    await app.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is kept by moveTo', async () => {
    const app = createApp(QUIET).post('/', { in: { upload: file('file') } }, async ({ upload }) => {
      const kept = `${dirname(upload.path)}/kept.txt`;
      await upload.moveTo(kept);
      return kept;
    });
    await using server = await serve(app);
    const kept = await (await postParts(server, multipart(filePart('content')))).text();
    await app.close();
    expect(await readFile(kept, 'utf8')).toBe('content');
  });
});

describe('form.parts()', () => {
  const app = () =>
    createApp(QUIET).post('/', { in: { parts: form.parts() } }, async ({ parts }) => {
      const seen: unknown[] = [];
      for await (const part of parts) {
        const { name, fileName, type } = part;
        seen.push({
          name,
          fileName,
          type,
          content: name === 'skip' ? 'skipped' : await text(part.stream),
        });
      }
      return seen;
    });

  it('gives each part as a stream, and skips what is not read', async () => {
    await using server = await serve(app());
    const skip = 'Content-Disposition: form-data; name=skip\r\n\r\nnobody reads this';
    const response = await postParts(server, multipart(skip, filePart('content', 'x/y.txt')));
    expect(await response.json()).toEqual([
      { name: 'skip', type: 'text/plain', content: 'skipped' },
      { name: 'file', fileName: 'y.txt', type: 'text/x-test', content: 'content' },
    ]);
  });

  it('fails with a problem where the form is broken', async () => {
    await using server = await serve(app());
    const broken = multipart(filePart('content')).replace('--b--', '');
    expect((await postParts(server, broken)).status).toBe(400);
    expect((await postForm(server, 'a=1')).status).toBe(415);
  });
});
