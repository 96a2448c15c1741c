import { ArgumentError, ThereafterError } from '@thereafter/di';
import type { Static, TObject } from 'typebox';
import { http } from '../node-modules.ts';

/** What a problem type is, for `Problem.define`. */
export interface ProblemDefinition<S extends TObject> {
  /** A URI that names the type, e.g. `/problems/out-of-stock`. */
  readonly type: string;
  readonly status: number;
  readonly title: string;
  /** The members that it adds to the standard ones. */
  readonly extension: S;
}

/**
 * An error that is an answer: an `application/problem+json` body with its status.
 *
 * A plain `Problem` is a 500, whose detail is logged and never sent. Its `code` is `PROBLEM`, unless it
 * has a member of that name: `status` and `type` say which problem it is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export class Problem extends ThereafterError {
  declare readonly code: string;
  readonly status: number = 500;
  readonly type: string = 'about:blank';
  /** Response headers that belong to the problem, such as `allow`. */
  readonly headers: Readonly<Record<string, string>> = {};
  /** Members beyond the standard ones. */
  readonly extension: Readonly<Record<string, unknown>> = {};

  static {
    // Of the prototype, so that it costs no instance anything, and a member `code` can take its place.
    Object.defineProperty(this.prototype, 'code', { value: 'PROBLEM', writable: true });
  }

  get title(): string {
    return http.STATUS_CODES[this.status] ?? 'Error';
  }

  /**
   * Declares a problem type with typed members; extend the result to give it a name.
   *
   * @throws {ArgumentError} When a member of the extension is one that every problem or error has.
   */
  static define<S extends TObject>(
    definition: ProblemDefinition<S>,
  ): new (extension: Static<S>, detail?: string) => ProblemWith<Static<S>> {
    const taken = Object.keys(definition.extension.properties).find((name) => RESERVED.has(name));
    if (taken !== undefined) {
      throw new ArgumentError(
        `${definition.type} declares the member ${taken}, which every problem has. Name it otherwise.`,
      );
    }
    class DefinedProblem extends Problem {
      static readonly definition: ProblemDefinition<TObject> = definition;
      override readonly status = definition.status;
      override readonly type = definition.type;
      override readonly extension: Readonly<Record<string, unknown>>;

      constructor(extension: Record<string, unknown>, detail?: string) {
        super(detail);
        this.extension = extension;
        Object.assign(this, extension);
      }

      override get title(): string {
        return definition.title;
      }
    }
    // The members of the extension were assigned to the instance above.
    return DefinedProblem as unknown as new (
      extension: Static<S>,
      detail?: string,
    ) => ProblemWith<Static<S>>;
  }
}

/** A problem with members of its own, which take the place of what errors have besides. */
type ProblemWith<M> = keyof M & Replaceable extends never
  ? Problem & M
  : Omit<Problem, keyof M & Replaceable> & M;

type Replaceable = 'code' | 'retryAfterSeconds';

/** Members of every problem, in its body or as an error. */
const RESERVED = new Set([
  'type',
  'title',
  'status',
  'detail',
  'instance',
  'requestId',
  'headers',
  'extension',
  'name',
  'message',
  'stack',
  'cause',
  '__proto__',
]);

/** 400: the request is malformed. */
export class BadRequest extends Problem {
  override readonly status = 400;
}

/** 401: it is not known who asks. */
export class Unauthorized extends Problem {
  override readonly status = 401;
}

/** 403: who asks is known, and may not. */
export class Forbidden extends Problem {
  override readonly status = 403;
}

/** 404: there is nothing, or nothing that may be seen. */
export class NotFound extends Problem {
  override readonly status = 404;
}

/** The path exists, but not for this method. */
export class MethodNotAllowed extends Problem {
  override readonly status = 405;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param allowed - The methods that the path answers. */
  constructor(allowed: readonly string[]) {
    super(
      allowed.length === 0 ? 'No method is answered here.' : `Use one of ${allowed.join(', ')}.`,
    );
    this.headers = { allow: allowed.join(', ') };
  }
}

/** The condition of the request does not hold: what it asks for has changed. */
export class PreconditionFailed extends Problem {
  override readonly status = 412;
}

/** A file has no such bytes. */
export class RangeNotSatisfiable extends Problem {
  override readonly status = 416;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param contentRange - Says how long the file is; see RFC 9110, 14.4. */
  constructor(detail: string, contentRange: string) {
    super(detail);
    this.headers = { 'content-range': contentRange };
  }
}

/** What was sent came too slowly. */
export class RequestTimeout extends Problem {
  override readonly status = 408;
  override readonly headers = { connection: 'close' };
}

/** 409: the request does not fit the state of what it is about. */
export class Conflict extends Problem {
  override readonly status = 409;
}

/** 413: the body is larger than is taken. */
export class ContentTooLarge extends Problem {
  override readonly status = 413;
  // What is still coming is not read, so the connection cannot be used again.
  override readonly headers = { connection: 'close' };
}

/** 414: the request target is longer than is taken. */
export class UriTooLong extends Problem {
  override readonly status = 414;
}

/** 415: the body has a type or an encoding that is not taken. */
export class UnsupportedMediaType extends Problem {
  override readonly status = 415;
}

/** What this server does for nobody, such as an unknown method. Not a failure of it, whatever the number says. */
export class Unsupported extends Problem {
  override readonly status: 501 | 505;

  constructor(status: 501 | 505, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** 503: not now. */
export class ServiceUnavailable extends Problem {
  override readonly status = 503;
}

/** More work than the app takes at once: 503 with `Retry-After`. */
export class Busy extends ServiceUnavailable {
  override readonly headers: Readonly<Record<string, string>>;

  constructor(retryAfterSeconds: number) {
    super('The server is busy. Try again later.');
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/** One thing that is wrong with the input. */
export interface InputIssue {
  readonly source: 'body' | 'query' | 'path' | 'header' | 'cookie';
  /** JSON pointer to the value within its source, e.g. `/user_id`. */
  readonly pointer: string;
  readonly message: string;
}

/** The input does not fit its schemas: every issue, not only the first. */
export class InvalidInput extends Problem {
  override readonly status = 422;
  override readonly extension: { readonly errors: readonly InputIssue[] };

  constructor(issues: readonly InputIssue[]) {
    super(
      issues.length === 1
        ? 'One input value is not valid.'
        : `${issues.length} input values are not valid.`,
    );
    this.extension = { errors: issues };
  }
}
