/**
 * Asks the app. All addresses are relative to the page.
 *
 * @throws {Error} With what the app says is wrong, when the answer is a problem.
 */
export async function ask(path, method = 'GET') {
  let response;
  try {
    response = await fetch(`./api/${path}`, { method, headers: { accept: 'application/json' } });
  } catch {
    throw new Error('The app cannot be reached.');
  }
  if (response.status === 204) return undefined;
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new Error(toMessage(response, text));
}

function toMessage({ status, headers }, text) {
  if (headers.get('content-type') !== 'application/problem+json')
    return `The app answers ${status}.`;
  const { title, detail, requestId } = JSON.parse(text);
  return status < 500 ? (detail ?? title) : `${detail ?? title} Request ${requestId}.`;
}

/** A part of a path. */
export function part(text) {
  return encodeURIComponent(text);
}
