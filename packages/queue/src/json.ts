import { NotJsonError, TooLargeError } from './errors.ts';

/** Most bytes of a payload or a result, as JSON text in UTF-8. */
export const MAX_JSON_BYTES = 262_144;

/**
 * A payload as JSON text.
 *
 * @throws {NotJsonError} `JOB_PAYLOAD_NOT_JSON` when a round trip would change it.
 * @throws {TooLargeError} `JOB_PAYLOAD_TOO_LARGE` beyond `MAX_JSON_BYTES`.
 */
export function toPayloadText(payload: unknown, task: string): string {
  return toText(payload, PAYLOAD, task);
}

/**
 * What a job returned as JSON text; undefined for undefined.
 *
 * @throws {NotJsonError} `JOB_RESULT_NOT_JSON` when a round trip would change it.
 * @throws {TooLargeError} `JOB_RESULT_TOO_LARGE` beyond `MAX_JSON_BYTES`.
 */
export function toResultText(result: unknown, task: string): string | undefined {
  return result === undefined ? undefined : toText(result, RESULT, task);
}

/** What is stored, and how it is refused. */
interface Kind {
  readonly name: string;
  readonly notJson: NotJsonError['code'];
  readonly tooLarge: TooLargeError['code'];
}

const PAYLOAD: Kind = {
  name: 'payload',
  notJson: 'JOB_PAYLOAD_NOT_JSON',
  tooLarge: 'JOB_PAYLOAD_TOO_LARGE',
};
const RESULT: Kind = {
  name: 'result',
  notJson: 'JOB_RESULT_NOT_JSON',
  tooLarge: 'JOB_RESULT_TOO_LARGE',
};

function toText(value: unknown, { name, notJson, tooLarge }: Kind, task: string): string {
  const what = (): string => `The ${name} of task ${task}`;
  const fault = findFault(value, '', []);
  if (fault) throw new NotJsonError(notJson, what(), fault.path, fault.problem);
  const text = JSON.stringify(value);
  // A character is three bytes at most, so that short texts need not be measured.
  if (text.length * 3 > MAX_JSON_BYTES) {
    const size = Buffer.byteLength(text);
    if (size > MAX_JSON_BYTES) throw new TooLargeError(tooLarge, what(), MAX_JSON_BYTES, size);
  }
  return text;
}

interface Fault {
  readonly path: string;
  readonly problem: string;
}

/** The first part that JSON would drop, change or refuse. */
function findFault(value: unknown, path: string, parents: object[]): Fault | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path, problem: String(value) };
    case 'object':
      return value === null ? undefined : findFaultWithin(value, path, parents);
    default:
      return { path, problem: typeof value === 'undefined' ? 'undefined' : `a ${typeof value}` };
  }
}

function findFaultWithin(value: object, path: string, parents: object[]): Fault | undefined {
  if (parents.includes(value)) return { path, problem: 'part of itself' };
  parents.push(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const fault = findFault(value[i], `${path}/${i}`, parents);
      if (fault) return fault;
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      return { path, problem: `an instance of ${value.constructor.name}` };
    }
    for (const key in value) {
      const part = (value as Record<string, unknown>)[key];
      // An optional property that is not set: what is left out is undefined on the other side too.
      if (part === undefined) continue;
      const fault = findFault(part, `${path}/${key}`, parents);
      if (fault) return fault;
    }
  }
  parents.pop();
  return undefined;
}
