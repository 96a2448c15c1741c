// Sends what its argument says and prints how much was answered. For machines without wrk.
import autocannon from 'autocannon';

export interface AutocannonJob {
  readonly url: string;
  readonly paths: readonly string[];
  readonly json: string | undefined;
  readonly connections: number;
  readonly seconds: number;
}

export interface AutocannonReport {
  readonly requests: number;
  readonly seconds: number;
  /** Answers other than 2xx, and errors. */
  readonly failed: number;
}

const job = JSON.parse(process.argv[2] ?? '{}') as AutocannonJob; // written by load.ts
const { requests, duration, non2xx, errors } = await autocannon({
  url: job.url,
  connections: job.connections,
  duration: job.seconds,
  requests: job.paths.map((path) => ({
    path,
    ...(job.json !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: job.json,
    }),
  })),
});
const report: AutocannonReport = {
  requests: requests.total,
  seconds: duration,
  failed: non2xx + errors,
};
console.log(JSON.stringify(report));
