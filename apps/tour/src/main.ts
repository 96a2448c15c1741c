import { tour } from './app.ts';

const { url } = await tour().run();
console.log(`
The tour is at ${url}: open it, try a route, and watch its tasks run after the response.
They leave their lines in LOG_FILE, by default data/tour.log. In a shell:

  curl -X POST ${url}/send-notification/ada@example.com
  curl -X POST '${url}/users/?email=a@b.c&user_id=7'
  curl -X POST '${url}/process/?data=bad'

The docs page is at ${url}/docs, the console at ${url}/console.
`);
