import { createApp } from 'thereafter';
// #region mount
import { adminConsole, fromThisMachine } from '@thereafter/console';
// #endregion

const app = createApp();

// #region mount
app.include(adminConsole({ authorize: fromThisMachine })); // then open /console
// #endregion
