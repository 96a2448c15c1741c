import { createApp } from 'thereafter';
import { currentUser, MeController } from './current-user.js';

// For a test: no header is read and no session looked up, since nobody asks for them any more.
export const overridden = createApp({ logger: false, shutdown: { signals: false } })
  .include(MeController)
  .override(currentUser, { id: 1, name: 'root', email: 'root@x.io' });
