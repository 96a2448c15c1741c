import { createApp } from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { requestId } from 'thereafter/request-id';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(requestId()).use(accessLog({ skip: (ctx) => ctx.path === '/livez' }));
