import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { curl } from './curl.ts';
import { blocksOf, commandsOf, isAsShown, root, toPattern, wordsOf, type Command } from './page.ts';
import { Program } from './program.ts';
import { TestFolder } from './test-folder.ts';

/** What a page shows that is not so. */
interface Difference {
  readonly where: string;
  readonly shown: string;
  readonly printed: string;
}

/** What a reader of `thereafter new` has before him. */
const NEW_PROJECT = 'packages/cli/templates/app';
const THEREAFTER = join(root, 'packages/cli/bin/thereafter.js');

/** Does what a page says, from top to bottom, and gives what it finds to be different. */
export async function differencesIn(page: string): Promise<Difference[]> {
  await using reader = new Reader(page);
  for (const { language, text } of blocksOf(page)) {
    if (language === 'console') for (const command of commandsOf(text)) await reader.run(command);
    if (language === 'log') await reader.watch(text);
  }
  await reader.leave();
  return reader.differences;
}

class Reader implements AsyncDisposable {
  readonly differences: Difference[] = [];
  readonly #page: string;
  /** File name → the folder that it is in, for the files that the page shows. */
  readonly #folders: ReadonlyMap<string, string>;
  /** Where programs run that bring their own files, or leave some behind. */
  #place: TestFolder | undefined;
  #program: Program | undefined;

  constructor(page: string) {
    this.#page = page;
    this.#folders = new Map(
      blocksOf(page).flatMap(({ file }) =>
        file === undefined ? [] : [[basename(file), join(root, dirname(file))] as const],
      ),
    );
  }

  async run({ words, shown }: Command): Promise<void> {
    const [command, ...args] = words;
    switch (command) {
      case 'curl': {
        if (!this.#program) await this.#startWhatThePageIsAbout();
        const printed = await curl(args, this.#running.url!);
        if (!isAsShown(printed, shown)) this.#differs(words.join(' '), shown, printed);
        return;
      }
      case 'cat':
        return await this.#reads(args[0]!, shown);
      case 'sed':
      case 'touch':
        return void execFileSync(command, args, { cwd: this.#project.path });
      case 'thereafter':
        await this.#start(new Program(['node', THEREAFTER, ...args], this.#project.path));
        break;
      default: {
        const file = words.findLast((word) => /\.m?[jt]s$/.test(word))!;
        // What is built lies below the program that it is made of.
        const folder = this.#folders.get(basename(file)) ?? this.#folders.get('main.ts')!;
        await this.#start(new Program(words, folder));
        if (words.includes('--test')) this.#mustHaveEnded(words.join(' '));
      }
    }
    await this.watch(shown);
  }

  async #start(program: Program): Promise<void> {
    await this.leave();
    this.#program = program;
    await program.ready();
  }

  /**
   * A page with a `main.ts` among its listings is about that program, one beside a `package.json` about
   * what its script `dev` or `start` runs.
   */
  async #startWhatThePageIsAbout(): Promise<void> {
    const listings = join(root, 'docs/listings', this.#page.replace(/^docs\/|\.md$/g, ''));
    if (existsSync(join(listings, 'main.ts'))) {
      const command = 'node --import @thereafter/cli/register main.ts';
      return await this.#start(new Program(command.split(' '), listings));
    }
    const manifest = join(root, dirname(this.#page), 'package.json');
    const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      scripts: Record<string, string>;
    };
    const words = wordsOf((scripts['dev'] ?? scripts['start']!).split('&& ').at(-1)!);
    if (words[0] === 'thereafter') return await this.run({ words, shown: '' });
    this.#place ??= new TestFolder();
    const elsewhere = words.map((word) =>
      word.endsWith('.ts') ? join(dirname(manifest), word) : word,
    );
    await this.#start(new Program(elsewhere, this.#place.path));
  }

  /** A project as `thereafter new` makes it. */
  get #project(): TestFolder {
    return (this.#place ??= new TestFolder(join(root, NEW_PROJECT)));
  }

  /** Waits until a file holds what the page shows: it may be written after the response. */
  async #reads(file: string, shown: string): Promise<void> {
    const path = join(this.#place!.path, file);
    const held = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    if (!(await this.#running.until(() => isAsShown(held(), shown)))) {
      this.#differs(file, shown, held());
    }
  }

  /** Waits for lines of the program that runs; `^C` interrupts it. */
  async watch(shown: string): Promise<void> {
    for (const line of shown.split('\n').filter((l) => l !== '' && l !== '…')) {
      const program = this.#running;
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.end('SIGKILL');
    this.#place?.[Symbol.dispose]();
  }

  get #running(): Program {
    if (!this.#program) throw new Error(`${this.#page} uses a program that it has not started.`);
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
