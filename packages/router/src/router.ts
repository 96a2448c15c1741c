import FindMyWay, { type HTTPMethod } from 'find-my-way';

/** Longest path parameter that matches, in characters; a longer one is refused as `too-long`. */
const MAX_PARAM_LENGTH = 1024;

/** The methods a route can be declared for. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/**
 * What a path matched. The names are those of find-my-way, whose result it is: nothing is copied per
 * request.
 */
export interface Match<T> {
  /** What was stored with the route. */
  readonly store: T;
  /** Path parameters, percent-decoded once; an object without a prototype. */
  readonly params: Readonly<Record<string, string>>;
  /** The raw query string, without the `?`. */
  readonly searchParams: string;
}

/** Why nothing was found. */
export type Miss =
  /** No route has this path. */
  | 'unknown'
  /** The percent-encoding is broken. */
  | 'malformed'
  /** A path parameter is longer than 1,024 characters. */
  | 'too-long';

/** Finds what was stored for a method and a path. */
export interface Router<T> {
  /**
   * Declares a route. A GET route answers HEAD too, unless HEAD is declared for itself.
   *
   * @param path - `/users/:id`, `/files/*`; a trailing slash makes no difference.
   * @returns What was stored with a route that answers the same requests: then nothing is added.
   *   `undefined` when there is none.
   * @throws When the path cannot be matched, such as for an expression that a long path would keep busy.
   */
  add(method: Method, path: string, store: T): T | undefined;
  /** Freezes the routes and compiles the lookup; call it once, after the last `add`. */
  compile(): void;
  /** @param url - The request target, query string included. */
  find(method: string, url: string): Match<T> | Miss;
  /** The methods that a path answers, for `Allow`; empty when no route has the path. */
  allowedMethods(url: string): readonly string[];
}

/** Makes a router. Static segments win over parameters, and parameters over wildcards, in any order. */
export function createRouter<T>(): Router<T> {
  const routes = FindMyWay({
    ignoreTrailingSlash: true,
    maxParamLength: MAX_PARAM_LENGTH,
    // Whether and how a query string is parsed is decided by who reads it.
    querystringParser: (raw) => raw,
    onBadUrl: (): Miss => 'malformed',
    onMaxParamLength: (): Miss => 'too-long',
  });
  const declared: { method: Method; path: string; store: T }[] = [];
  const methods = new Set<Method>();

  function declare(method: Method, path: string, store: T): void {
    routes.on(method, path, unreachable, store);
    methods.add(method);
  }

  function find(method: Method, path: string): { store: unknown } | null {
    return routes.findRoute(method, path.length > 1 ? path.replace(/\/$/, '') : path);
  }

  /** A URL is as malformed for a method without routes as for the others. */
  function whyNothing(url: string): Miss {
    for (const method of methods) {
      const found = routes.find(method, url);
      if (found?.store === null) return missOf(found);
    }
    return 'unknown';
  }

  return {
    add(method, path, store) {
      const same = find(method, path);
      if (same) return same.store as T; // what was added with it
      declare(method, path, store);
      declared.push({ method, path, store });
      return undefined;
    },

    compile() {
      for (const { method, path, store } of declared) {
        if (method === 'GET' && !find('HEAD', path)) declare('HEAD', path, store);
      }
      routes.compile();
    },

    find(method, url) {
      const found = routes.find(method as HTTPMethod, url); // an unknown method finds nothing
      if (found === null) return whyNothing(url);
      if (found.store === null) return missOf(found);
      return found as unknown as Match<T>; // `searchParams` is what our parser returned
    },

    allowedMethods(url) {
      const allowed = [...methods].filter((method) => routes.find(method, url)?.store);
      return allowed.length === 0 ? [] : [...new Set([...allowed, 'OPTIONS'])].toSorted();
    },
  };
}

/** For a URL it refuses, find-my-way gives the callback's result through an empty handler. */
function missOf(found: { readonly handler: unknown }): Miss {
  return (found.handler as () => Miss)();
}

function unreachable(): never {
  throw new Error('Routes are looked up, never called.');
}
