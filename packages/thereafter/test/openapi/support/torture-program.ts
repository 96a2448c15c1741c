import { torture } from './torture.ts';

await torture().run();
