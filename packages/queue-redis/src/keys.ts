/*
 * Where things stand in Redis. A queue has the keys that BullMQ gives it, `<prefix>:<queue>:<name>`, so
 * that tools for BullMQ can show it, and one more set, `cancelled`. What belongs to no queue stands under
 * an empty queue name, `<prefix>::<name>`, which no queue can have.
 */

/** Under `<prefix>:<queue>:`, beside the jobs: BullMQ's keys and ours. */
const RESERVED = new Set([
  '',
  'active',
  'cancelled',
  'completed',
  'de',
  'delayed',
  'events',
  'failed',
  'id',
  'limiter',
  'marker',
  'meta',
  'paused',
  'pc',
  'prioritized',
  'repeat',
  'stalled',
  'stalled-check',
  'suspects',
  'wait',
  'waiting-children',
  'worked',
]);

/** A name as a part of a key: the colon separates parts. */
export function toKeyPart(name: string): string {
  return name.replaceAll('%', '%25').replaceAll(':', '%3A');
}

/** The id of a job as a part of a key, never the name of something else in its queue. */
export function idToKeyPart(id: string): string {
  return RESERVED.has(id) ? `%_${id}` : toKeyPart(id);
}

export function fromKeyPart(part: string): string {
  if (!part.includes('%')) return part;
  return part.replace(/^%_/, '').replaceAll('%3A', ':').replaceAll('%25', '%');
}

/** Messages between the processes, on channels of Redis. */
export const CHANNELS = { events: 'events', cancel: 'cancel' } as const;

export function channel(prefix: string, name: keyof typeof CHANNELS): string {
  return `${prefix}::${CHANNELS[name]}`;
}
