import { inspect } from 'node:util';

/** What was thrown, as text: whoever threw it may have made it anything. */
export interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  /** With its stack, causes and fields. */
  readonly text: string;
}

const MAX_MESSAGE = 500;
const MAX_TEXT = 16 * 1024;

/** Never throws: what listens to a channel must not. */
export function describeError(thrown: unknown): ErrorDescription {
  try {
    const text = cut(inspect(thrown, { depth: 4 }), MAX_TEXT);
    if (!(thrown instanceof Error)) return { name: '', message: cut(text, MAX_MESSAGE), text };
    return { name: String(thrown.name), message: cut(String(thrown.message), MAX_MESSAGE), text };
  } catch {
    return { name: '', message: 'something that cannot be shown', text: '' };
  }
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
