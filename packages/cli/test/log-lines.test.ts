import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LogLines } from '../src/dev/log-lines.ts';

async function readable(...chunks: (string | Buffer)[]): Promise<string> {
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return stripVTControlCharacters(await text(source.pipe(new LogLines())));
}

const time = new Date(2026, 0, 2, 3, 4, 5).toISOString();

describe('LogLines', () => {
  it('makes lines for people of JSON', async () => {
    const line = JSON.stringify({
      level: 40,
      time,
      path: '/a',
      ms: 3,
      deep: { a: 1 },
      msg: 'slow',
    });
    expect(await readable(`${line}\n`)).toBe('03:04:05 warn  slow path=/a ms=3 deep={"a":1}\n');
  });

  it('shows an error with its stack', async () => {
    const err = { message: 'no', stack: 'Error: no\n    at main.ts:1:2' };
    const line = JSON.stringify({ level: 50, time, err, msg: 'failed' });
    expect(await readable(`${line}\n`)).toBe(
      '03:04:05 error failed\n    Error: no\n        at main.ts:1:2\n',
    );
  });

  it('passes everything else as it comes', async () => {
    const lines = 'plain\n\n{ not json }\n{"level":"high"}\n[1]\nname? ';
    expect(await readable(lines)).toBe(lines);
  });

  it('waits for the rest of a line, and of a character', async () => {
    const line = Buffer.from(`${JSON.stringify({ level: 30, time, msg: 'grüß' })}\n`);
    const middle = line.indexOf(0xc3) + 1; // within the ü
    expect(await readable(line.subarray(0, middle), line.subarray(middle))).toBe(
      '03:04:05 info  grüß\n',
    );
    expect(await readable(line.subarray(0, line.length - 1))).toBe('03:04:05 info  grüß');
  });
});
