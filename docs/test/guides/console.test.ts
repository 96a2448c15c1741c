import { expect, it } from 'vitest';
import { shop } from '../../listings/guides/console/mount.ts';
import { QUIET } from '../support/quiet.ts';

it('the guide to the console is right about a password', async () => {
  await using app = shop('sesame', QUIET);
  const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
  const ask = async (credentials?: string): Promise<Response> => {
    const headers =
      credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` };
    return await fetch(`${url}/console/`, { headers });
  };
  const asked = await ask();
  expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="console"',
  ]);
  expect((await ask('operator:open')).status).toBe(401);
  expect((await ask('operator:sesame')).status).toBe(200);
});
