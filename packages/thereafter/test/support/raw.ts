import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** An answer as it came over the wire: nothing decoded, no redirect followed. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks with the path as it is written here, which `fetch` would tidy up. */
export async function get(
  { url }: { readonly url: string },
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  const req = request({ hostname, port, path, method, headers, agent: false }).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return { status: res.statusCode!, headers: res.headers, body: await buffer(res) };
}
