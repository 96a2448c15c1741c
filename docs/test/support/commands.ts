import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, wordsOf } from './page.ts';

interface Manifest {
  readonly packageManager?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** What `npm` can do without a script. */
const OF_NPM = ['install', 'ci'];

/**
 * What is wrong with a line that a page gives to a shell: a script, a command or a file that is not
 * there, or a program that nobody has taught this function. `undefined` if it can be typed as it is.
 */
export function faultOfCommand(page: string, line: string): string | undefined {
  const commands = line.replace(/(?:^|\s)#.*/, '').split('&&');
  return commands.map((command) => faultOf(page, wordsOf(command))).find(Boolean);
}

function faultOf(page: string, all: readonly string[]): string | undefined {
  const words = all.filter((word) => !/^(?:export|[A-Z_]+=.*|--yes)$/.test(word));
  const [program, name = ''] = words;
  switch (program) {
    case undefined: // a setting of the environment
    case 'cd':
      return undefined;
    case 'npx':
      return faultOfNpx(words.slice(1));
    case 'pnpm':
      return hasScript(dirname(page), name) || hasScript('.', name)
        ? undefined
        : `no script ${name}`;
    case 'npm':
      return faultOfNpm(words.slice(1));
    case 'node':
      return words[1] === '--import' && words[2] === '@thereafter/cli/register'
        ? undefined
        : `node ${words.slice(1).join(' ')}`;
    default:
      return `the program ${program}`;
  }
}

function faultOfNpx([program = '', name = '']: readonly string[]): string | undefined {
  if (program === '@thereafter/cli') {
    const file = join(root, 'packages/cli/src/commands', `${name}.ts`);
    return existsSync(file) ? undefined : `no command ${name}`;
  }
  if (program !== manifestOf('.').packageManager) return `the program ${program}`;
  return hasScript('.', name) ? undefined : `no script ${name}`;
}

/** `npm` is for projects that `thereafter new` makes. */
function faultOfNpm(words: readonly string[]): string | undefined {
  const name = words[0] === 'run' ? words[1]! : words[0]!;
  const exists = OF_NPM.includes(name) || hasScript('packages/cli/templates/app', name);
  return exists ? undefined : `no script ${name}`;
}

function hasScript(folder: string, name: string): boolean {
  return Object.hasOwn(manifestOf(folder).scripts ?? {}, name);
}

function manifestOf(folder: string): Manifest {
  const file = join(root, folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : {};
}
