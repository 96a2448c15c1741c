import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ownVersion } from '../package.ts';
import type { Finding } from './check.ts';

interface Manifest {
  readonly type?: string;
  readonly version?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Whether package.json says what the framework needs, and the framework is there in one version. */
export function checkPackages(entry: string): Finding[] {
  const manifest = readManifest('package.json');
  if (!manifest) {
    return [
      {
        problem: `There is no package.json in ${process.cwd()}`,
        remedy: 'Run this in the folder of your project.',
      },
    ];
  }
  return [...checkType(manifest), ...checkScripts(manifest), ...checkVersion(entry)];
}

function checkType({ type }: Manifest): Finding[] {
  if (type === 'module') return [];
  return [
    {
      problem: `package.json ${type === undefined ? 'has no "type"' : `has "type": "${type}"`}, so its files are no ES modules to Node and to TypeScript`,
      remedy: 'Set "type": "module".',
    },
  ];
}

/** Runners that drop the metadata, or leave decorators out. */
const RUNNERS = /(?:^|\s)(tsx|ts-node|esno|jiti|swc-node)(?=\s|$)/;

function checkScripts({ scripts = {} }: Manifest): Finding[] {
  return Object.entries(scripts).flatMap(([name, command]) => {
    const runner = RUNNERS.exec(command)?.[1];
    if (runner === undefined) return [];
    return {
      problem: `The script ${name} runs ${runner}, which does not emit the metadata that injection by type reads`,
      remedy:
        'Run it with thereafter dev, thereafter start or node --import @thereafter/cli/register.',
    };
  });
}

function checkVersion(entry: string): Finding[] {
  const own = ownVersion();
  let file: string;
  try {
    file = createRequire(entry).resolve('thereafter/package.json');
  } catch {
    return [
      { problem: 'thereafter is not installed', remedy: 'Install it: npm install thereafter.' },
    ];
  }
  const version = readManifest(file)?.version;
  if (version === own) return [];
  return [
    {
      problem: `thereafter is version ${version ?? 'unknown'}, and @thereafter/cli is ${own}`,
      remedy: 'Install the same version of both.',
    },
  ];
}

function readManifest(file: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}
