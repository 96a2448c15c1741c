export type { TestRequest, TestResponse } from './client.ts';
export { holdTasks, type TestTasks } from './test-tasks.ts';
export { testApp, TestApp, TestBuilder, type TestAppOptions } from './test-app.ts';
export type { AddedTask } from '@thereafter/tasks';
