import { defaultProvider, Unusable, type Need, type Provider } from './provider.ts';
import type { Key } from './token.ts';

/**
 * Every key that needs lead to, each once, in the order in which they are asked for. Follows what was
 * provided or overridden; what is reached with `lazy()`, and what cannot be built, ends the way.
 */
export function reach(needs: readonly Need[], find: (key: Key) => Provider | undefined): Key[] {
  const reached = new Set<Key>();
  const visit = (key: Need['key']): void => {
    if (key instanceof Unusable || reached.has(key)) return;
    reached.add(key);
    const provider = find(key) ?? defaultProvider(key);
    if (provider instanceof Unusable) return;
    if (provider.kind === 'alias') visit(provider.to);
    else if ('needs' in provider) for (const need of provider.needs) visit(need.key);
  };
  for (const { key } of needs) visit(key);
  return [...reached];
}
