// Who may import whom, and that no files import each other in a circle: `pnpm boundaries`, or with the
// folder of another workspace as argument. The picture and its reasons stand in CONTRIBUTING.md.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync, Visitor, type StringLiteral, type Expression } from 'oxc-parser';

/** Folder under packages/ → the packages it may import. The graph has no cycle. */
const mayImport: Record<string, readonly string[]> = {
  di: [],
  router: [],
  tasks: ['di'],
  queue: ['tasks', 'di'],
  'queue-redis': ['queue', 'tasks'],
  'queue-conformance': ['queue', 'tasks'],
  thereafter: ['router', 'tasks', 'di'],
  console: ['thereafter', 'queue', 'tasks'],
  cli: ['thereafter', 'queue', 'di'],
};

/**
 * Package → what it may import of another one, where that is not all of its doors. A store of jobs is
 * written against one door: that an outsider can write another, those that are here prove.
 */
const mayOpen: Record<string, Record<string, readonly string[]>> = {
  'queue-redis': { queue: ['./driver'] },
};

/**
 * What tests may import besides: the loader and the bundler; those of a store, what its users write and
 * the suite that it must pass.
 */
const testsMayImport = (folder: string): readonly string[] =>
  folder === 'queue-redis' ? ['cli', 'thereafter', 'queue-conformance'] : ['cli'];

interface Package {
  folder: string;
  name: string;
  /** Public entry, e.g. `./testing` → the source file behind it; none for a file that is no module. */
  doors: ReadonlyMap<string, string | undefined>;
}

/** Where a file belongs: `packages/di` and `src`, say. */
interface Place {
  home: string;
  area: string;
}

const root = resolve(process.argv[2] ?? '.');
const packages = globSync('packages/*/package.json', { cwd: root }).map(readPackage);
const files = globSync(
  [
    '{packages,apps}/*/**/*.{ts,js}',
    '{bench,docs,scripts}/**/*.{ts,js}',
    'docs/.vitepress/**/*.ts',
  ],
  {
    cwd: root,
    // Fixtures in `circular` import each other because a test is about that.
    exclude: (name) =>
      ['node_modules', 'dist', 'cache', 'must-not-compile', 'circular'].includes(lastPart(name)),
  },
).toSorted();

let violations = 0;
/** File → the files of this workspace that it imports. */
const graph = new Map<string, Set<string>>(files.map((file) => [file, new Set()]));
for (const file of files) {
  const source = readFileSync(join(root, file), 'utf8');
  for (const { specifier, offset } of importsOf(file, source)) {
    const imported = fileBehind(file, specifier);
    if (imported !== undefined && graph.has(imported)) graph.get(file)!.add(imported);
    const objection = object(file, specifier);
    if (objection === undefined) continue;
    violations += 1;
    const line = source.slice(0, offset).split('\n').length;
    console.error(`${file}:${line} imports ${specifier}: ${objection}`);
  }
}
const circles = circlesIn(graph);
for (const circle of circles) {
  console.error(`${circle.join(' → ')}: files import each other. Move what both need into a leaf.`);
}
if (violations + circles.length > 0) {
  console.error(`\n${count(violations, 'forbidden import')}, ${count(circles.length, 'circle')}.`);
  process.exitCode = 1;
} else {
  console.log(`${files.length} files keep the boundaries.`);
}

/** Says why the file must not import this and what to do instead; returns `undefined` when it may. */
function object(file: string, specifier: string): string | undefined {
  const place = placeOf(file);
  if (specifier.startsWith('.')) return objectToRelative(file, place, specifier);
  const target = packageOf(specifier);
  if (target === undefined) return undefined; // somebody else's; knip compares it with package.json
  return (
    objectToDoor(specifier, target) ??
    objectToEdge(place, target) ??
    objectToClosedDoor(place, specifier, target)
  );
}

function objectToRelative(file: string, place: Place, specifier: string): string | undefined {
  const target = placeOf(relative(root, resolve(root, dirname(file), specifier)));
  if (target.home !== place.home) {
    return `it leaves ${place.home}. Import the other package by its name, through its exports.`;
  }
  if (place.area === 'src' && target.area !== 'src') {
    return 'src/ is published without the rest of its folder. Move what it needs into src/.';
  }
  return undefined;
}

