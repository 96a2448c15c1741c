import { createApp } from 'thereafter';
// #region use
import { compress } from 'thereafter/compress';
import { etag } from 'thereafter/etag';
// #endregion

export const app = createApp();

// #region use
app.use(compress()).use(etag());
app.get('/prices', () => ({ tea: 3, coffee: 4 }));
// #endregion
