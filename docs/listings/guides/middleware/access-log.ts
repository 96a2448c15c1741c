import { createApp } from 'thereafter';
// #region use
import { accessLog } from 'thereafter/access-log';
import { requestId } from 'thereafter/request-id';
// #endregion

export const app = createApp();

// #region use
app.use(requestId()).use(accessLog({ skip: (ctx) => ctx.path === '/livez' }));
// #endregion
