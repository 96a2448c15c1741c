import type { Edge, Node } from './graph.ts';
import type { Lifetime } from './lifetime.ts';
import { nameOf } from './token.ts';

/** Draws what entry points are made of, a line for each part. What was drawn before is not repeated. */
export function explainEdges(edges: readonly Edge[]): string[] {
  const seen = new Set<Node>();
  return edges.flatMap((edge) => draw(edge, seen));
}

function draw({ need, node }: Edge, seen: Set<Node>): string[] {
  const label = need.label === undefined ? '' : `${need.label}: `;
  if (seen.has(node) && node.edges.length > 0) return [`${label}${node.name}, as above`];
  seen.add(node);
  const facts = [describeLife(node), describeEnd(node)].filter((fact) => fact !== '');
  const lines = [`${label}${describeName(node)} — ${facts.join('; ')}`];
  node.edges.forEach((edge, index) => {
    const isLast = index === node.edges.length - 1;
    const [first, ...rest] = draw(edge, seen);
    lines.push(
      `${isLast ? '└─' : '├─'} ${first}`,
      ...rest.map((line) => `${isLast ? '  ' : '│ '} ${line}`),
    );
  });
  return lines;
}

function describeName({ name, provider }: Node): string {
  return provider.kind === 'lazy' ? `lazy ${nameOf(provider.of())}` : name;
}

function describeLife({ provider, lifetime, edges }: Node): string {
  switch (provider.kind) {
    case 'value':
      return 'a provided value';
    case 'external':
      return `request, because it comes with ${provider.source.carriedBy === 'http' ? 'the HTTP request' : 'the scope'}`;
    case 'lazy':
      return 'reached at the moment of use';
    default: {
      const says = provider.kind === 'class' ? 'its decorator' : 'its dependency()';
      const short = edges.filter(
        ({ node }) => node.keeps === 'request' || node.keeps === 'handler',
      );
      if (lifetime !== 'request' && lifetime !== 'handler') return lifetime;
      const because = short.map(({ node }) => node.name).join(' and ');
      return `${lifetime}, because ${says} says so${because ? `, and has to for ${because}` : ''}`;
    }
  }
}

const ENDED_BY: Record<Lifetime, string> = {
  singleton: 'by the container, when it closes',
  request: 'by its scope, after the response and its tasks',
  handler: 'by its scope, after the handler and before the response',
  transient: 'with whoever it was made for',
};

function describeEnd({ provider, lifetime }: Node): string {
  if (provider.kind === 'value') return 'never ended, since it is not ours';
  if (provider.kind === 'function') {
    return /Generator/.test(provider.make.constructor.name)
      ? `ended ${ENDED_BY[lifetime]} (the code after its yield)`
      : '';
  }
  if (provider.kind !== 'class') return '';
  const prototype = provider.class.prototype as object;
  // Node 22 describes these symbols otherwise.
  const method =
    (Symbol.asyncDispose in prototype && 'Symbol.asyncDispose') ||
    (Symbol.dispose in prototype && 'Symbol.dispose');
  return method ? `ended ${ENDED_BY[lifetime]} (${method})` : '';
}
