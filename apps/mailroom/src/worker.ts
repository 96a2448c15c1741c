import { mailroom } from './app.ts';

await mailroom().work();
