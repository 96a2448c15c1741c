import { createApp } from 'thereafter';
import { trace } from '@opentelemetry/api';
import { telemetry } from 'thereafter/telemetry';
import { QUIET } from '../../support/serve.ts';

export const app = createApp(QUIET);

app.use(telemetry());
app.get('/', () => trace.getActiveSpan()?.spanContext().traceId ?? 'not traced');
