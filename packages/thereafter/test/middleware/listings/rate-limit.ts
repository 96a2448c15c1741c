import { createApp } from 'thereafter';
import { rateLimit } from 'thereafter/rate-limit';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(rateLimit({ limit: 100, window: '1m' }));
app.get('/login', { use: [rateLimit({ name: 'login', limit: 5, window: '10m' })] }, () => 'in');
