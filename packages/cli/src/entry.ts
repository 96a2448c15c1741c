import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from './failure.ts';

/** Where an app is looked for, in this order, in TypeScript and in JavaScript. */
const PLACES = ['src/app', 'app', 'src/main', 'main'].flatMap((name) =>
  ['ts', 'mts', 'js', 'mjs'].map((extension) => `${name}.${extension}`),
);

/** What `thereafter build` writes. */
const BUILT = ['dist/app.mjs', 'dist/main.mjs'];

/**
 * The file of the app: the one that was given, else that of `"thereafter": { "app": … }` in package.json,
 * else the first that exists of `src/app.ts`, `app.ts`, `src/main.ts`, `main.ts` and the same in `.mts`,
 * `.js`, `.mjs`.
 *
 * @param options.built - Whether a bundle in `dist` will do when there is no other.
 * @returns An absolute path.
 * @throws {CommandError} When there is none, with where it was looked for.
 */
export function findEntry(given: string | undefined, options: { built?: boolean } = {}): string {
  const named = given ?? fromManifest();
  if (named !== undefined) {
    const file = resolve(named);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
    const by = given === undefined ? ' of "thereafter": { "app" } in package.json' : '';
    throw new CommandError(`There is no file ${named}${by}. Give the file that exports your app.`);
  }
  const found = [...PLACES, ...(options.built ? BUILT : [])].find((place) => existsSync(place));
  if (found !== undefined) return resolve(found);
  throw new CommandError(
    `No app was found in ${process.cwd()}: there is no src/app.ts, app.ts, src/main.ts or main.ts. Name its ` +
      'file as the argument, or in package.json as "thereafter": { "app": "path/to/app.ts" }.',
  );
}

interface Manifest {
  readonly thereafter?: { readonly app?: unknown };
}

function fromManifest(): string | undefined {
  const file = join(process.cwd(), 'package.json');
  if (!existsSync(file)) return undefined;
  const { thereafter } = readManifest(file);
  if (thereafter?.app === undefined) return undefined;
  if (typeof thereafter.app === 'string') return thereafter.app;
  throw new CommandError(
    `"thereafter": { "app" } in ${file} must be the path of a file, as a string, and is ${JSON.stringify(thereafter.app)}.`,
  );
}

function readManifest(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${(error as Error).message}. Correct it first.`,
    );
  }
}
