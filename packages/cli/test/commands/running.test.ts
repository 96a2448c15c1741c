import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hello, Project } from '../project.ts';

let project: Project;
beforeEach(() => {
  project = new Project({ 'src/app.ts': hello('world') });
});
afterEach(() => project[Symbol.dispose]());

const say = async (url: string): Promise<unknown> => (await fetch(url)).json();

/** A program that starts itself, answers `/` with what `value` gives, and is slow to end. */
const program = (value: string, more = ''): string => `
  import { createApp } from 'thereafter';
  ${more}
  await createApp().get('/', () => (${value})).run();
`;

describe('thereafter dev', () => {
  it('serves the app, and what is saved', async () => {
    await using dev = project.start('dev');
    expect(await say(await dev.served())).toEqual({ hello: 'world' });
    project.write({ 'src/app.ts': hello('again') });
    await dev.printed(/▲ src\/app\.ts changed \(restarting\)/);
    expect(await say(await dev.served())).toEqual({ hello: 'again' });
    expect(dev.stdout).toMatch(
      /▲ serving http:\/\/localhost:\d+ \(ready in \d+ ms, docs http:\/\/localhost:\d+\/docs\)/,
    );
    dev.child.kill('SIGTERM');
    expect(await dev.closed).toEqual([0, null]);
    expect(dev.stderr).toBe('');
  });

  it('watches what is imported, and what is given', async () => {
    project.write({
      'src/app.ts': program('word', "import { word } from './word.ts';"),
      'src/word.ts': 'export const word = { one: 1 };',
      'texts/a/word.txt': 'one',
    });
    await using dev = project.start('dev', '--watch', 'texts');
    expect(await say(await dev.served())).toEqual({ one: 1 });
    project.write({ 'src/word.ts': 'export const word = { two: 22 };' });
    expect(await say(await dev.served())).toEqual({ two: 22 });
    project.write({ 'texts/a/word.txt': 'two' });
    await dev.printed(/▲ texts\/a\/word\.txt changed/);
    await dev.served();
  });

  it('shows what does not compile, and goes on when it does', async () => {
    await using dev = project.start('dev');
    await dev.served();
    project.write({ 'src/app.ts': `${hello('broken')}\nexport const x = = 1;` });
    await dev.printed(/src\/app\.ts:\d+:\d+: Unexpected token/);
    await dev.printed(/\| export const x = = 1;/);
    await dev.printed(/▲ the program ended with code 1 \(waiting for a change\)/);
    project.write({ 'src/app.ts': hello('mended') });
    expect(await say(await dev.served())).toEqual({ hello: 'mended' });
  });

  it('goes on when a file appears that was missing', async () => {
    project.write({ 'src/app.ts': program('word', "import { word } from './word.ts';") });
    await using dev = project.start('dev');
    await dev.printed(/thereafter: Cannot find module .*word\.ts.*Create the file/);
    await dev.printed(/waiting for a change/);
    project.write({ 'src/word.ts': 'export const word = { here: true };' });
    expect(await say(await dev.served())).toEqual({ here: true });
  });

  it('waits for a request no longer than its drain, then cuts it', async () => {
    project.write({
      'src/app.ts': program("(console.log('asked'), new Promise(() => undefined))"),
    });
    await using dev = project.start('dev', '--drain', '50');
    const url = await dev.served();
    const asked = fetch(url).catch((error: unknown) => error);
    await dev.printed(/asked/);
    project.write({ 'src/app.ts': hello('next') });
    expect(await asked).toBeInstanceOf(TypeError);
    expect(await say(await dev.served())).toEqual({ hello: 'next' });
    expect(dev.stdout).not.toContain('killing');
  });

  it('kills a program that hears no signal', async () => {
    project.write({
      'src/app.ts': program(
        '1',
        "process.on('SIGTERM', () => undefined); setInterval(() => 1, 1e6);",
      ).replace('createApp()', 'createApp({ shutdown: { signals: false } })'),
    });
    await using dev = project.start('dev', '--drain', '0');
    await dev.served();
    project.write({ 'src/app.ts': hello('next') });
    await dev.printed(/▲ the program does not end \(killing it\)/);
    expect(await say(await dev.served())).toEqual({ hello: 'next' });
  });

  it('makes log lines readable, and leaves them with --no-pretty', async () => {
    project.write({
      'src/app.ts': program(
        '1',
        "console.log('plain'); setTimeout(() => { throw new Error('late'); }, 1);",
      ),
    });
    await using pretty = project.start('dev');
    await pretty.printed(/^plain$/m);
    await pretty.printed(/^\d\d:\d\d:\d\d error nobody caught an error: closing origin=\w+$/m);
    await pretty.printed(/^ {4}Error: late\n {8}at .*src\/app\.ts:\d+/m);
    await using raw = project.start('dev', '--no-pretty');
    const [line] = await raw.printed(/^\{"level":30,.*"msg":"listening"\}$/m);
    expect(JSON.parse(line)).toMatchObject({ url: expect.any(String) });
  });

  it('reads variables from a file, and again when it changes', async () => {
    project.write({ 'src/app.ts': program('process.env.WORD'), '.env': 'WORD=one' });
    await using dev = project.start('dev', '--env-file', '.env');
    expect(await (await fetch(await dev.served())).text()).toBe('one');
    project.write({ '.env': 'WORD=three' });
    expect(await (await fetch(await dev.served())).text()).toBe('three');
  });

  it('says in a line that its port is taken', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using dev = project.start('dev', '--port', String(port));
    const [, taken] = await dev.printed(/^Cannot listen on port (\d+): another program .*$/m);
    expect(taken).toBe(String(port));
    await dev.printed(/waiting for a change/);
    other.close();
  });

  it('refuses to watch what is not there', async () => {
    expect(await project.run('dev', '--watch', 'nowhere')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'thereafter: There is no nowhere to watch. Create it, or leave it out.\n',
    });
  });
});

