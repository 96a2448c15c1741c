export type { TestRequest, TestResponse } from './client.ts';
export type { TestTasks } from './held-tasks.ts';
export { testApp, TestApp, TestBuilder, type TestAppOptions } from './test-app.ts';
export type { AddedTask } from '@thereafter/tasks';
