import { join } from 'node:path';
import { expect, it } from 'vitest';
import { app } from '../../listings/guides/openapi/app.ts';
import { docs } from '../support/page.ts';
import { Program } from '../support/program.ts';

it('the program of the guide to OpenAPI prints its document without a port', async () => {
  const command = 'node --import @thereafter/cli/register print.ts'.split(' ');
  const program = new Program(command, join(docs, 'listings/guides/openapi'));
  await program.ended;
  const document: unknown = JSON.parse(program.output);
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
