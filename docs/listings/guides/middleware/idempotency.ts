import { createApp } from 'thereafter';
// #region use
import { idempotency } from 'thereafter/idempotency';
// #endregion

export const app = createApp();

// #region use
const once = idempotency({ ttl: '1d', required: true });
let payments = 0;
app.post('/payments', { use: [once] }, () => ({ payment: ++payments }));
// #endregion
