import { Counter, Histogram, register, type Registry } from 'prom-client';
import { TASK_ENDS } from '@thereafter/tasks';
import type { Middleware } from '../middleware.ts';
import { Reply } from '../response/reply.ts';
import { afterResponse } from './after-response.ts';
import { knownMethod } from './known-method.ts';
import { onTask } from './task-events.ts';

/** What `metrics()` takes. */
export interface MetricsOptions {
  /** Where the numbers are shown, or false for nowhere; default `/metrics`. */
  readonly path?: string | false;
  /** What keeps the numbers; default that of `prom-client`, so that your own are shown beside them. */
  readonly registry?: Registry;
  /** Upper bounds in seconds by which durations are counted; default 5 ms to 10 s. */
  readonly buckets?: readonly number[];
}

/**
 * Counts requests and background tasks for Prometheus, by names that cannot become many: the pattern
 * of a route, not its path. Needs the package `prom-client`. Whoever can ask the app can read the
 * numbers at its `path`: hide that behind your proxy, or show the registry elsewhere.
 *
 * - `http_server_request_duration_seconds` (histogram) by `http_request_method`, `http_route` and
 *   `http_response_status_code`; the last two are empty for an unknown path and for a client that left.
 * - `thereafter_task_duration_seconds` (histogram) and `thereafter_tasks_total` by `task` and `end`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ for names and buckets
 */
export function metrics(options: MetricsOptions = {}): Middleware {
  const { path = '/metrics', registry = register, buckets = BUCKETS_S } = options;
  const requests = histogram(registry, {
    name: 'http_server_request_duration_seconds',
    help: 'How long requests took until their response had ended.',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: [...buckets],
  });
  countTasks(registry, buckets);

  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (ctx.path === path && isRead) {
      return new Reply(200, registry.contentType, await registry.metrics());
    }
    afterResponse(ctx, ({ status, elapsedMs }) => {
      const labels = {
        http_request_method: knownMethod(ctx.method),
        http_route: ctx.route ?? '',
        http_response_status_code: status ?? '',
      };
      requests.observe(labels, elapsedMs / 1000);
    });
    return next();
  };
}

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

type HistogramOptions = ConstructorParameters<typeof Histogram>[0];

/** A registry has each name once, and there may be several apps. */
function histogram(registry: Registry, options: HistogramOptions): Histogram {
  const known = registry.getSingleMetric(options.name);
  if (known instanceof Histogram) return known;
  return new Histogram({ ...options, registers: [registry] });
}

const countsTasks = new WeakSet<Registry>();

/** The channels tell of the tasks of all apps, so one listener a registry counts each once. */
function countTasks(registry: Registry, buckets: readonly number[]): void {
  if (countsTasks.has(registry)) return;
  countsTasks.add(registry);
  const total = new Counter({
    name: 'thereafter_tasks_total',
    help: 'Background tasks that ended.',
    labelNames: ['task', 'end'],
    registers: [registry],
  });
  const durations = histogram(registry, {
    name: 'thereafter_task_duration_seconds',
    help: 'How long background tasks ran.',
    labelNames: ['task', 'end'],
    buckets: [...buckets],
  });
  for (const end of TASK_ENDS) {
    onTask(end, ({ taskName, elapsedMs }) => {
      const labels = { task: taskName, end };
      total.inc(labels);
      if (elapsedMs !== undefined) durations.observe(labels, elapsedMs / 1000);
    });
  }
}
