import { bullmq } from '@thereafter/queue-redis';
import { contest } from './contest.ts';
import { thereafter } from './thereafter-store.ts';

contest(thereafter((store) => bullmq({ url: process.env['REDIS_URL']!, prefix: store })));
