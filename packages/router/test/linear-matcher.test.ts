import { createRouter, type Method } from '@thereafter/router';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// The model: look at every route, keep those that match, and take the most specific one, decided at the
// first segment in which they differ.

interface Route {
  readonly method: Method;
  readonly segments: readonly string[];
}

function matches({ segments }: Route, url: readonly string[]): boolean {
  if (segments.at(-1) === '*') {
    const fixed = segments.slice(0, -1);
    return url.length > fixed.length && fits(fixed, url);
  }
  return segments.length === url.length && fits(segments, url);
}

function fits(segments: readonly string[], url: readonly string[]): boolean {
  return segments.every((segment, i) => segment.startsWith(':') || segment === url[i]);
}

function rank(segment: string | undefined): number {
  if (segment === '*') return 2;
  return segment?.startsWith(':') ? 1 : 0;
}

function bySpecificity(a: Route, b: Route): number {
  const differs = a.segments.findIndex((segment, i) => rank(segment) !== rank(b.segments[i]));
  return differs === -1 ? 0 : rank(a.segments[differs]) - rank(b.segments[differs]);
}

function linear(routes: readonly Route[], method: Method, url: readonly string[]): string {
  const found = routes.filter((route) => route.method === method && matches(route, url));
  return found.length === 0 ? 'unknown' : nameOf(found.toSorted(bySpecificity)[0]!);
}

function pathOf({ segments }: Route): string {
  return `/${segments.join('/')}`;
}

function nameOf(route: Route): string {
  return `${route.method} ${pathOf(route)}`;
}

const method = fc.constantFrom<Method>('GET', 'POST', 'DELETE');
const route: fc.Arbitrary<Route> = fc.record({
  method,
  segments: fc
    .tuple(
      fc.array(fc.constantFrom('a', 'b', 'aa', ':p'), { maxLength: 4 }),
      fc.constantFrom([], [], ['*']),
    )
    // Parameters of one path need names of their own.
    .map(([fixed, end]) => [
      ...fixed.map((segment, i) => (segment === ':p' ? `:p${i}` : segment)),
      ...end,
    ]),
});
const url = fc.array(fc.constantFrom('a', 'b', 'aa', 'c', 'a%2Fb', 'é'), {
  minLength: 1,
  maxLength: 5,
});

describe('a router and a linear search', () => {
  it('find the same route, and allow the same methods', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(route, { selector: nameOf, maxLength: 12 }),
        fc.array(fc.tuple(method, url), { minLength: 1, maxLength: 10 }),
        (routes, requests) => {
          const router = createRouter<string>();
          for (const each of routes) router.add(each.method, pathOf(each), nameOf(each));
          router.compile();
          for (const [asked, segments] of requests) {
            const target = `/${segments.map((s) => (s === 'é' ? '%C3%A9' : s)).join('/')}`;
            const found = router.find(asked, target);
            expect(typeof found === 'string' ? found : found.store).toBe(
              linear(routes, asked, segments),
            );
            const allowed = routes.filter((each) => matches(each, segments)).map((r) => r.method);
            expect(new Set(router.allowedMethods(target))).toEqual(
              new Set(
                allowed.length === 0
                  ? []
                  : [...allowed, 'OPTIONS', ...(allowed.includes('GET') ? ['HEAD'] : [])],
              ),
            );
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('refuse the same pairs of routes', () => {
    fc.assert(
      fc.property(route, route, (first, second) => {
        const router = createRouter<string>();
        router.add(first.method, pathOf(first), 'first');
        const clash =
          first.method === second.method &&
          first.segments.length === second.segments.length &&
          first.segments.every((segment, i) =>
            segment.startsWith(':')
              ? second.segments[i]!.startsWith(':')
              : segment === second.segments[i],
          );
        const same = router.add(second.method, pathOf(second), 'second');
        expect(same).toBe(clash ? 'first' : undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it('survive any target', () => {
    const router = createRouter<string>();
    for (const path of ['/', '/a/:b', '/a/*', '/c/:d/e']) router.add('GET', path, path);
    router.compile();
    fc.assert(
      fc.property(fc.string(), (target) => {
        for (const asked of ['GET', 'PUT', 'FOO']) {
          expect(router.find(asked, `/${target}`)).toBeDefined();
        }
        expect(router.allowedMethods(`/${target}`)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});
