// Writes docs/reference/api: a page for each door of each published package, made of the docstrings in
// the sources. The pages are not kept in the repository: `pnpm docs:build` makes them anew.
import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Application } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly 'thereafter-source': string }>>;
}

/** A public entry of a package. */
interface Door {
  /** What users import, e.g. `thereafter/testing`. */
  readonly name: string;
  readonly source: string;
}

/** Doors that no program opens: a worker thread starts behind it. */
const NOT_IMPORTED = ['@thereafter/tasks/thread-worker'];

const packages = join(import.meta.dirname, '../packages');
const out = join(import.meta.dirname, 'reference/api');

const doors = globSync('*/package.json', { cwd: packages })
  .toSorted()
  .flatMap((manifest) => doorsOf(join(packages, manifest)))
  .filter(({ name }) => !NOT_IMPORTED.includes(name));

const markdown: Partial<PluginOptions> = {
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  flattenOutputFiles: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useHTMLAnchors: true, // VitePress counts headings of one name otherwise
  anchorPrefix: 'api-',
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
};
rmSync(out, { recursive: true, force: true });
const app = await Application.bootstrapWithPlugins({
  entryPoints: doors.map(({ source }) => source),
  tsconfig: join(import.meta.dirname, 'tsconfig.reference.json'),
  plugin: ['typedoc-plugin-markdown'],
  outputs: [{ name: 'markdown', path: out }],
  name: 'API',
  readme: 'none',
  disableSources: true,
  excludeExternals: true, // what every Error has
  excludeInternal: true,
  excludePrivate: true,
  logLevel: 'Warn',
  ...markdown,
});
const project = await app.convert();
if (!project) throw new Error('typedoc could not read the sources; what it said stands above.');
for (const module of project.children?.slice() ?? []) {
  const door = doors.find(({ source }) => isModuleOf(module.name, source));
  if (!door) throw new Error(`No package exports ${module.name}.`);
  if (module.children) module.name = door.name;
  else project.removeReflection(module); // only its effect is imported
}
await app.generateOutputs(project);

function doorsOf(manifest: string): Door[] {
  const { name, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  return Object.entries(exports).flatMap(([door, target]) =>
    typeof target === 'string'
      ? [] // package.json
      : [
          {
            name: door.replace('.', name),
            source: join(dirname(manifest), target['thereafter-source']),
          },
        ],
  );
}

/** Whether typedoc calls a source by this name: its path without the ending, and without `index`. */
function isModuleOf(name: string, source: string): boolean {
  return (
    relative(packages, source)
      .replaceAll('\\', '/')
      .replace(/(?:\/index)?\.ts$/, '') === name
  );
}
