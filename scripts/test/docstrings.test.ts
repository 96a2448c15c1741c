import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** The sources of the public entries of all packages. */
function doors(): string[] {
  return globSync('packages/*/package.json', { cwd: root }).flatMap((manifest) => {
    const { exports } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as {
      exports: Record<string, { 'thereafter-source'?: string }>;
    };
    return Object.values(exports)
      .map((door) => door['thereafter-source'])
      .filter((file) => file?.endsWith('.ts') === true)
      .map((file) => join(root, dirname(manifest), file!));
  });
}

const KINDS = 'class|interface|function|const|let|type';
const DECLARATION = `^export (?:declare |abstract |async )*(?:${KINDS}) `;

/** Where public names are declared, as `file: name`, by whether they have a docstring. */
function publicNames(): Map<string, boolean> {
  const found = new Map<string, boolean>();
  const follow = (file: string, only?: string): void => {
    const code = readFileSync(file, 'utf8');
    for (const [, list, from] of code.matchAll(
      /^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm,
    )) {
      for (const item of list!.split(',')) {
        const name = item
          .trim()
          .replace(/^type /, '')
          .split(' as ')[0]!;
        if (name !== '' && (only === undefined || name === only)) {
          follow(resolve(dirname(file), from!), name);
        }
      }
    }
    for (const { 1: name, index } of code.matchAll(new RegExp(`${DECLARATION}(\\w+)`, 'gm'))) {
      if (only !== undefined && name !== only) continue;
      const before = code.slice(0, index).replace(/(?:\/\/ oxlint-disable.*\n|^@.*\n)+$/m, '');
      const key = `${file.slice(root.length + 1)}: ${name}`;
      found.set(key, found.get(key) === true || before.endsWith('*/\n')); // one of several overloads
    }
  };
  for (const door of doors()) follow(door);
  return found;
}

it('every public name has a docstring', () => {
  const names = [...publicNames()];
  expect(names.length).toBeGreaterThan(200);
  expect(names.filter(([, isDocumented]) => !isDocumented).map(([name]) => name)).toEqual([]);
});
