/** Headers that are about one connection, and not about what is sent over it. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Takes away what must not be passed on: those headers, and those that `connection` names.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
export function removeHopByHop(headers: Headers): void {
  const named = headers.get('connection')?.split(',') ?? [];
  for (const name of named) {
    const trimmed = name.trim();
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(trimmed)) headers.delete(trimmed);
  }
  for (const name of HOP_BY_HOP) headers.delete(name);
}
