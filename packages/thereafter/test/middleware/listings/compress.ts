import { createApp } from 'thereafter';
import { compress } from 'thereafter/compress';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(compress());
app.get('/report', () => 'long '.repeat(1000));
