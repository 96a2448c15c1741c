import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { isCancel, text } from '@clack/prompts';
import { CommandError } from '../failure.ts';
import { ownVersion, packageFolder } from '../package.ts';

/** What the template is called, in all of its files. */
const PLACEHOLDER = 'my-app';

/** Makes a project: an app with a controller, a task and a test, and what it takes to ship it. */
export async function create(given: string | undefined): Promise<void> {
  const folder = resolve(given ?? (await askForFolder()));
  const name = basename(folder);
  refuseName(name);
  await refuseContents(folder);
  const template = join(packageFolder, 'templates', 'app');
  await mkdir(folder, { recursive: true });
  await cp(template, folder, { recursive: true });
  // Under its real name, npm would take it out of this package.
  await rename(join(folder, '_gitignore'), join(folder, '.gitignore'));
  for (const file of ['package.json', 'README.md', 'src/app.ts']) {
    await replaceName(join(folder, file), name);
  }
  await setVersions(join(folder, 'package.json'));
  const way = relative(process.cwd(), folder);
  console.log(
    [
      `${name} is ready. Next:`,
      '',
      ...(way === '' ? [] : [`  cd ${way}`]),
      '  npm install',
      '  npm test',
      '  npm run dev',
    ].join('\n'),
  );
}

async function askForFolder(): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CommandError('Where to? Name the folder: thereafter new my-app.');
  }
  const answer = await text({
    message: 'Where shall the project be?',
    placeholder: 'my-app',
    defaultValue: 'my-app',
    validate: (value) => nameFault(basename(resolve(value || 'my-app'))),
  });
  if (isCancel(answer)) throw new CommandError('Nothing was made.');
  return answer;
}

function refuseName(name: string): void {
  const fault = nameFault(name);
  if (fault) throw new CommandError(fault);
}

/** @see https://docs.npmjs.com/cli/configuring-npm/package-json#name */
function nameFault(name: string): string | undefined {
  if (/^[a-z0-9][a-z0-9._-]{0,213}$/.test(name)) return undefined;
  return (
    `${name} cannot be the name of a package. Use small letters, digits, dots, hyphens and underscores, ` +
    'beginning with a letter or digit.'
  );
}

async function refuseContents(folder: string): Promise<void> {
  let contents: string[];
  try {
    contents = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') throw new CommandError(`${folder} is a file. Choose another name.`);
    throw error;
  }
  if (contents.every((name) => name === '.git')) return;
  throw new CommandError(`${folder} is not empty. Choose a folder that is, or one that is new.`);
}

async function replaceName(file: string, name: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, before.replaceAll(PLACEHOLDER, name));
}

/** The project gets the version that made it. */
async function setVersions(file: string): Promise<void> {
  const manifest = JSON.parse(await readFile(file, 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  manifest.dependencies['thereafter'] = `^${ownVersion()}`;
  manifest.devDependencies['@thereafter/cli'] = `^${ownVersion()}`;
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
