import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it } from 'vitest';
import { OrdersController } from '../../listings/guides/dependency-injection/clean-up.ts';
import { MeController } from '../../listings/guides/dependency-injection/current-user.ts';
import { overridden } from '../../listings/guides/dependency-injection/overrides.ts';
import { timeServer } from '../../listings/guides/dependency-injection/provide.ts';
import { Audit, Clock, Reports } from '../../listings/guides/dependency-injection/scopes.ts';
import { UserRepo } from '../../listings/guides/dependency-injection/users.ts';
import { QUIET } from '../support/quiet.ts';

describe('the guide to dependency injection', () => {
  it('has every scope, a token, inject() and lazy() in one app', async () => {
    const now = new Date('2027-01-01T00:00:00Z');
    const seen: unknown[] = [];
    const app = createApp(QUIET)
      .provide(Clock, { value: { now: () => now } })
      .get('/', { in: { reports: Reports, audit: Audit } }, ({ ctx, reports }) => {
        ctx.log.info = (line: unknown) => void seen.push(line);
        reports.run();
        return 'reported';
      });
    await using t = await testApp(app).start();
    expect((await t.get('/')).status).toBe(200);
    expect(seen).toEqual([{ what: 'report 2027-01-01T00:00:00.000Z', at: now }]);
  });

  it('provides a token in ways of which the last counts', async () => {
    await using t = await testApp(timeServer(QUIET)).start();
    expect(await (await t.get('/')).json()).toEqual({ year: 1970 });
  });

  it('guards and feeds a controller with function dependencies', async () => {
    const users = new UserRepo();
    await users.insert({ name: 'root', email: 'root@x.io' });
    const app = createApp(QUIET).provide(UserRepo, { value: users }).include(MeController);
    await using t = await testApp(app).start();
    const signedIn = { headers: { authorization: 'Bearer demo' } };

    expect(await (await t.get('/me', signedIn)).json()).toEqual({
      id: 1,
      name: 'root',
      email: 'root@x.io',
    });
    expect(await (await t.get('/me/secret', signedIn)).json()).toEqual({ ok: true });
    expect((await t.get('/me', { headers: { authorization: 'no' } })).status).toBe(401);
    const anonymous = await t.get('/me');
    expect(anonymous.status).toBe(422);
    expect(await anonymous.json()).toMatchObject({
      errors: [{ source: 'header', pointer: '/authorization', message: 'is required' }],
    });
  });

  it('commits a transaction before the response', async () => {
    await using t = await testApp(createApp(QUIET).include(OrdersController)).start();
    expect(await (await t.post('/orders', { json: {} })).json()).toEqual({ ok: true });
  });

  it('reads nothing from the request for a dependency that is overridden', async () => {
    await using t = await testApp(overridden).start();
    expect(await (await t.get('/me/secret')).json()).toEqual({ ok: true });
  });
});
