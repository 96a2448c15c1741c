import { createApp } from 'thereafter';
import { health } from 'thereafter/health';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

const database = { ping: ({ signal }: { signal: AbortSignal }) => signal.throwIfAborted() };

app.use(health({ checks: { database: (signal) => database.ping({ signal }) }, timeout: '1s' }));
