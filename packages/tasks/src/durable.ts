/** What a job engine fulfils, so that it and the server need not know each other. */
export interface JobEngine {
  readonly kind: 'job-engine';
}
