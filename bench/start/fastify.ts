import Fastify from 'fastify';

const app = Fastify({ logger: false });
app.get('/hello', () => ({ message: 'hello' }));
await app.listen({ port: Number(process.env['PORT']) });
