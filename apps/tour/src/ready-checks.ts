import { token } from 'thereafter';
import type { HealthCheck } from 'thereafter/health';

/**
 * What must answer before the tour is sent requests, by name. Whoever opens a connection adds its check;
 * `/readyz` asks them all.
 */
export type ReadyChecks = Record<string, HealthCheck>;
export const ReadyChecks = token<ReadyChecks>('ReadyChecks');
