import { jobs } from '@thereafter/queue';
import { bullmq } from '@thereafter/queue-redis';
import { createApp } from 'thereafter';

export const app = createApp({ jobs: jobs({ driver: bullmq({ url: 'redis://localhost:6379' }) }) });
