import { createApp } from 'thereafter';
// #region use
import { requestId } from 'thereafter/request-id';
// #endregion

export const app = createApp();

// #region use
app.use(requestId({ trust: true })); // a proxy in front sets x-request-id
app.get('/', ({ ctx }) => ctx.id);
// #endregion
