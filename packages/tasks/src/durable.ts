/**
 * What a job engine fulfils, so that it and the server need not know each other.
 *
 * A task definition with `durable: true` belongs to one: it is stored before the response is written
 * and runs even if the process dies in between. As long as an app has no engine, its task runner
 * refuses such tasks (`TASK_NEEDS_ENGINE`) instead of running them as if they were not durable.
 */
export interface JobEngine {
  readonly kind: 'job-engine';
}
