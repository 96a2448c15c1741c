import { createApp } from 'thereafter';
// #region use
import { health } from 'thereafter/health';
// #endregion

export const app = createApp();

// #region use
const database = { ping: ({ signal }: { signal: AbortSignal }) => signal.throwIfAborted() };

app.use(health({ checks: { database: (signal) => database.ping({ signal }) }, timeout: '1s' }));
// #endregion
