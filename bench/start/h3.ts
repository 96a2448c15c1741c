import { H3 } from 'h3';
import { serve } from 'h3/node';

const app = new H3();
app.get('/hello', () => ({ message: 'hello' }));
serve(app, { port: Number(process.env['PORT']), silent: true });
