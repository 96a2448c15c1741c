import { INVALID } from '@thereafter/di';
import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { DecodeUnsafe, HasCodec } from 'typebox/value';
import { Settings } from 'typebox/system';
import type { InputIssue } from '../response/problem.ts';
import { TOO_LONG, withDeadline } from './deadline.ts';
import { validatorOf } from './validator.ts';

/** Most faults that are collected for one request. */
const MAX_ISSUES = 20;

/** Most errors of TypeBox that these are made of: of a union there is one for each alternative, too. */
const MAX_ERRORS = 10 * MAX_ISSUES;

/** Below this, in bytes, a value can keep no schema busy that is not risky by itself. */
const LARGE = 16 * 1024;

/** Longest time of a check, and once more of finding out what is wrong. */
const DEADLINE_MS = 50;

/** Longest pointer of a fault, in characters: it names keys that the client chose. */
const MAX_POINTER_LENGTH = 300;

/** Where a check notes what is wrong: an exchange, or something that has as much of it. */
export interface Findings {
  issues: InputIssue[] | undefined;
}

/**
 * Gives the value back, or `INVALID` after noting on the context what is wrong with it.
 *
 * @param size - Bytes that the value was made of, where they may be many.
 */
export type Check<G> = (findings: Findings, given: G, size?: number) => unknown;

/**
 * Compiles a check against a schema. A value that takes too long to check is not valid.
 *
 * @param pointer - Where the value stands in its source: `''`, or `/name`.
 * @param prepare - Makes the value that is checked of what is given; default: it is that already.
 */
export function compileCheck<G = unknown>(
  schema: TSchema,
  source: InputIssue['source'],
  pointer: string,
  prepare: (given: G) => unknown = (given) => given,
): Check<G> {
  const { validator, isRisky } = validatorOf(schema);
  const isCoded = HasCodec(schema);
  const accept = (given: G): unknown => {
    const value = prepare(given);
    if (!validator.Check(value)) return UNFIT;
    return isCoded ? decode(schema, value) : value;
  };
  const explain = (given: G) => {
    const value = prepare(given); // again, since what is stopped gives nothing back
    return { value, errors: validator.Errors(value) };
  };
  const note = (findings: Findings, message: string): typeof INVALID => {
    addIssue(findings, { source, pointer, message });
    return INVALID;
  };
  return (findings, given, size = 0) => {
    const isWatched = isRisky || size > LARGE;
    const accepted = isWatched ? withDeadline(DEADLINE_MS, () => accept(given)) : accept(given);
    if (accepted === TOO_LONG) return note(findings, 'takes too long to check');
    if (accepted === UNDECODABLE) return note(findings, 'cannot be decoded');
    if (accepted !== UNFIT) return accepted;
    const found = withMaxErrors(() =>
      isWatched ? withDeadline(DEADLINE_MS, () => explain(given)) : explain(given),
    );
    if (found === TOO_LONG) return note(findings, 'does not fit, and takes too long to say where');
    for (const issue of toIssues(found.errors, found.value, source, pointer)) {
      addIssue(findings, issue);
    }
    return INVALID;
  };
}

const UNFIT = Symbol('does not fit its schema');
const UNDECODABLE = Symbol('was refused by a codec');

/** Codecs run after the check; one that throws has refused the value. */
function decode(schema: TSchema, value: unknown): unknown {
  try {
    return DecodeUnsafe({}, schema, value);
  } catch {
    return UNDECODABLE;
  }
}

/** Notes what is wrong. Beyond the first twenty it is enough to know that something is. */
export function addIssue(findings: Findings, issue: InputIssue): void {
  const issues = (findings.issues ??= []);
  if (issues.length < MAX_ISSUES) issues.push(issue);
}

/** TypeBox stops at 8 errors; its setting is for the whole process, so it is lent for one call. */
function withMaxErrors<T>(collect: () => T): T {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_ERRORS });
  try {
    return collect();
  } finally {
    Settings.Set({ maxErrors });
  }
}

function toIssues(
  errors: readonly TLocalizedValidationError[],
  value: unknown,
  source: InputIssue['source'],
  pointer: string,
): InputIssue[] {
  const unions = errors.filter(isUnion);
  return errors.flatMap((error): InputIssue[] => {
    const at = shortened(pointer + error.instancePath, MAX_POINTER_LENGTH);
    if (unions.some((union) => isBelow(error, union))) return []; // told in one message, with the union
    if (error.keyword === 'required') {
      return error.params.requiredProperties.map((name) => ({
        source,
        pointer: `${at}/${escapePointer(name)}`,
        message: 'is required',
      }));
    }
    const wanted = wordingAmong(error, errors);
    // A body may hold secrets, and its sender has it at hand.
    const came = source === 'body' ? '' : `, got ${shown(valueAt(value, error.instancePath))}`;
    return [{ source, pointer: at, message: wanted + came }];
  });
}

/** Whether no alternative fits. A value that fits more than one of `oneOf` is another matter. */
function isUnion(error: TLocalizedValidationError): boolean {
  return (
    error.keyword === 'anyOf' ||
    (error.keyword === 'oneOf' && error.params.passingSchemas.length === 0)
  );
}

function isBelow(error: TLocalizedValidationError, union: TLocalizedValidationError): boolean {
  return error.schemaPath.startsWith(`${union.schemaPath}/${union.keyword}/`);
}

function wordingAmong(
  error: TLocalizedValidationError,
  errors: readonly TLocalizedValidationError[],
): string {
  if (!isUnion(error)) return wording(error);
  const below = errors.filter(
    (other) => other.instancePath === error.instancePath && isBelow(other, error),
  );
  const inner = below.filter(isUnion);
  const branches = below
    .filter((other) => !inner.some((union) => isBelow(other, union)))
    .map((other) => wordingAmong(other, below));
  return inOneSentence([...new Set(branches)]);
}

/** `must be a` and `must be b` give `must be a or b`; what begins otherwise stands for itself. */
function inOneSentence(branches: readonly string[]): string {
  if (branches.length === 0) return 'does not fit any of the alternatives';
  const kinds = branches.filter((branch) => branch.startsWith(MUST_BE));
  const others = branches.filter((branch) => !branch.startsWith(MUST_BE));
  const kind = kinds.map((branch) => branch.slice(MUST_BE.length)).join(' or ');
  return [...(kinds.length > 0 ? [MUST_BE + kind] : []), ...others].join(', or ');
}

const MUST_BE = 'must be ';

function wording(error: TLocalizedValidationError): string {
  switch (error.keyword) {
    case 'type': {
      const types = [error.params.type]
        .flat()
        .map((type) => (type === 'null' ? 'null' : article(type)));
      return `${MUST_BE}${types.join(' or ')}`;
    }
    case 'const':
      return MUST_BE + JSON.stringify(error.params.allowedValue);
    case 'enum':
      return (
        MUST_BE + error.params.allowedValues.map((value) => JSON.stringify(value)).join(' or ')
      );
    case 'format':
      return MUST_BE + article(error.params.format);
    case 'propertyNames':
      return 'has keys that are not allowed'; // the client chose them, and how many
    default:
      return error.message;
  }
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) && !noun.startsWith('uu') ? `an ${noun}` : `a ${noun}`;
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split('/').slice(1)) {
    at = (at as Record<string, unknown> | undefined)?.[unescapePointer(part)];
  }
  return at;
}

function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? 'nothing', 60);
}

function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-3 */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
