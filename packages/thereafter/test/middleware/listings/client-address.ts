import { createApp } from 'thereafter';
import { QUIET } from '../../support/serve.ts';

export const app = createApp({ ...QUIET, trustProxy: ['127.0.0.1', '10.0.0.0/8'] });

app.get('/', ({ ctx }) => ctx.clientAddress);