function objectToDoor(specifier: string, { name, folder, doors }: Package): string | undefined {
  if (doors.has(specifier.replace(name, '.'))) return undefined;
  const open = [...doors.keys()]
    .filter((door) => door !== './package.json')
    .map((door) => door.replace('.', name));
  return `it is not a public entry of ${name}. Use ${open.join(' or ')}, or add it to exports in packages/${folder}/package.json.`;
}

function objectToEdge({ home, area }: Place, target: Package): string | undefined {
  if (!home.startsWith('packages/')) return undefined; // apps, bench, docs and scripts are users: any package
  const importer = lastPart(home);
  const allowed = mayImport[importer];
  if (allowed === undefined) {
    return `${home} is not in the table of scripts/check-boundaries.ts. Add it with what it may import.`;
  }
  const isTest = area === 'test';
  if (target.folder === importer) {
    return isTest ? undefined : 'a package is not its own user. Import the file by its path.';
  }
  if (
    allowed.includes(target.folder) ||
    (isTest && testsMayImport(importer).includes(target.folder))
  ) {
    return undefined;
  }
  const list = allowed.length === 0 ? 'no other package' : `only ${allowed.join(', ')}`;
  return `${home} may import ${list}. Move the code to where it may, or declare an interface in a package that both import.`;
}

/** A door that others may use, but not this package. */
function objectToClosedDoor(
  { home, area }: Place,
  specifier: string,
  { name, folder }: Package,
): string | undefined {
  const open = area === 'test' ? undefined : mayOpen[lastPart(home)]?.[folder];
  if (!home.startsWith('packages/') || !open || open.includes(specifier.replace(name, '.'))) {
    return undefined;
  }
  const doors = open.map((door) => door.replace('.', name)).join(' or ');
  return `${home} may import only ${doors} of it. What it lacks there belongs behind that door.`;
}

function importsOf(file: string, source: string): { specifier: string; offset: number }[] {
  const found: { specifier: string; offset: number }[] = [];
  const take = (node: StringLiteral | Expression | null): void => {
    if (node?.type === 'Literal' && typeof node.value === 'string') {
      found.push({ specifier: node.value, offset: node.start });
    }
  };
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new SyntaxError(`${file}: ${errors[0].message}\n${errors[0].codeframe}`);
  new Visitor({
    ImportDeclaration: (node) => take(node.source),
    ExportNamedDeclaration: (node) => take(node.source),
    ExportAllDeclaration: (node) => take(node.source),
    ImportExpression: (node) => take(node.source),
    TSImportType: (node) => take(node.source),
  }).visit(program);
  return found;
}

/** The file of this workspace that an import leads to; `undefined` for a library. */
function fileBehind(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  const target = packageOf(specifier);
  const source = target?.doors.get(specifier.replace(target.name, '.'));
  return source === undefined ? undefined : join('packages', target!.folder, source);
}

/** The shortest circle through each file that is part of one, each circle once. */
function circlesIn(imports: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const circles = new Map<string, string[]>();
  for (const start of imports.keys()) {
    const circle = circleThrough(start, imports);
    const key = circle?.toSorted().join();
    if (key !== undefined && !circles.has(key)) circles.set(key, circle!);
  }
  return [...circles.values()].map((circle) => [...circle, circle[0]!]);
}

function circleThrough(
  start: string,
  imports: ReadonlyMap<string, ReadonlySet<string>>,
): string[] | undefined {
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of imports.get(path.at(-1)!) ?? []) {
      if (next === start) return path;
      if (!seen.has(next)) paths.push([...path, next]);
      seen.add(next);
    }
  }
  return undefined;
}

function placeOf(file: string): Place {
  const [top = '', second = '', third = ''] = file.split(sep);
  const isWorkspace = top === 'packages' || top === 'apps';
  return isWorkspace ? { home: `${top}/${second}`, area: third } : { home: top, area: second };
}

function packageOf(specifier: string): Package | undefined {
  return packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
}

function readPackage(file: string): Package {
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
    name: string;
    exports?: Record<string, string | { 'thereafter-source'?: string }>;
  };
  const doors = Object.entries(manifest.exports ?? {}).map(
    ([door, target]) =>
      [door, typeof target === 'string' ? target : target['thereafter-source']] as const,
  );
  return { folder: lastPart(dirname(file)), name: manifest.name, doors: new Map(doors) };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function lastPart(path: string): string {
  return path.split(sep).at(-1) ?? '';
}
