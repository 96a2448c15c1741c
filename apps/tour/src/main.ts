import { tour } from './app.ts';

const { url } = await tour().run();
console.log(`
The tour is at ${url}. What its tasks do stands in ${process.env['LOG_FILE'] ?? 'data/tour.log'}. Try:

  curl -X POST ${url}/send-notification/ada@example.com
  curl -X POST '${url}/users/?email=a@b.c&user_id=7'
  curl -X POST '${url}/process/?data=bad'

or open ${url}/docs.
`);
