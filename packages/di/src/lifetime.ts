/**
 * How long a value lives.
 *
 * - `singleton` one per container, until it is closed
 * - `request` one per scope: an HTTP request with its background tasks, a task run, a test
 * - `handler` one per scope, ended when the handler has returned, before the response is sent
 * - `transient` a new one for each place that asks, ended with whoever it was made for
 */
export type Lifetime = 'singleton' | 'request' | 'handler' | 'transient';

/** What lives long must not keep what lives shorter. A transient sets no limit. */
export const LENGTH = { handler: 1, request: 2, singleton: 3, transient: 4 } as const;
