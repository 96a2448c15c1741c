/** A parameter of a path, as the router reads it. */
export interface PathParameter {
  /** Its name in the template. */
  readonly name: string;
  /** Its name in `ctx.params`: another one for a wildcard, which is `*` there. */
  readonly key: string;
  /** The regular expression that the route asks of it. */
  readonly pattern: string | undefined;
}

/** A path of the router as OpenAPI writes it. */
export interface PathTemplate {
  /** `/users/{id}` */
  readonly template: string;
  readonly parameters: readonly PathParameter[];
}

/**
 * Translates the router's path into templates: `/users/:id` into `/users/{id}`, `/files/*` into
 * `/files/{wildcard}`. An optional parameter makes two, without and with it.
 */
export function toPathTemplates(path: string): readonly PathTemplate[] {
  const optional = /^(.*)(\/:[^/()?]+)\?$/.exec(path);
  if (!optional) return [toTemplate(path)];
  const [, before = '', segment = ''] = optional;
  return [toTemplate(before === '' ? '/' : before), toTemplate(before + segment)];
}

function toTemplate(path: string): PathTemplate {
  const parameters: PathParameter[] = [];
  let template = '';
  let at = 0;
  while (at < path.length) {
    if (path.startsWith('::', at)) {
      template += ':'; // an escaped colon
      at += 2;
    } else if (path[at] === '*') {
      const isTaken = parameters.some(({ name }) => name === 'wildcard');
      const name = isTaken ? 'wildcard_' : 'wildcard';
      parameters.push({ name, key: '*', pattern: undefined });
      template += `{${name}}`;
      at += 1;
    } else if (path[at] === ':') {
      const name = /^[^/().-]*/.exec(path.slice(at + 1))![0];
      const pattern = groupAt(path, at + 1 + name.length);
      parameters.push({ name, key: name, pattern: pattern?.slice(1, -1) });
      template += `{${name}}`;
      at += 1 + name.length + (pattern?.length ?? 0);
    } else {
      template += path[at];
      at += 1;
    }
  }
  return { template, parameters };
}

/** The parenthesised group that starts there, parentheses included. */
function groupAt(path: string, start: number): string | undefined {
  if (path[start] !== '(') return undefined;
  let depth = 0;
  for (let at = start; at < path.length; at++) {
    if (path[at] === '\\') at += 1;
    else if (path[at] === '(') depth += 1;
    else if (path[at] === ')' && --depth === 0) return path.slice(start, at + 1);
  }
  return undefined; // the router refuses such a path
}
