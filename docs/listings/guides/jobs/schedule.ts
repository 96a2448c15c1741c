import { defineTask } from 'thereafter';
import { Type } from 'typebox';

export const runs: (Date | undefined)[] = [];

export const nightlyReport = defineTask(
  {
    name: 'nightly-report',
    payload: Type.Object({}),
    durable: true,
    cron: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    missedRuns: 'once', // the default: one job for all ticks that were missed
    overlap: 'skip', // no job while the one before has not ended; default 'allow'
  },
  ({ job }) => void runs.push(job.scheduledFor),
);
