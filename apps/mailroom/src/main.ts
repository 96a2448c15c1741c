import { mailroom } from './app.ts';
import { Mailbox } from './mailbox.ts';

// A mail server to try it with: it delivers nothing, and shows what came at GET /mailbox.
const mailbox = process.env['SMTP_URL'] === undefined ? await Mailbox.open(2525) : undefined;
const app = mailroom();
if (mailbox) {
  app
    .get('/mailbox', () => mailbox.mails)
    .lifespan(async function* () {
      yield;
      await mailbox.close();
    });
}

const { url } = await app.run();
console.log(`
The mailroom is at ${url}:

  curl -X POST ${url}/sign-ups -H 'content-type: application/json' -d '{"email":"ada@example.com","name":"Ada"}'
  curl ${url}/mailbox
`);
