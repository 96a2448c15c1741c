import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/**
 * Sends what a curl command of a page says, and gives what curl would print. Knows the options that
 * pages use, and refuses others.
 *
 * @param url - Where the program is that the page calls `localhost:3000`.
 */
export async function curl(words: readonly string[], url: string): Promise<string> {
  const headers: Record<string, string> = { 'user-agent': 'curl/8.5.0', accept: '*/*' };
  let method: string | undefined;
  let body: string | undefined;
  let target: string | undefined;
  let showsHead = false;
  const rest = [...words];
  const value = (): string => rest.shift()!;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-i') showsHead = true;
    else if (word === '-X') method = value();
    else if (word === '-H') {
      const [name = '', ...parts] = value().split(': ');
      headers[name.toLowerCase()] = parts.join(': ');
    } else if (word === '--json') {
      body = value();
      headers['content-type'] = headers['accept'] = 'application/json';
    } else if (word === '-d') {
      body = value();
      headers['content-type'] ??= 'application/x-www-form-urlencoded';
    } else if (word.startsWith('localhost:3000')) target = word.slice('localhost:3000'.length);
    else throw new Error(`curl.ts does not know ${word}.`);
  }
  const sent = request(url + target!, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    agent: false,
  });
  sent.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  sent.on('error', reject);
  sent.on('response', (response) => {
    const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
    for (let i = 0; i < response.rawHeaders.length; i += 2) {
      lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
    }
    text(response).then(
      (content) => resolve(showsHead ? `${lines.join('\n')}\n\n${content}` : content),
      reject,
    );
  });
  return promise;
}
