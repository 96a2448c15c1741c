import { createApp } from 'thereafter';
// #region use
import { cors } from 'thereafter/cors';
// #endregion

export const app = createApp();

// #region use
app.use(cors({ origin: ['https://app.example'], credentials: true, exposeHeaders: ['etag'] }));
app.get('/', () => 'hello');
// #endregion
