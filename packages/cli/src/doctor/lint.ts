import { globSync, readFileSync } from 'node:fs';
import type { Finding } from './check.ts';

const CONFIGS = [
  '.oxlintrc.json',
  'oxlint.config.{ts,js,mjs}',
  'eslint.config.{js,mjs,cjs,ts,mts}',
  '.eslintrc{,.json,.js,.cjs}',
  'biome.json{,c}',
];

/** Rules that turn the import of a class into `import type` when only types use it. */
const RULE =
  /consistent-type-imports['"]?\s*:\s*\[?\s*['"]?(\w+)|useImportType['"]?\s*:\s*(?:\{[^}]*?"level"\s*:\s*)?['"]?(\w+)/g;

/** Whether a linter would break injection when it is told to fix what it finds. */
export function checkLint(): Finding[] {
  return globSync(CONFIGS).toSorted().flatMap(checkConfig);
}

function checkConfig(file: string): Finding[] {
  const text = readFileSync(file, 'utf8');
  const rules = [...text.matchAll(RULE)];
  const isBiome = file.startsWith('biome');
  // Biome's recommended rules have it on.
  const isOn = isBiome
    ? !rules.some(([, , level]) => level === 'off')
    : rules.some(([, level]) => level !== 'off' && level !== '0');
  if (!isOn) return [];
  const rule = isBiome ? 'style/useImportType' : 'consistent-type-imports';
  return [
    {
      problem: `${file}: the rule ${rule} is on. It makes import type of classes that only constructors name, and injection then finds nothing`,
      remedy: `Turn ${rule} off.`,
    },
  ];
}
