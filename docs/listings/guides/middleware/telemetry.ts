import { createApp } from 'thereafter';
// #region use
import { trace } from '@opentelemetry/api';
import { telemetry } from 'thereafter/telemetry';
// #endregion

export const app = createApp();

// #region use
app.use(telemetry());
app.get('/', () => trace.getActiveSpan()?.spanContext().traceId ?? 'not traced');
// #endregion
