import { createApp, ThereafterError } from 'thereafter';

const app = createApp();
try {
  await app.listen();
} catch (error) {
  if (!(error instanceof ThereafterError) || error.code !== 'LISTEN_FAILED') throw error;
  console.log('Perhaps it runs already.');
}
