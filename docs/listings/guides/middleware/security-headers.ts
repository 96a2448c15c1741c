import { createApp } from 'thereafter';
// #region use
import { securityHeaders } from 'thereafter/security-headers';
// #endregion

export const app = createApp();

// #region use
app.use(securityHeaders({ 'x-frame-options': 'DENY', 'strict-transport-security': false }));
// #endregion
