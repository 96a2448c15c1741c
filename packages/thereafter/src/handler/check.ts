import { INVALID } from '@thereafter/di';
import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { DecodeUnsafe, HasCodec } from 'typebox/value';
import { Settings } from 'typebox/system';
import type { InputIssue } from '../response/problem.ts';
import { validatorOf } from './validator.ts';

/** Most issues that one input reports. */
const MAX_ISSUES = 100;

/** Where a check notes what is wrong: an exchange, or something that has as much of it. */
export interface Findings {
  issues: InputIssue[] | undefined;
}

/** Gives the value back, or `INVALID` after noting on the context what is wrong with it. */
export type Check = (findings: Findings, value: unknown) => unknown;

/**
 * Compiles a check against a schema.
 *
 * @param pointer - Where the value stands in its source: `''`, or `/name`.
 */
export function compileCheck(
  schema: TSchema,
  source: InputIssue['source'],
  pointer: string,
): Check {
  const validator = validatorOf(schema);
  const decode = HasCodec(schema) ? compileDecode(schema, source, pointer) : undefined;
  return (findings, value) => {
    if (validator.Check(value)) return decode ? decode(findings, value) : value;
    for (const issue of toIssues(
      allErrors(() => validator.Errors(value)),
      value,
      source,
      pointer,
    )) {
      addIssue(findings, issue);
    }
    return INVALID;
  };
}

/** Codecs run after the check; one that throws has refused the value. */
function compileDecode(schema: TSchema, source: InputIssue['source'], pointer: string): Check {
  return (findings, value) => {
    try {
      return DecodeUnsafe({}, schema, value);
    } catch {
      addIssue(findings, { source, pointer, message: 'cannot be decoded' });
      return INVALID;
    }
  };
}

export function addIssue(findings: Findings, issue: InputIssue): void {
  (findings.issues ??= []).push(issue);
}

/** TypeBox stops at 8 errors; its setting is for the whole process, so it is lent for one call. */
function allErrors<T>(collect: () => T): T {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_ISSUES });
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
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf');
  return errors.flatMap((error): InputIssue[] => {
    const at = pointer + error.instancePath;
    if (unions.some(({ schemaPath }) => error.schemaPath.startsWith(`${schemaPath}/anyOf/`))) {
      return []; // told in one message, with the union
    }
    if (error.keyword === 'required') {
      return error.params.requiredProperties.map((name) => ({
        source,
        pointer: `${at}/${escapePointer(name)}`,
        message: 'is required',
      }));
    }
    const wanted = error.keyword === 'anyOf' ? alternatives(error, errors) : wording(error);
    // A body may hold secrets, and its sender has it at hand.
    const came = source === 'body' ? '' : `, got ${shown(valueAt(value, error.instancePath))}`;
    return [{ source, pointer: at, message: wanted + came }];
  });
}

function alternatives(
  union: TLocalizedValidationError,
  errors: readonly TLocalizedValidationError[],
): string {
  const branches = errors
    .filter(
      (error) =>
        error.instancePath === union.instancePath &&
        error.schemaPath.startsWith(`${union.schemaPath}/anyOf/`),
    )
    .map((error) => wording(error).replace(/^must be /, ''));
  return branches.length === 0
    ? 'does not fit any of the alternatives'
    : `must be ${[...new Set(branches)].join(' or ')}`;
}

function wording(error: TLocalizedValidationError): string {
  switch (error.keyword) {
    case 'type': {
      const types = [error.params.type]
        .flat()
        .map((type) => (type === 'null' ? 'null' : article(type)));
      return `must be ${types.join(' or ')}`;
    }
    case 'const':
      return `must be ${JSON.stringify(error.params.allowedValue)}`;
    case 'enum':
      return `must be ${error.params.allowedValues.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'format':
      return `must be ${article(error.params.format)}`;
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
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-3 */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
