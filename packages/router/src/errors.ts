/** Two routes answer the same requests. `first` is what was stored with the earlier one. */
export class RouteConflictError extends Error {
  readonly code = 'ROUTE_CONFLICT';
  readonly first: unknown;

  constructor(method: string, path: string, first: unknown) {
    super(`${method} ${path} is declared twice. Remove one, or change its method or path.`);
    this.first = first;
  }
}
