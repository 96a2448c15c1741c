import { createApp } from 'thereafter';
import { cors } from 'thereafter/cors';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(cors({ origin: ['https://app.example'], credentials: true, exposeHeaders: ['etag'] }));
app.get('/', () => 'hello');
