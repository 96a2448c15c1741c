/**
 * The names that parameters have in the source text, for messages only: a bundler may have shortened
 * them, and a default value may be too tangled to skip. Nothing is ever resolved by them.
 */
export function parameterNames(
  target: object,
  method: string | symbol | undefined,
): readonly (string | undefined)[] {
  const owner =
    method === undefined ? target : (target as Record<string | symbol, unknown>)[method];
  if (typeof owner !== 'function') return [];
  const source = withoutComments(Function.prototype.toString.call(owner));
  const start = method === undefined ? /\bconstructor\s*\(/.exec(source) : /^[^(]*\(/.exec(source);
  if (!start) return [];
  return splitList(source.slice(start.index + start[0].length)).map(
    (parameter) => /^\s*(?:\.{3})?\s*([\w$]+)/.exec(parameter)?.[1],
  );
}

/** The parts of a list up to the bracket that closes it. */
function splitList(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (depth < 0) break;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part.trim() !== '');
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '');
}
