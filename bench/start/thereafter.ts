import { createApp } from 'thereafter';

await createApp({ logger: false })
  .get('/hello', () => ({ message: 'hello' }))
  .listen({ port: Number(process.env['PORT']) });
