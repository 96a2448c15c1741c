import { createApp } from 'thereafter';
// #region app
import { jobs } from '@thereafter/queue';
import { bullmq } from '@thereafter/queue-redis'; // npm install @thereafter/queue-redis bullmq ioredis
// #endregion

export const app =
  // #region app
  createApp({ jobs: jobs({ driver: bullmq({ url: 'redis://localhost:6379' }) }) });
// #endregion
