import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure with the goal that performance has to meet. */
export interface Goal {
  readonly figure: string;
  readonly goal: string;
  readonly measured: string;
  readonly isReached: boolean;
}

/** What a group found. */
export interface GroupResult {
  readonly rounds: number;
  /** What was done, in a sentence or two. */
  readonly what: string;
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
  readonly versions: Readonly<Record<string, string>>;
  /** Everything that was measured, round by round. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

export type Group = (options: { readonly rounds: number }) => Promise<GroupResult>;

interface Saved extends GroupResult {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
}

const resultsFolder = new URL('../results/', import.meta.url);
const remarksFolder = new URL('../remarks/', import.meta.url);
const docsFile = new URL('../../docs/reference/benchmarks.md', import.meta.url);

/** A figure that may be at most so much. */
export function atMost(figure: string, value: number, limit: number, unit: string): Goal {
  const decimals = unit === 'ms' ? 1 : 2;
  return {
    figure,
    goal: `at most ${limit}${unitText(unit)}`,
    measured: `${value.toFixed(decimals)}${unitText(unit)}`,
    // What is printed is what counts.
    isReached: Number(value.toFixed(decimals)) <= limit,
  };
}

/** A figure that must be at least so much. */
export function atLeast(figure: string, value: number, limit: number, unit: string): Goal {
  const [reached, wanted] = unit === '×' ? [value.toFixed(2), limit.toFixed(2)] : [value, limit];
  const text = (number: number | string): string =>
    typeof number === 'number' ? Math.round(number).toLocaleString('en') : number;
  return {
    figure,
    goal: `at least ${text(wanted)}${unitText(unit)}`,
    measured: `${text(reached)}${unitText(unit)}`,
    // What is printed is what counts.
    isReached: Number(reached) >= limit,
  };
}

/** A figure that must be below another one: a ratio below 1. */
export function below(figure: string, ratio: number): Goal {
  return { figure, goal: 'less', measured: `${ratio.toFixed(2)}×`, isReached: ratio < 1 };
}

function unitText(unit: string): string {
  return unit === '×' ? unit : ` ${unit}`;
}

export function print(name: string, result: GroupResult): void {
  console.log(`\n${name}: ${result.what}`);
  for (const table of allTables(result)) {
    const lines = [table.columns, ...table.rows];
    const widths = table.columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
    console.log(`\n${table.title}`);
    for (const line of lines) {
      const cells = line.map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      );
      console.log(`  ${cells.join('  ').trimEnd()}`);
    }
  }
}

export function save(name: string, result: GroupResult): void {
  const saved: Saved = {
    date: new Date().toISOString().slice(0, 10),
    machine: machineKind(),
    node: process.version,
    ...result,
  };
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, resultsFolder), `${JSON.stringify(saved, null, 2)}\n`);
}

/** Writes the page from the results that there are. */
export function renderDocs(groups: readonly string[]): void {
  const sections = groups.flatMap((name) => {
    const file = new URL(`${name}.json`, resultsFolder);
    return existsSync(file)
      ? [section(name, JSON.parse(readFileSync(file, 'utf8')) as Saved)] // written by `save`
      : [];
  });
  mkdirSync(new URL('.', docsFile), { recursive: true });
  writeFileSync(docsFile, [INTRODUCTION, ...sections].join('\n'));
}

const INTRODUCTION = `# Benchmarks

Written by \`pnpm bench http routes tasks di jobs start scale\`; the servers and programs that were measured stand in
\`bench/\`, and every sample in \`bench/results/\`. \`--quick\` shows figures without keeping them.

What a framework costs is the CPU time that its process spends for one request, user and system time
together. It is taken in the same run as that of every peer, in turns, and compared round by round:
figures of one table belong together, figures of different tables or days do not. The median of the
rounds is shown. Requests per second depend on the machine and on who else uses it; they are
shown, and nothing rests on them. Before anything is measured, each server has to give the same
answers to the same requests, and to refuse the same bad ones.
`;

function section(name: string, saved: Saved): string {
  const versions = Object.entries(saved.versions).map(([key, version]) => `${key} ${version}`);
  return [
    `## ${name}\n`,
    `${saved.what}\n`,
    `${saved.date} · ${saved.machine} · Node ${saved.node} · medians of ${saved.rounds} rounds`,
    ...(versions.length > 0 ? [`· ${versions.join(' · ')}`] : []),
    '',
    ...allTables(saved).map(markdownTable),
    ...remarksOn(name),
  ].join('\n');
}

/** What was tried where a goal is not reached, and why that is the limit: written by hand. */
function remarksOn(name: string): string[] {
  const file = new URL(`${name}.md`, remarksFolder);
  return existsSync(file) ? [`### Remarks\n`, readFileSync(file, 'utf8')] : [];
}

function allTables({ goals, tables }: GroupResult): Table[] {
  if (goals.length === 0) return [...tables];
  return [
    {
      title: 'Goals',
      columns: ['figure', 'goal', 'measured', ''],
      rows: goals.map(({ figure, goal, measured, isReached }) => [
        figure,
        goal,
        measured,
        isReached ? 'reached' : 'not reached',
      ]),
    },
    ...tables,
  ];
}

/** As the formatter leaves it: cells padded to one width. */
function markdownTable({ title, columns, rows }: Table): string {
  const lines = [columns, ...rows].map((line) => line.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = columns.map((_, i) => Math.max(3, ...lines.map((line) => line[i]!.length)));
  const toRow = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [`### ${title}\n`, toRow(lines[0]!), toRow(rule), ...lines.slice(1).map(toRow), ''].join(
    '\n',
  );
}

function machineKind(): string {
  const cores = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  return `${cores[0]?.model.trim() ?? 'unknown CPU'}, ${cores.length} cores, ${memoryGb} GB, ${process.platform} ${process.arch}`;
}
