import { createApp } from 'thereafter';
import { staticFiles } from 'thereafter/static';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

const folder = new URL('./public', import.meta.url);
app.use(staticFiles(folder, { prefix: '/assets', cacheControl: 'public, max-age=3600' }));
