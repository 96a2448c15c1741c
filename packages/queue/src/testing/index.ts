export { faulty, type FaultyDriver } from './faults.ts';
export { ManualClock } from './manual-clock.ts';
export { memory, type MemoryDriver, type MemoryOptions } from './memory.ts';
export { MemoryStore } from './memory-store.ts';
export { testJobs, type TestJobs, type TestJobsOptions } from './test-jobs.ts';
