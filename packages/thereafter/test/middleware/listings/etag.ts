import { createApp } from 'thereafter';
import { compress } from 'thereafter/compress';
import { etag } from 'thereafter/etag';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(compress()).use(etag());
app.get('/prices', () => ({ tea: 3, coffee: 4 }));
