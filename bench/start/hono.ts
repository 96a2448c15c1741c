import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.get('/hello', (c) => c.json({ message: 'hello' }));
serve({ fetch: app.fetch, port: Number(process.env['PORT']) });
