import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curl } from './support/curl.ts';
import { blocksOf, commandsOf, docs, isAsShown, toPattern, type Command } from './support/page.ts';
import { Program } from './support/program.ts';

const root = join(docs, '..');
const pages = globSync('{tutorial,coming-from}/*.md', { cwd: docs }).toSorted();

/** Does what a page says, from top to bottom, and compares what is printed with what it shows. */
class Reader implements AsyncDisposable {
  readonly #page: string;
  readonly #folders: ReadonlyMap<string, string>;
  #program: Program | undefined;

  constructor(page: string) {
    this.#page = page;
    this.#folders = new Map(
      blocksOf(page).flatMap(({ file }) =>
        file === undefined ? [] : [[basename(file), join(root, dirname(file))] as const],
      ),
    );
  }

  async read(): Promise<void> {
    for (const { language, text } of blocksOf(this.#page)) {
      if (language === 'console') for (const command of commandsOf(text)) await this.#do(command);
      if (language === 'log') await this.#watch(text);
    }
  }

  async #do({ words, shown }: Command): Promise<void> {
    if (words[0] === 'curl') {
      const printed = await curl(words.slice(1), this.#running.url!);
      if (!isAsShown(printed, shown)) expect(printed, words.join(' ')).toBe(shown);
      return;
    }
    await this[Symbol.asyncDispose]();
    const file = words.findLast((word) => /\.m?[jt]s$/.test(word))!;
    const folder = this.#folders.get(basename(file)) ?? this.#folders.get('main.ts')!;
    this.#program = new Program(words, folder);
    await this.#program.ready();
    if (this.#program.url === undefined && words.includes('--test')) {
      expect(this.#program.exitCode, this.#program.output).toBe(0);
    }
    await this.#watch(shown);
  }

  /** Waits for lines of the program that runs; `^C` interrupts it. */
  async #watch(shown: string): Promise<void> {
    for (const line of shown.split('\n').filter((l) => l !== '' && l !== '…')) {
      if (line === '^C') expect(await this.#running.end('SIGINT')).toBe(0);
      else await this.#running.prints(new RegExp(`(?:^|\\n)${toPattern(line)}(?=\\n|$)`));
    }
  }

  get #running(): Program {
    if (!this.#program)
      throw new Error(`docs/${this.#page} uses a program that it has not started.`);
    return this.#program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isServer = this.#program?.exitCode === null;
    const exitCode = await this.#program?.end();
    if (isServer) expect(exitCode, this.#program?.output).toBe(0);
    this.#program = undefined;
  }
}

describe.for(pages)('%s', (page) => {
  it('names a file for each listing', () => {
    const nameless = blocksOf(page).filter(({ file, language }) => language === 'ts' && !file);
    expect(nameless).toEqual([]);
  });

  it('says what its commands print', async () => {
    await using reader = new Reader(page);
    await reader.read();
  });
});

describe('the listings', () => {
  it('are shown by a page each', () => {
    const shown = globSync('{tutorial,coming-from}/*.md', { cwd: docs })
      .flatMap(blocksOf)
      .map(({ file }) => file);
    const files = globSync('docs/listings/*/*.*', { cwd: root }).filter(
      (file) => !file.includes('/dist/'),
    );
    expect(files.toSorted().filter((file) => !shown.includes(file))).toEqual([]);
  });
});
