// An import of `node:http` or `node:https` would bring all of their exports, `WebSocket` among them,
// for which Node loads its whole `fetch`: a third of what it takes to start.

/** Node's HTTP. */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');

/** Node's HTTPS, loaded when it is first asked for: most servers stand behind something that speaks TLS. */
export function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}
