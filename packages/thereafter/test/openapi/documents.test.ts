import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { torture } from './fixtures/torture.ts';

const here = import.meta.dirname;

const PROGRAMS: Record<string, string> = {
  quickstart: '../../../../apps/quickstart/src/main.ts',
  tour: '../../../../apps/tour/src/main.ts',
  'an app with every kind of schema': 'fixtures/torture-program.ts',
};

/** What a program's app says of itself, in a process of its own in which no port can be opened. */
async function print(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=thereafter-source',
    '--import',
    join(here, '../../../cli/src/register.ts'),
    '--import',
    join(here, 'support/print-document.js'),
    join(here, program),
  ]);
  return stdout;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-openapi-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What Redocly's linter finds, by its recommended rules: the errors, and how it ended. */
async function lint(document: unknown): Promise<{ errors: string[]; code: number }> {
  const file = join(folder, 'openapi.json');
  await writeFile(file, JSON.stringify(document));
  const manifest = createRequire(import.meta.url).resolve('@redocly/cli/package.json');
  const { bin } = createRequire(manifest)(manifest) as { bin: { redocly: string } };
  const { stdout, code } = await promisify(execFile)(
    process.execPath,
    [join(dirname(manifest), bin.redocly), 'lint', '--format=json', file],
    {
      cwd: folder,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  ).then(
    ({ stdout: text }) => ({ stdout: text, code: 0 }),
    (failure: { stdout: string; code: number }) => failure,
  );
  const { problems } = JSON.parse(stdout) as {
    problems: { severity: string; ruleId: string; message: string }[];
  };
  return {
    errors: problems
      .filter(({ severity }) => severity === 'error')
      .map(({ ruleId, message }) => `${ruleId}: ${message}`),
    code,
  };
}

describe.each(Object.entries(PROGRAMS))('the document of %s', (_, program) => {
  let text: string;
  beforeAll(async () => {
    text = await print(program);
  });

  it('passes the lint of Redocly', async () => {
    expect(await lint(JSON.parse(text))).toEqual({ errors: [], code: 0 });
  });

  it('is valid OpenAPI 3.1 for another validator', async () => {
    expect(await new Validator().validate(JSON.parse(text))).toMatchObject({
      valid: true,
    });
  });

  it('is the same on two runs, byte for byte', async () => {
    expect(await print(program)).toBe(text);
    expect(text.length).toBeGreaterThan(200);
  });
});

it('the lint refuses a document that is wrong', async () => {
  const document = structuredClone(torture().openapi()) as { paths: object };
  const wrong = { ...document, paths: { '/x/{y}': { get: { responses: {} } } } };
  expect((await lint(wrong)).errors).not.toEqual([]);
});
