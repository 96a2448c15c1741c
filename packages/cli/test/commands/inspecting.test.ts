import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hello, Project } from '../project.ts';

let project: Project;
beforeEach(() => {
  project = new Project({ 'src/app.ts': hello('world') });
});
afterEach(() => project[Symbol.dispose]());

const ROUTES = 'GET  /  Hello.hello\n';
const own = (text: string): string => hello('world').replace(/export const app = .*/, text);

describe('thereafter routes', () => {
  it.for([
    ['exported as app', hello('world')],
    ['exported as default', own('export default createApp().include(Hello);')],
    ['started by the program', own('await createApp().include(Hello).run();')],
    ['started without waiting', own('void createApp().include(Hello).listen({ port: 0 });')],
    [
      'exported and started',
      own('export const app = createApp().include(Hello);\nawait app.run();'),
    ],
    [
      'started later',
      own('setTimeout(() => createApp().include(Hello).run());\nexport const other = 1;'),
    ],
  ] as const)('finds an app that is %s', async ([, source]) => {
    project.write({ 'src/app.ts': source });
    expect(await project.run('routes')).toEqual({ exitCode: 0, stdout: ROUTES, stderr: '' });
  });

  it('runs nothing behind the start, opens nothing, and keeps what is printed apart', async () => {
    project.write({
      'src/app.ts': own(`
        console.log('loaded');
        setInterval(() => undefined, 1000); // what a connection would do
        const { url } = await createApp()
          .include(Hello)
          .lifespan(async function* () { console.log('opened'); yield; })
          .run();
        console.log(url);
      `),
    });
    expect(await project.run('routes')).toEqual({
      exitCode: 0,
      stdout: ROUTES,
      stderr: 'loaded\n',
    });
  });

  it('lists tasks, and gives JSON', async () => {
    project.write({
      'src/app.ts': `
        import { createApp, defineTask } from 'thereafter';
        import { Type } from 'typebox';
        const mail = defineTask({ name: 'mail', payload: Type.Object({}) }, () => undefined);
        export const app = createApp().include(mail).post('/b', () => 1).get('/a/:id', () => 1).get('/b', () => 1);
      `,
    });
    const { stdout } = await project.run('routes');
    expect(stdout.split('\n')).toEqual([
      'GET   /a/:id  GET /a/:id',
      'GET   /b      GET /b',
      'POST  /b      POST /b',
      'task  mail',
      '',
    ]);
    const json = await project.run('routes', '--json');
    expect(JSON.parse(json.stdout)).toEqual([
      { method: 'GET', path: '/a/:id', handler: 'GET /a/:id' },
      { method: 'GET', path: '/b', handler: 'GET /b' },
      { method: 'POST', path: '/b', handler: 'POST /b' },
    ]);
  });

  it('says what to do when the program has no app', async () => {
    project.write({ 'src/app.ts': 'export const app = 1;' });
    const { exitCode, stderr } = await project.run('routes');
    expect(stderr).toMatch(/^thereafter: .*app\.ts neither exports an app nor starts one\. .*\n$/);
    expect(exitCode).toBe(1);
  });

  it('shows the line of a file that does not compile', async () => {
    project.write({ 'src/app.ts': 'export const app = = 1;' });
    const { exitCode, stderr } = await project.run('routes');
    expect(stderr).toMatch(
      /src\/app\.ts:1:20: Unexpected token\n\n {2}1 \| export const app = = 1;\n/,
    );
    expect(exitCode).toBe(1);
  });

  it('names a package that is not installed', async () => {
    project.write({ 'src/app.ts': "import 'not-there';" });
    const { exitCode, stderr } = await project.run('routes');
    expect(stderr).toMatch(
      /^thereafter: Cannot find package 'not-there' .*\. Install it: npm install not-there\.\n$/,
    );
    expect(exitCode).toBe(1);
  });
});

