export type { TestRequest, TestResponse } from './client.ts';
export type { AddedTask, TestTasks } from './held-tasks.ts';
export { testApp, TestApp, TestBuilder, type TestAppOptions } from './test-app.ts';
