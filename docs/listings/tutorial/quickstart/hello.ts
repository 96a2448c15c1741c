import { createApp } from 'thereafter';

const app = createApp();

app.get('/', () => ({ hello: 'world' }));

await app.run();