describe('the entry', () => {
  it.for(['app.ts', 'src/main.ts', 'main.ts', 'app.js', 'src/app.mjs'])(
    'is %s when there is none before it',
    async (file) => {
      using other = new Project({
        [file]:
          "import { createApp } from 'thereafter';\nexport const app = createApp().get('/x', () => 1);",
      });
      expect((await other.run('routes')).stdout).toBe('GET  /x  GET /x\n');
    },
  );

  it('is what package.json names, unless one is given', async () => {
    project.write({
      'server.ts': own("export const app = createApp().get('/server', () => 1);"),
      'given.ts': own("export const app = createApp().get('/given', () => 1);"),
      'package.json': '{ "type": "module", "thereafter": { "app": "server.ts" } }',
    });
    expect((await project.run('routes')).stdout).toContain('/server');
    expect((await project.run('routes', 'given.ts')).stdout).toContain('/given');
  });

  it('has to exist', async () => {
    project.write({ 'package.json': '{ "thereafter": { "app": "gone.ts" } }' });
    expect(await project.run('routes')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'thereafter: There is no file gone.ts of "thereafter": { "app" } in package.json. Give the file that exports your app.\n',
    });
    using empty = new Project({});
    const { exitCode, stderr } = await empty.run('routes');
    expect(stderr).toMatch(/^thereafter: No app was found in .*"thereafter": \{ "app": .*\.\n$/);
    expect(exitCode).toBe(1);
  });
});

describe('thereafter openapi', () => {
  it('gives the document, without a start', async () => {
    project.write({
      'src/app.ts': own(
        'const app = createApp({ title: "Own" }).include(Hello);\nawait app.run();',
      ),
    });
    const { exitCode, stdout } = await project.run('openapi');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      openapi: '3.1.1',
      info: { title: 'Own' },
      paths: { '/': { get: { operationId: expect.any(String) } } },
    });
    expect(await project.run('openapi', '--out', 'api.json')).toMatchObject({ stdout: '' });
    expect((await project.run('openapi')).stdout).toBe(project.read('api.json'));
  });

  it('refuses what cannot be described', async () => {
    project.write({
      'src/app.ts': `
        import { createApp } from 'thereafter';
        import { Type } from 'typebox';
        export const app = createApp().get('/', { response: Type.Object({ big: Type.BigInt() }) }, () => ({ big: 1n }));
      `,
    });
    const { exitCode, stderr } = await project.run('openapi');
    expect(stderr).toContain('The app cannot start:');
    expect(exitCode).toBe(1);
  });
});

describe('thereafter graph', () => {
  const shop = `
    import { Controller, createApp, Get, Injectable } from 'thereafter';
    @Injectable() class Prices { [Symbol.dispose]() {} }
    @Injectable({ scope: 'request' }) class Basket { constructor(prices: Prices) {} }
    @Controller() class Shop {
      @Get('/') basket(basket: Basket) { return 1; }
      @Get('/prices') prices(prices: Prices) { return 1; }
    }
    export const app = createApp().include(Shop);
  `;

  it('draws what routes are made of, with lifetimes and who ends them', async () => {
    project.write({ 'src/app.ts': shop });
    const { exitCode, stdout } = await project.run('graph');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Shop.basket\nShop — singleton\n');
    expect(stdout).toContain('basket: Basket — request, because its decorator says so');
    expect(stdout).toContain('└─ prices: Prices — singleton; ended by the container');
    const part = await project.run('graph', '--of', 'Shop.prices');
    expect(part.stdout).toMatch(/^Shop\.prices\n/);
    expect(part.stdout).not.toContain('Basket');
    expect(await project.run('graph', '--of', 'Nobody')).toMatchObject({ exitCode: 1 });
  });

  it('reports every fault instead', async () => {
    project.write({
      'src/app.ts': shop.replace('basket(basket: Basket)', 'basket(basket: Basket, a: string)'),
    });
    const { exitCode, stderr } = await project.run('graph');
    expect(stderr).toMatch(/^thereafter: The app cannot be planned:\n\[TA104\] /);
    expect(exitCode).toBe(1);
  });
});
