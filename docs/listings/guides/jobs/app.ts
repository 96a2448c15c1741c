import { createApp } from 'thereafter';
import { jobs } from '@thereafter/queue';
import { sqlite } from '@thereafter/queue/sqlite';
import { ExportAccount } from './export.ts';

export const app = createApp({ jobs: jobs({ driver: sqlite({ file: 'data/jobs.db' }) }) }).include(
  ExportAccount,
);
