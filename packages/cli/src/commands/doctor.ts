import { styleText } from 'node:util';
import { checkLint } from '../doctor/lint.ts';
import { checkPackages } from '../doctor/packages.ts';
import { checkPlan } from '../doctor/plan.ts';
import { checkTsconfig } from '../doctor/tsconfig.ts';
import { checkTypeImports } from '../doctor/type-imports.ts';
import type { Check } from '../doctor/check.ts';
import { findEntry } from '../entry.ts';
import { answer } from '../inspect.ts';

/** Looks at everything that makes injection or the start fail, and reports all of it. */
export async function doctor(given: string | undefined): Promise<void> {
  const entry = findEntry(given);
  const checks: Check[] = [
    { claim: 'package.json and installed packages fit', find: () => checkPackages(entry) },
    { claim: 'tsconfig.json has the flags', find: () => checkTsconfig(entry) },
    { claim: 'no class to inject is imported as a type', find: () => checkTypeImports(entry) },
    { claim: 'no lint rule takes classes out of the metadata', find: checkLint },
    { claim: 'the app can be planned', find: () => checkPlan(entry) },
  ];
  let count = 0;
  for (const { claim, find } of checks) {
    const findings = await find();
    count += findings.length;
    const mark = findings.length === 0 ? paint('green', '✓') : paint('red', '✗');
    await answer(`${mark} ${claim}`);
    for (const { problem, remedy } of findings) {
      await answer(`    ${[endSentence(problem), remedy].filter(Boolean).join(' ')}`);
    }
  }
  if (count === 0) return;
  await answer(`\n${count === 1 ? 'One problem.' : `${count} problems.`}`);
  process.exitCode = 1;
}

function endSentence(text: string): string {
  return /[.:!?^\n]$/.test(text) ? text : `${text}.`;
}

function paint(style: 'green' | 'red', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
