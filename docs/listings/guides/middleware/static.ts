import { createApp } from 'thereafter';
// #region use
import { staticFiles } from 'thereafter/static';
// #endregion

export const app = createApp();

// #region use
const folder = new URL('./public', import.meta.url);
app.use(staticFiles(folder, { prefix: '/assets', cacheControl: 'public, max-age=3600' }));
// #endregion
