import type { ErrorInfo, JobRecord, JobState, NewJob } from '@thereafter/queue/driver';
import { fromKeyPart, idToKeyPart, toKeyPart } from './keys.ts';

/** As BullMQ counts: 0 for those in the middle, which stand in a list; the others from 1, most urgent first. */
function toBullPriority(priority: number): number {
  return priority === 5 ? 0 : priority + 1;
}

function fromBullPriority(priority: number): number {
  return priority === 0 ? 5 : priority - 1;
}

/** What the script that stores a job wants to know of it. */
export function toColumns(job: NewJob): (string | number)[] {
  return [
    toKeyPart(job.queue),
    idToKeyPart(job.id),
    job.task,
    job.payload,
    toBullPriority(job.priority),
    job.attempts,
    Math.ceil(job.runAtMs),
    job.uniqueKey ?? '',
    Math.ceil(job.uniqueUntilMs ?? 0),
    job.schedule?.key ?? '',
    job.schedule?.forMs ?? '',
    job.traceparent ?? '',
    job.isHeld ? 1 : 0,
  ];
}

/** Names and values in turn, as Redis gives a hash. */
export type Fields = readonly string[];

export function toRecord(queue: string, id: string, fields: Fields): JobRecord {
  const of = toMap(fields);
  const schedule = of.get('scheduleKey');
  return {
    id: fromKeyPart(id),
    queue: fromKeyPart(queue),
    task: of.get('name') ?? '',
    state: of.get('state') as JobState, // only our scripts write it
    payload: of.get('data') ?? 'null',
    result: of.get('returnvalue') ?? null,
    errors: JSON.parse(of.get('errors') ?? '[]') as ErrorInfo[], // only we write it
    attempt: Number(of.get('ats') ?? 0),
    attempts: Number(of.get('attempts')),
    crashes: Number(of.get('stc') ?? 0),
    progress: Number(of.get('progress') ?? 0),
    priority: fromBullPriority(Number(of.get('priority'))),
    enqueuedAtMs: Number(of.get('timestamp')),
    runAtMs: Number(of.get('runAt')),
    startedAtMs: toNumber(of.get('processedOn')),
    finishedAtMs: toNumber(of.get('finishedOn')),
    uniqueKey: of.get('uniqueKey') ?? null,
    schedule:
      schedule === undefined ? null : { key: schedule, forMs: Number(of.get('scheduleFor')) },
    traceparent: of.get('traceparent') ?? null,
  };
}

function toMap(fields: Fields): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    map.set(fields[i] as string, fields[i + 1] as string); // within its length
  }
  return map;
}

function toNumber(value: string | undefined): number | null {
  return value === undefined ? null : Number(value);
}
