import { createRouter, type Method } from '@thereafter/router';
import { describe, expect, it } from 'vitest';

function routerOf(...routes: [Method, string][]) {
  const router = createRouter<string>();
  for (const [method, path] of routes) router.add(method, path, `${method} ${path}`);
  router.compile();
  return router;
}

function found(router: ReturnType<typeof routerOf>, method: string, url: string): unknown {
  const match = router.find(method, url);
  return typeof match === 'string' ? match : match.store;
}

describe('a router', () => {
  it('prefers static to parameter to wildcard, in any order of declaration', () => {
    const paths: [Method, string][] = [
      ['GET', '/files/*'],
      ['GET', '/files/:name'],
      ['GET', '/files/readme'],
    ];
    for (const order of [paths, paths.toReversed()]) {
      const router = routerOf(...order);
      expect(found(router, 'GET', '/files/readme')).toBe('GET /files/readme');
      expect(found(router, 'GET', '/files/other')).toBe('GET /files/:name');
      expect(found(router, 'GET', '/files/a/b')).toBe('GET /files/*');
    }
  });

  it('gives parameters decoded once and the query string as it came', () => {
    const match = routerOf(['GET', '/a/:b']).find('GET', '/a/x%2Fy%2520?q=%41&q=2');
    expect(match).toMatchObject({ params: { b: 'x/y%20' }, searchParams: 'q=%41&q=2' });
  });

  it('tells unknown, malformed and too long apart', () => {
    const router = routerOf(['GET', '/a/:b']);
    expect(router.find('GET', '/b')).toBe('unknown');
    expect(router.find('GET', '/a/%zz')).toBe('malformed');
    expect(router.find('PUT', '/a/%zz')).toBe('malformed');
    expect(router.find('PUT', `/a/${'x'.repeat(1025)}`)).toBe('too-long');
    expect(found(router, 'GET', `/a/${'x'.repeat(1024)}`)).toBe('GET /a/:b');
    expect(router.find('GET', `/a/${'x'.repeat(1025)}`)).toBe('too-long');
  });

  it('answers HEAD with the GET route, unless HEAD has its own', () => {
    const router = routerOf(['GET', '/a'], ['GET', '/b'], ['HEAD', '/b']);
    expect(found(router, 'HEAD', '/a')).toBe('GET /a');
    expect(found(router, 'HEAD', '/b')).toBe('HEAD /b');
  });

  it('says which methods a path answers', () => {
    const router = routerOf(['GET', '/a'], ['POST', '/a'], ['PUT', '/b/:c']);
    expect(router.allowedMethods('/a?x=1')).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST']);
    expect(router.allowedMethods('/b/1')).toEqual(['OPTIONS', 'PUT']);
    expect(router.allowedMethods('/c')).toEqual([]);
  });

  it('knows nothing of methods named like members of an object', () => {
    const router = routerOf(['GET', '/a']);
    expect(router.find('constructor', '/a')).toBe('unknown');
    expect(router.find('__proto__', '/a')).toBe('unknown');
  });

  it.each([
    ['/users', '/users/'],
    ['/users/:id', '/users/:name'],
    ['/a/*', '/a/*'],
  ])('refuses %s beside %s, and gives the first one back', (first, second) => {
    const router = createRouter<string>();
    expect(router.add('GET', first, 'first')).toBeUndefined();
    expect(router.add('POST', second, 'another method')).toBeUndefined();
    expect(router.add('GET', second, 'second')).toBe('first');
    router.compile();
    expect(found(router, 'GET', second)).toBe('first');
  });

  it('refuses a pattern that a long path would keep busy, and takes others', () => {
    for (const pattern of ['/:id(^(a+)+$)', '/:id(^(\\d*)*$)']) {
      const router = createRouter<string>();
      expect(() => router.add('GET', pattern, pattern)).toThrow(/is not safe/);
    }
    const router = routerOf(['GET', '/:id(^\\d+$)']);
    expect(found(router, 'GET', '/12')).toBe('GET /:id(^\\d+$)');
    expect(found(router, 'GET', '/ab')).toBe('unknown');
  });

  it('matches with and without a trailing slash', () => {
    const router = routerOf(['GET', '/users/'], ['GET', '/']);
    expect(found(router, 'GET', '/users')).toBe('GET /users/');
    expect(found(router, 'GET', '/users/?q=1')).toBe('GET /users/');
    expect(found(router, 'GET', '/')).toBe('GET /');
  });
});
