import { createApp } from 'thereafter';
import { securityHeaders } from 'thereafter/security-headers';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(securityHeaders({ 'x-frame-options': 'DENY', 'strict-transport-security': false }));
