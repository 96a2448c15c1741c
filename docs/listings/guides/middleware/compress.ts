import { createApp } from 'thereafter';
// #region use
import { compress } from 'thereafter/compress';
// #endregion

export const app = createApp();

// #region use
app.use(compress());
app.get('/report', () => 'long '.repeat(1000));
// #endregion
