// #region use
import { createApp } from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { compress } from 'thereafter/compress';
import { cors } from 'thereafter/cors';
import { etag } from 'thereafter/etag';
import { health } from 'thereafter/health';
import { metrics } from 'thereafter/metrics';
import { rateLimit } from 'thereafter/rate-limit';
import { requestId } from 'thereafter/request-id';
import { securityHeaders } from 'thereafter/security-headers';
import { staticFiles } from 'thereafter/static';
import { telemetry } from 'thereafter/telemetry';

const app = createApp();

const folder = new URL('./public', import.meta.url);

app
  .use(requestId())
  .use(telemetry())
  .use(accessLog())
  .use(metrics())
  .use(health())
  .use(securityHeaders())
  .use(cors({ origin: ['https://app.example'] }))
  .use(rateLimit({ limit: 100, window: '1m' }))
  .use(compress())
  .use(etag())
  .use(staticFiles(folder, { prefix: '/assets' }));
app.get('/', () => 'hello');
// #endregion

export { app };
