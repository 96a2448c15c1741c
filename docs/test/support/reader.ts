import { basename, dirname, join } from 'node:path';
import { curl } from './curl.ts';
import { blocksOf, commandsOf, docs, isAsShown, toPattern, type Command } from './page.ts';
import { Program } from './program.ts';

/** What a page shows that is not so. */
interface Difference {
  readonly where: string;
  readonly shown: string;
  readonly printed: string;
}

/** Does what a page says, from top to bottom, and gives what it finds to be different. */
export async function differencesIn(page: string): Promise<Difference[]> {
  const reader = new Reader(page);
  try {
    for (const { language, text } of blocksOf(page)) {
      if (language === 'console') for (const command of commandsOf(text)) await reader.run(command);
      if (language === 'log') await reader.watch(text);
    }
  } finally {
    await reader.leave();
  }
  return reader.differences;
}

class Reader {
  readonly differences: Difference[] = [];
  readonly #page: string;
  /** File name → the folder that it is in, for the files that the page shows. */
  readonly #folders: ReadonlyMap<string, string>;
  #program: Program | undefined;

  constructor(page: string) {
    this.#page = page;
    this.#folders = new Map(
      blocksOf(page).flatMap(({ file }) =>
        file === undefined ? [] : [[basename(file), join(docs, '..', dirname(file))] as const],
      ),
    );
  }

  async run({ words, shown }: Command): Promise<void> {
    if (words[0] === 'curl') {
      const printed = await curl(words.slice(1), this.#running.url!);
      if (!isAsShown(printed, shown)) this.#differs(words.join(' '), shown, printed);
      return;
    }
    await this.leave();
    const file = words.findLast((word) => /\.m?[jt]s$/.test(word))!;
    // What is built lies below the program that it is made of.
    const folder = this.#folders.get(basename(file)) ?? this.#folders.get('main.ts')!;
    this.#program = new Program(words, folder);
    await this.#program.ready();
    if (words.includes('--test')) this.#mustHaveEnded(words.join(' '));
    await this.watch(shown);
  }

  /** Waits for lines of the program that runs; `^C` interrupts it. */
  async watch(shown: string): Promise<void> {
    const program = this.#running;
    for (const line of shown.split('\n').filter((l) => l !== '' && l !== '…')) {
      if (line === '^C') {
        await program.end('SIGINT');
        this.#mustHaveEnded('^C');
      } else if (!(await program.prints(new RegExp(`(?:^|\\n)${toPattern(line)}(?=\\n|$)`)))) {
        this.#differs('the log', line, program.output);
      }
    }
  }

  /** Ends the program that runs, if one does; it must do so in good order. */
  async leave(): Promise<void> {
    if (this.#program && !this.#program.hasEnded) {
      await this.#program.end('SIGTERM');
      this.#mustHaveEnded('SIGTERM');
    }
    this.#program = undefined;
  }

  get #running(): Program {
    if (!this.#program)
      throw new Error(`docs/${this.#page} uses a program that it has not started.`);
    return this.#program;
  }

  #mustHaveEnded(where: string): void {
    const { exitCode, output } = this.#running;
    if (exitCode !== 0) this.#differs(where, 'exit code 0', `exit code ${exitCode}\n${output}`);
  }

  #differs(where: string, shown: string, printed: string): void {
    this.differences.push({ where, shown, printed });
  }
}
