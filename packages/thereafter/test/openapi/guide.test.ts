import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { app } from '../listings/openapi.ts';

const here = import.meta.dirname;

it('the program of the guide prints its document without a port', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=thereafter-source',
    '--import',
    join(here, '../../../cli/src/register.ts'),
    join(here, '../listings/openapi-print.ts'),
  ]);
  const document: unknown = JSON.parse(stdout);
  expect(document).toEqual(app.openapi());
  expect(document).toMatchObject({
    info: { title: 'Users', version: '1.0.0' },
    paths: {
      '/users/{id}': {
        get: {
          summary: 'One user',
          security: [{ bearer: [] }],
          parameters: [{ name: 'id', schema: { type: 'integer', minimum: 1 } }],
          responses: { 200: {}, 404: {}, 422: {} },
        },
      },
    },
    components: { schemas: { User: {} }, securitySchemes: { bearer: {} } },
  });
});