describe('thereafter start', () => {
  it.for(['src/app.ts', 'dist/app.mjs'])('runs %s as in production', async (entry) => {
    project.write({
      'src/app.ts': `
        import { createApp } from 'thereafter';
        export const app = createApp().get('/', () => ({ env: process.env.NODE_ENV }));
      `,
    });
    if (entry.startsWith('dist')) await project.run('build');
    await using start = project.start('start', entry, '--host', '127.0.0.1');
    const url = await start.served();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await say(url)).toEqual({ env: 'production' });
    start.child.kill('SIGTERM');
    expect(await start.closed).toEqual([0, null]);
    expect(start.stderr).toBe('');
  });

  it('lets flags win over the code', async () => {
    project.write({
      'src/app.ts': program('1').replace('.run()', ".run({ host: 'nowhere.invalid' })"),
    });
    await using start = project.start('start', '--host', '127.0.0.1');
    expect(await start.served()).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  it('takes the bundle when there is nothing else', async () => {
    await project.run('build');
    project.remove('src');
    await using start = project.start('start');
    expect(await say(await start.served())).toEqual({ hello: 'world' });
  });

  it('ends as the program does', async () => {
    project.write({ 'src/app.ts': 'process.exit(7);' });
    expect(await project.run('start')).toMatchObject({ exitCode: 7 });
    project.write({ 'src/app.ts': "process.kill(process.pid, 'SIGKILL');" });
    expect(await project.run('start')).toMatchObject({ exitCode: 128 + 9 });
    project.write({ 'src/app.ts': "throw new Error('at load');" });
    const { exitCode, stderr } = await project.run('start');
    expect(stderr).toMatch(/^Error: at load\n {4}at .*src\/app\.ts:1:7/);
    expect(exitCode).toBe(1);
  });

  it('says without a stack why an app cannot start', async () => {
    project.write({ 'src/app.ts': hello('x').replace('hello()', 'hello(name: string)') });
    const { exitCode, stderr } = await project.run('start');
    expect(stderr).toMatch(/^The app cannot start:\n {2}\[TA104\] .*\n$/);
    expect(exitCode).toBe(1);
  });

  it('refuses a program that ends without an app', async () => {
    project.write({ 'src/app.ts': 'export const nothing = 1;' });
    const { exitCode, stderr } = await project.run('start');
    expect(stderr).toMatch(/^thereafter: .*app\.ts neither exports an app nor starts one\./);
    expect(exitCode).toBe(1);
  });

  it('explains a circular import', async () => {
    project.write({
      'src/app.ts': "import './hen.ts';",
      'src/hen.ts':
        "import { Injectable } from 'thereafter'; import { Egg } from './egg.ts';\n@Injectable() export class Hen { constructor(egg: Egg) {} }",
      'src/egg.ts':
        "import { Injectable } from 'thereafter'; import { Hen } from './hen.ts';\n@Injectable() export class Egg { constructor(hen: Hen) {} }",
    });
    const { stderr } = await project.run('start');
    expect(stderr.match(/\[TA105\]/g)).toHaveLength(1);
    expect(stderr).toMatch(/files import each other: .*egg\.ts → .*hen\.ts → .*egg\.ts/);
  });
});

describe('thereafter worker', () => {
  it('says what an app without a job engine lacks', async () => {
    const { exitCode, stdout, stderr } = await project.run('worker');
    expect(stderr).toMatch(/^.* createApp\(\{ jobs.*\n$/);
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });

  it('lets the app work, and keeps it from listening', async () => {
    project.write({
      'src/app.ts': `
        import { jobs } from '@thereafter/queue';
        import { memory } from '@thereafter/queue/testing';
        import { createApp } from 'thereafter';
        const logger = {
          child: () => logger,
          error: console.error,
          info(_fields, message) {
            console.log(message);
            if (message === 'working') process.kill(process.pid, 'SIGTERM');
          },
        };
        export const app = createApp({ logger, jobs: jobs({ driver: memory() }) });
        await app.run();
        console.log('not reached');
      `,
    });
    expect(await project.run('worker')).toEqual({
      exitCode: 0,
      stdout: 'working\nclosing\n',
      stderr: '',
    });
  });
});
