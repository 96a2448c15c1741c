// An import would bring all exports of these modules, and some of them load much more: `WebSocket` of
// `node:http` all of Node's `fetch`, `webcrypto` of `node:crypto` all of Web Crypto. Together that is a
// quarter of what it takes to start.

export const http: typeof import('node:http') = process.getBuiltinModule('node:http');

let loadedCrypto: typeof import('node:crypto') | undefined;

/** Loaded when it is first asked for: nothing needs it before a request has to be named. */
export function nodeCrypto(): typeof import('node:crypto') {
  return (loadedCrypto ??= process.getBuiltinModule('node:crypto'));
}

/** Loaded when it is first asked for: most servers stand behind something that speaks TLS. */
export function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}
