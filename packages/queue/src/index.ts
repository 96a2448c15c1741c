export type { JobDriver } from './driver.ts';
export type { JobState } from './states.ts';
