import { createApp } from 'thereafter';
import { requestId } from 'thereafter/request-id';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(requestId({ trust: true })); // a proxy in front sets x-request-id
app.get('/', ({ ctx }) => ctx.id);
