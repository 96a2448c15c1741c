import { createApp } from 'thereafter';
// #region use
import { rateLimit } from 'thereafter/rate-limit';
// #endregion

export const app = createApp();

// #region use
app.use(rateLimit({ limit: 100, window: '1m' }));
app.get('/login', { use: [rateLimit({ name: 'login', limit: 5, window: '10m' })] }, () => 'in');
// #endregion
