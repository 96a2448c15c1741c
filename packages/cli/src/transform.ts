import { ThereafterError } from '@thereafter/di/errors';
import { transformSync, type OxcError, type TransformOptions } from 'oxc-transform';

/** One thing the compiler refused, and where. Lines and columns count from 1, as editors do. */
export interface CompileProblem {
  message: string;
  line: number;
  column: number;
  /** The whole source line, without its line break. */
  lineText: string;
}

/**
 * A file that does not parse. Its message gives each problem as `file:line:column`, which a terminal
 * makes a link, and shows the line below it.
 */
export class CompileError extends ThereafterError {
  // Private, because Node prints every plain field of an error below its message.
  readonly #problems: readonly CompileProblem[];

  constructor(filename: string, problems: readonly CompileProblem[]) {
    super(
      problems
        .map((p) => `${filename}:${p.line}:${p.column}: ${p.message}\n${codeFrame(p)}`)
        .join('\n'),
    );
    this.#problems = problems;
    // The frames of the loader say nothing about the mistake and would push it off the screen.
    this.stack = `${this.name}: ${this.message}`;
  }

  get code(): 'COMPILE_FAILED' {
    return 'COMPILE_FAILED';
  }

  /** What was refused, in the order of the file; never empty. */
  get problems(): readonly CompileProblem[] {
    return this.#problems;
  }
}

/** JavaScript and the source map (JSON) that leads back to the TypeScript it came from. */
export interface CompiledFile {
  code: string;
  map: string;
}

const options: TransformOptions = {
  sourceType: 'module',
  // What comes after lowers what its own target does not know. Below this, oxc 0.158 leaves the
  // decorators of a file with `using` at its top level as they stand.
  target: 'esnext',
  sourcemap: true,
  // As `verbatimModuleSyntax`: an import that only a constructor's types use must survive, because
  // the metadata refers to it.
  typescript: { onlyRemoveTypeImports: true },
  decorator: { legacy: true, emitDecoratorMetadata: true },
};

/**
 * Compiles one TypeScript file, keeping legacy decorators and their `design:*` metadata.
 *
 * Types are dropped, not checked. What oxc cannot know from one file alone (an imported enum or
 * alias) differs from `tsc`'s metadata; classes never do.
 *
 * @throws {CompileError} when the file does not parse.
 */
export function compile(filename: string, source: string): CompiledFile {
  const result = transformSync(filename, source, options);
  const fatal = result.errors.filter((error) => error.severity === 'Error');
  if (fatal.length > 0) {
    throw new CompileError(
      filename,
      fatal.map((error) => toProblem(error, source)),
    );
  }
  return { code: result.code, map: JSON.stringify(result.map) };
}

/** The code with its map at the end, as Node and esbuild read it. */
export function withInlineMap({ code, map }: CompiledFile): string {
  const base64 = Buffer.from(map).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${base64}\n`;
}

function toProblem(error: OxcError, source: string): CompileProblem {
  // oxc counts in bytes of UTF-8, strings in UTF-16.
  const before = Buffer.from(source).subarray(0, error.labels[0]?.start ?? 0);
  const linesBefore = before.toString().split('\n');
  const line = linesBefore.length;
  return {
    message: error.message,
    line,
    column: (linesBefore.at(-1)?.length ?? 0) + 1,
    lineText: source.split(/\r?\n/)[line - 1] ?? '',
  };
}

function codeFrame({ line, column, lineText }: CompileProblem): string {
  const gutter = `  ${line} | `;
  // Tabs stay tabs, so that the caret stands under its character.
  const caretIndent = (gutter + lineText.slice(0, column - 1)).replace(/[^\t]/g, ' ');
  return `\n${gutter}${lineText}\n${caretIndent}^\n`;
}
