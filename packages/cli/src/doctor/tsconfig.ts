import { dirname, relative } from 'node:path';
import { getTsconfig } from 'get-tsconfig';
import type { Finding } from './check.ts';

type Options = NonNullable<
  NonNullable<ReturnType<typeof getTsconfig>>['config']['compilerOptions']
>;

interface Rule {
  readonly isKept: (options: Options) => boolean;
  readonly problem: string;
  readonly remedy: string;
}

const RULES: readonly Rule[] = [
  {
    isKept: ({ experimentalDecorators }) => experimentalDecorators === true,
    problem: 'experimentalDecorators is off, so decorators of parameters do not compile',
    remedy: 'Set "experimentalDecorators": true.',
  },
  {
    isKept: ({ emitDecoratorMetadata }) => emitDecoratorMetadata === true,
    problem: 'emitDecoratorMetadata is off, so tsc and vitest emit nothing for injection to read',
    remedy: 'Set "emitDecoratorMetadata": true.',
  },
  {
    isKept: ({ strict, strictNullChecks }) => strictNullChecks ?? strict ?? true, // the default of TypeScript 6
    problem: 'strict is off, so the types of schemas are not what they say',
    remedy: 'Set "strict": true.',
  },
  {
    isKept: ({ module, moduleResolution }) =>
      /^(node16|node18|node20|nodenext|bundler)$/i.test(moduleResolution ?? module ?? '') ||
      /^preserve$/i.test(module ?? ''),
    problem:
      'the module resolution does not read "exports" of packages, so thereafter/cors and the like are not found',
    remedy: 'Set "module": "nodenext".',
  },
  {
    isKept: ({ target }) => !/^es(3|5|6|20(1\d|2[01]))$/i.test(target ?? ''),
    problem:
      'target is older than the Node that runs it, and turns classes or their fields into something else',
    remedy: 'Set "target": "es2023".',
  },
];

/** Whether TypeScript reads the project as the framework means it. */
export function checkTsconfig(entry: string): Finding[] {
  if (!/\.m?ts$/.test(entry)) return [];
  const found = getTsconfig(dirname(entry));
  if (!found) {
    return [
      {
        problem: `No tsconfig.json was found in ${dirname(entry)} or above`,
        remedy:
          'Add one with "experimentalDecorators": true, "emitDecoratorMetadata": true, "strict": true, "module": "nodenext".',
      },
    ];
  }
  const options = found.config.compilerOptions ?? {};
  return RULES.filter(({ isKept }) => !isKept(options)).map(({ problem, remedy }) => ({
    problem: `${relative(process.cwd(), found.path)}: ${problem}`,
    remedy,
  }));
}
