import { jobs } from '@thereafter/queue';
import { bullmq } from '@thereafter/queue-redis';
import { sqlite } from '@thereafter/queue/sqlite';
import { createApp, type App, type AppOptions } from 'thereafter';
import { health } from 'thereafter/health';
import { Deliveries, openDeliveries } from './deliveries.ts';
import { Mailer, openMailer } from './mailer.ts';
import { SignUpsController } from './sign-ups.ts';
import { WelcomeMail } from './welcome-mail.ts';

const { REDIS_URL, JOBS_FILE = 'data/jobs.db', WORKERS } = process.env;

/**
 * One app for both kinds of process: `main.ts` answers requests, `worker.ts` only works. Where the jobs
 * are is all that changes between one machine and many.
 */
export function mailroom(options: AppOptions = {}): App {
  return createApp({
    title: 'Mailroom',
    jobs: jobs({
      driver: REDIS_URL ? bullmq({ url: REDIS_URL }) : sqlite({ file: JOBS_FILE }),
      // Without worker processes, the web process sends the mails itself.
      worker: WORKERS === 'separate' ? false : { concurrency: 8 },
    }),
    ...options,
  })
    .use(health())
    .provide(Mailer, { make: openMailer })
    .provide(Deliveries, { make: openDeliveries })
    .include(SignUpsController, WelcomeMail);
}
