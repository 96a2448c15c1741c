import { createApp } from 'thereafter';
import { idempotency } from 'thereafter/idempotency';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

const once = idempotency({ ttl: '1d', required: true });
let payments = 0;
app.post('/payments', { use: [once] }, () => ({ payment: ++payments }));
