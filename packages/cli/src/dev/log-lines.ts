import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { styleText } from 'node:util';

/** Levels of pino and its relatives, from where each begins. */
const LEVELS = [
  { from: 50, name: 'error', style: 'red' },
  { from: 40, name: 'warn', style: 'yellow' },
  { from: 30, name: 'info', style: 'green' },
  { from: 0, name: 'debug', style: 'gray' },
] as const;

/**
 * Turns log lines that are JSON into lines for people, e.g. `12:30:05 info listening url=…`. What a
 * program prints otherwise passes as it is.
 */
export class LogLines extends Transform {
  readonly #decoder = new StringDecoder();
  #rest = '';

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.push(`${toReadable(line)}\n`);
    // A prompt, or a line in the making, must not wait for its end.
    if (this.#rest !== '' && !this.#rest.startsWith('{')) {
      this.push(this.#rest);
      this.#rest = '';
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#rest !== '') this.push(toReadable(this.#rest));
    done();
  }
}

function toReadable(line: string): string {
  const entry = parse(line);
  if (!entry) return line;
  const { level, time, msg, err, ...fields } = entry;
  const { name, style } = LEVELS.find(({ from }) => level >= from) ?? LEVELS[3];
  const head = [
    paint('gray', clock(time)),
    paint(style, name.padEnd(5)),
    msg,
    paint('gray', Object.entries(fields).map(describeField).join(' ')),
  ];
  return [head.filter(Boolean).join(' '), ...describeError(err)].join('\n');
}

interface LogEntry {
  readonly level: number;
  readonly time?: string | number;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
}

function parse(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Partial<LogEntry>;
    return typeof entry.level === 'number' ? (entry as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

function clock(time: string | number | undefined): string {
  const date = new Date(time ?? Date.now());
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

function describeField([name, value]: [string, unknown]): string {
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

function describeError(err: LogEntry['err']): string[] {
  const text = err?.stack ?? err?.message;
  return text === undefined ? [] : [text.replace(/^/gm, '    ')];
}

/** Colours where a person looks on; `NO_COLOR` and `FORCE_COLOR` are heard. */
function paint(style: 'red' | 'yellow' | 'green' | 'gray', text: string): string {
  return text === '' ? '' : styleText(style, text, { stream: process.stdout });
}
