import { ListenError } from 'thereafter';
import { tour } from './app.ts';

try {
  const { url } = await tour().listen();
  console.log(`
The tour is at ${url}. What its tasks do stands in ${process.env['LOG_FILE'] ?? 'data/tour.log'}. Try:

  curl -X POST ${url}/send-notification/ada@example.com
  curl -X POST '${url}/users/?email=a@b.c&user_id=7'
  curl -X POST '${url}/process/?data=bad'
`);
} catch (error) {
  if (!(error instanceof ListenError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
