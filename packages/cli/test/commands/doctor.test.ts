import { describe, expect, it } from 'vitest';
import { hello, Project } from '../project.ts';

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    strict: true,
    module: 'nodenext',
    target: 'es2023',
  },
});

const CLAIMS = [
  'package.json and installed packages fit',
  'tsconfig.json has the flags',
  'no class to inject is imported as a type',
  'no lint rule takes classes out of the metadata',
  'the app can be planned',
];

describe('thereafter doctor', () => {
  it('has nothing to say about a project that is well', async () => {
    using project = new Project({
      'src/app.ts': hello('world'),
      'tsconfig.json': TSCONFIG,
      '.oxlintrc.json': '{ "rules": { "typescript/consistent-type-imports": "off" } }',
    });
    expect(await project.run('doctor')).toEqual({
      exitCode: 0,
      stdout: `${CLAIMS.map((claim) => `✓ ${claim}`).join('\n')}\n`,
      stderr: '',
    });
  });

  it('reports everything at once, each with what to do', async () => {
    using project = new Project({
      'package.json': '{ "scripts": { "dev": "tsx watch src/app.ts" } }',
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          strict: false,
          module: 'esnext',
          moduleResolution: 'node',
          target: 'es2017',
        },
      }),
      'eslint.config.js':
        "export default [{ rules: { '@typescript-eslint/consistent-type-imports': 'error' } }];",
      'biome.json': '{ "linter": { "rules": { "recommended": true } } }',
      'src/mailer.ts':
        "import { Injectable } from 'thereafter';\n@Injectable() export class Mailer {}",
      'src/app.ts': `
        import { Controller, createApp, Get, token } from 'thereafter';
        import { type Mailer } from './mailer.ts';
        const Address = token<string>('Address');
        @Controller() class Mails {
          constructor(private mailer: Mailer) {}
          @Get('/') one() { return 1; }
          @Get('/') two() { return 2; }
        }
        export const app = createApp().include(Mails).get('/address', { in: { address: Address } }, () => 1);
      `,
    });
    const { exitCode, stdout } = await project.run('doctor');
    expect(stdout.match(/^✗ .*/gm)).toEqual(CLAIMS.map((claim) => `✗ ${claim}`));
    const said = [
      'package.json has no "type", so its files are no ES modules to Node and to TypeScript. Set "type": "module".',
      'The script dev runs tsx, which does not emit the metadata that injection by type reads. Run it with thereafter dev',
      'tsconfig.json: experimentalDecorators is off',
      'tsconfig.json: emitDecoratorMetadata is off',
      'tsconfig.json: strict is off',
      'tsconfig.json: the module resolution does not read "exports"',
      'tsconfig.json: target is older than the Node that runs it',
      "src/app.ts:3 imports Mailer as a type only, and the constructor of Mails asks for it: there is nothing to inject. Write import { Mailer } from './mailer.ts'",
      'biome.json: the rule style/useImportType is on.',
      'eslint.config.js: the rule consistent-type-imports is on.',
      '[ROUTE_CONFLICT] GET / is declared twice.',
      '[TA103] ',
      '[TA106] ',
    ];
    for (const sentence of said) expect(stdout).toContain(`\n    ${sentence}`);
    expect(stdout).toMatch(/\n13 problems\.\n$/);
    expect(exitCode).toBe(1);
  });

  it('reports a program that does not load, and goes on with the rest', async () => {
    using project = new Project({
      'tsconfig.json': TSCONFIG,
      'src/app.ts': "throw new Error('no database');",
    });
    const { exitCode, stdout } = await project.run('doctor');
    expect(stdout).toContain('✓ tsconfig.json has the flags');
    expect(stdout).toMatch(
      /✗ the app can be planned\n {4}The program fails while it is loaded: Error: no database\n/,
    );
    expect(stdout).toContain('move what needs a service into lifespan()');
    expect(exitCode).toBe(1);
  });

  it('reports a missing tsconfig.json and framework', async () => {
    using project = new Project({ 'src/app.ts': 'export const app = 1;' });
    const { stdout } = await project.run('doctor');
    // Those of this package are found above it.
    expect(stdout).toContain('✓ tsconfig.json has the flags');
    expect(stdout).toMatch(
      / {4}.*app\.ts neither exports an app nor starts one\..*\n\nOne problem\.\n$/,
    );
  });
});
