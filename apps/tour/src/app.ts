import { adminConsole, fromThisMachine } from '@thereafter/console';
import { jobs } from '@thereafter/queue';
import { bullmq } from '@thereafter/queue-redis';
import { sqlite } from '@thereafter/queue/sqlite';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createApp, type App, type AppOptions } from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { health } from 'thereafter/health';
import { metrics } from 'thereafter/metrics';
import { requestId } from 'thereafter/request-id';
import { securityHeaders } from 'thereafter/security-headers';
import { staticFiles } from 'thereafter/static';
import { Activity } from './activity.ts';
import { Alerts, AlertsController } from './alerts.ts';
import { Cache, openCache } from './cache.ts';
import { HeavyTask, HeavyTaskController } from './heavy-task.ts';
import { ItemsController } from './items.ts';
import { LoginController } from './login.ts';
import { Mailer, openMailer } from './mailer.ts';
import { MonitoredController } from './monitored.ts';
import { NotificationsController } from './notifications.ts';
import { ProcessUserController } from './process-user.ts';
import { ProcessController } from './process.ts';
import { ReadyChecks } from './ready-checks.ts';
import { RegisterController } from './register.ts';
import { PAGE_FOLDER, StartPageController } from './start-page.ts';
import { STORIES } from './stories.ts';
import { UploadController } from './upload.ts';
import { OwnAddress, UpstreamController } from './upstream.ts';
import { UsersController } from './users.ts';

/** What the start page may do: all of it comes from the app itself. The docs page has a policy of its own. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** Every example of the guide to background tasks, as one service. */
export function tour(options: AppOptions = {}): App {
  const activity = new Activity(STORIES);
  const registry = new Registry();
  const checks: ReadyChecks = {};
  // Read here and not in Settings: it has to be known before anything is built.
  const { REDIS_URL, JOBS_FILE = 'data/jobs.db', CONSOLE_FOR = 'this-machine' } = process.env;
  const driver = REDIS_URL ? bullmq({ url: REDIS_URL }) : sqlite({ file: JOBS_FILE });
  const alerts = new Alerts();
  const log = options.logger ?? pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const app = createApp({ title: 'Tour', jobs: jobs({ driver }), ...options, logger: log });
  return app
    .onTaskError((error, failure) => {
      if (typeof log === 'object') log.error({ err: error, ...failure }, 'background task failed');
      alerts.raise(error, failure);
    })
    .use(requestId())
    .use(accessLog())
    .use(activity.arrived)
    .use(accessLog({ write: activity.responded }))
    .use(health({ checks }))
    .use(metrics({ registry }))
    .use(securityHeaders({ 'content-security-policy': PAGE_POLICY }))
    .use(staticFiles(PAGE_FOLDER, { prefix: '/page' }))
    .provide(Activity, { value: activity })
    .provide(Alerts, { value: alerts })
    .provide(Registry, { value: registry })
    .provide(ReadyChecks, { value: checks })
    .provide(OwnAddress, { value: app })
    .provide(Mailer, { make: openMailer })
    .provide(Cache, { make: openCache })
    .lifespan(async function* () {
      using _ = activity.watchTasks();
      yield;
    })
    .include(
      NotificationsController,
      UsersController,
      ProcessUserController,
      ItemsController,
      ProcessController,
      AlertsController,
      RegisterController,
      UploadController,
      LoginController,
      HeavyTaskController,
      HeavyTask,
      MonitoredController,
      UpstreamController,
      StartPageController,
      adminConsole({
        title: 'The tour',
        authorize: (ctx) => CONSOLE_FOR === 'everyone' || fromThisMachine(ctx),
      }),
    );
}
