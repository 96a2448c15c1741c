import { createApp } from 'thereafter';

// #region use
const app = createApp({ trustProxy: ['127.0.0.1', '10.0.0.0/8'] });

app.get('/', ({ ctx }) => ctx.clientAddress);
// #endregion

export { app };
