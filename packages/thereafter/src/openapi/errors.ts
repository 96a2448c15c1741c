import { ThereafterError } from '@thereafter/di';

/**
 * Why a route cannot be described.
 *
 * - `OPENAPI_TYPE` a schema has a type that JSON does not, such as a function or a bigint
 * - `OPENAPI_REF` a schema refers to one that is nowhere in the app
 * - `OPENAPI_PROBLEM` the status of a declared problem cannot be known without making one
 * - `OPENAPI_OPERATION_ID` two routes claim the same `operationId`
 */
export type OpenApiCode =
  | 'OPENAPI_TYPE'
  | 'OPENAPI_REF'
  | 'OPENAPI_PROBLEM'
  | 'OPENAPI_OPERATION_ID';

/** A route that cannot stand in the OpenAPI document. Reported at start, with all other faults. */
export class OpenApiError extends ThereafterError {
  readonly code: OpenApiCode;
  /** The route, e.g. `UsersController.create`. */
  readonly route: string;

  constructor(code: OpenApiCode, route: string, problem: string, remedy: string) {
    super(`Cannot describe ${route}: ${problem}. ${remedy}`);
    this.code = code;
    this.route = route;
  }
}
