import type { IncomingMessage } from 'node:http';
import type { AppLimits } from '../limits.ts';
import { BadRequest, Problem, UriTooLong } from '../response/problem.ts';
import { headersTooLarge, unknownVersion } from './refusal.ts';

class BadHead extends BadRequest {
  // Who disagrees about where a request goes may disagree about where it ends.
  override readonly headers = { connection: 'close' };
}

/** The client expects something else than to be told to go on. */
class ExpectationFailed extends Problem {
  override readonly status = 417;
}

/** A name or IPv4 address, or an IPv6 address in brackets; then perhaps a port. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Whether a text can be a Host header. It still need not make a URL: a port may be too large. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/** The Host header that was looked at last: most requests have the same. */
let knownHost = '';

/**
 * What is wrong with a request line and headers that Node's parser let through. Brings the target to
 * its origin form.
 */
export function checkHead(req: IncomingMessage, limits: AppLimits): Problem | undefined {
  const { rawHeaders } = req;
  if (req.httpVersionMajor !== 1) return toVersionFault(req);
  if (rawHeaders.length > limits.maxHeaders * 2) return headersTooLarge();
  const target = req.url!; // always set on a server's request
  if (target.length > limits.maxUrlBytes) {
    return new UriTooLong(`The URL is longer than ${limits.maxUrlBytes} bytes.`);
  }
  const { expect } = req.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return new ExpectationFailed('Expect may be 100-continue, and nothing else.');
  }
  return checkHost(req) ?? (target.charCodeAt(0) === SLASH ? undefined : toOriginForm(req, target));
}

const SLASH = 47;

/** HTTP/0.9 is what Node's parser takes a line without a version for. */
function toVersionFault({ httpVersionMajor }: IncomingMessage): Problem {
  return httpVersionMajor > 1 ? unknownVersion() : new BadHead('The request names no version.');
}

function checkHost(req: IncomingMessage): Problem | undefined {
  const { rawHeaders } = req;
  const { host } = req.headers;
  if (host === undefined) {
    return req.httpVersion === '1.0' ? undefined : new BadHead('The Host header is missing.');
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) return new BadHead('There is more than one Host header.');
  if (host === knownHost) return undefined;
  if (!isHost(host)) return new BadHead('The Host header is malformed.');
  knownHost = host;
  return undefined;
}

/**
 * `http://host/path`, as proxies are sent it, and the `*` of OPTIONS. The host of the target counts, and
 * that of the header does not.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
function toOriginForm(req: IncomingMessage, target: string): Problem | undefined {
  if (target === '*' && req.method === 'OPTIONS') return undefined;
  const path = /^https?:\/\/([^/?#]+)([/?].*)?$/i.exec(target);
  if (!path) return new BadHead('The request target must start with a slash.');
  const [, host = '', rest = '/'] = path;
  if (!isHost(host)) return new BadHead('The host of the request target is malformed.');
  req.headers.host = host;
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  return undefined;
}
