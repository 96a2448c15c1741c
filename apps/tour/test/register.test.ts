import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../src/outbox.ts';
import { serveTour } from './support/serve-tour.ts';

describe('register', () => {
  it('sends a mail after the answer, which the mail server in the process keeps', async () => {
    await using tour = await serveTour();
    expect(await tour.ask('POST', '/register/?email=ada@example.com')).toEqual({
      message: 'Registered',
    });
    expect(await tour.ask('GET', '/outbox')).toEqual([
      {
        to: ['ada@example.com'],
        from: 'tour@example.com',
        subject: 'Welcome!',
        text: 'Hello ada@example.com, it is good to have you here.',
      },
    ]);
  });

  it('sends it to the server of SMTP_URL', async () => {
    await using other = await Outbox.open();
    const env = { SMTP_URL: other.url, MAIL_FROM: 'hello@example.org' };
    await using tour = await serveTour({ env });
    await tour.ask('POST', '/register/?email=ada@example.com');
    expect(other.mails).toEqual([
      expect.objectContaining({ to: ['ada@example.com'], from: 'hello@example.org' }),
    ]);
    const outbox = await fetch(`${tour.url}/outbox`);
    expect(outbox.status).toBe(404);
    expect(await outbox.json()).toMatchObject({
      detail: 'Mail goes to the server of SMTP_URL, and is read there.',
    });
  });

  it('sends it with STARTTLS and a login where that server wants both', async () => {
    const received: { readonly user: string; readonly isSecure: boolean }[] = [];
    const server = new SMTPServer({
      logger: false,
      disableReverseLookup: true,
      onAuth({ username = '', password }, _session, answer) {
        if (password === 's3cret!') answer(null, { user: username });
        else answer(new Error('wrong password'));
      },
      onData(stream, { user, secure }, answer) {
        stream.resume().once('end', () => {
          received.push({ user: String(user), isSecure: secure });
          answer();
        });
      },
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.server.address() as AddressInfo;
    const wants = 'requireTLS=true&tls.rejectUnauthorized=false'; // its certificate is its own
    try {
      const env = { SMTP_URL: `smtp://ada:s3cret!@127.0.0.1:${port}?${wants}` };
      await using tour = await serveTour({ env });
      await tour.ask('POST', '/register/?email=ada@example.com');
      expect(received).toEqual([{ user: 'ada', isSecure: true }]);
      expect((await fetch(`${tour.url}/readyz`)).status).toBe(200);
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });

  it('is not ready, and reports the task, when that server is gone', async () => {
    const other = await Outbox.open();
    await using tour = await serveTour({ env: { SMTP_URL: other.url } });
    await other[Symbol.asyncDispose]();
    const failures: string[] = [];
    tour.app.onTaskError((_, { taskName }) => failures.push(taskName));
    expect(await tour.ask('POST', '/register/?email=ada@example.com')).toEqual({
      message: 'Registered',
    });
    expect(failures).toEqual(['sendWelcome']);
    expect((await fetch(`${tour.url}/readyz`)).status).toBe(503);
  });
});

describe('Outbox', () => {
  it('keeps the latest 100 mails', async () => {
    await using outbox = await Outbox.open();
    await using tour = await serveTour({ env: { SMTP_URL: outbox.url } });
    for (let i = 0; i < 101; i++) {
      await fetch(`${tour.url}/register/?email=a${i}@example.com`, { method: 'POST' });
    }
    await tour.app.tasks.settled();
    expect(outbox.mails).toHaveLength(100);
  });
});
