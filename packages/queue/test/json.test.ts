import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_JSON_BYTES, toPayloadText, toResultText } from '../src/json.ts';

class Point {
  x = 1;
}

describe('toPayloadText', () => {
  it('gives back what it was given, after a round trip', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = toPayloadText(value, 't');
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    [undefined, '', 'undefined'],
    [() => 1, '', 'a function'],
    [{ a: [1, 2n] }, '/a/1', 'a bigint'],
    [{ a: { b: Symbol('s') } }, '/a/b', 'a symbol'],
    [{ born: new Date(0) }, '/born', 'an instance of Date'],
    [new Map(), '', 'an instance of Map'],
    [[new Point()], '/0', 'an instance of Point'],
    [{ n: NaN }, '/n', 'NaN'],
    [{ n: -Infinity }, '/n', '-Infinity'],
    [[1, undefined], '/1', 'undefined'],
  ])('refuses %o and says where it is', (payload, path, problem) => {
    let error: unknown;
    try {
      toPayloadText(payload, 'send');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'JOB_PAYLOAD_NOT_JSON', path });
    expect((error as Error).message).toContain(problem);
    expect((error as Error).message).toContain('task send');
  });

  it('refuses a cycle, and not a part that is there twice', () => {
    const part = { a: 1 };
    expect(toPayloadText([part, { part }], 't')).toBe('[{"a":1},{"part":{"a":1}}]');
    const cycle: { self?: unknown } = {};
    cycle.self = [cycle];
    expect(() => toPayloadText(cycle, 't')).toThrow('/self/0 is part of itself');
  });

  it('leaves out optional properties that are not set', () => {
    expect(toPayloadText({ a: 1, b: undefined }, 't')).toBe('{"a":1}');
    expect(toPayloadText(Object.assign(Object.create(null), { a: 1 }), 't')).toBe('{"a":1}');
  });

  it('counts bytes, not characters', () => {
    expect(toPayloadText('x'.repeat(MAX_JSON_BYTES - 2), 't')).toHaveLength(MAX_JSON_BYTES);
    expect(() => toPayloadText('é'.repeat(MAX_JSON_BYTES / 2), 't')).toThrow(
      `has ${MAX_JSON_BYTES + 2} bytes as JSON, and at most ${MAX_JSON_BYTES} are stored`,
    );
  });
});

describe('toResultText', () => {
  it('is nothing for nothing, and otherwise as strict', () => {
    expect(toResultText(undefined, 't')).toBeUndefined();
    expect(toResultText(null, 't')).toBe('null');
    expect(() => toResultText(new Date(), 't')).toThrow('The result of task t');
  });
});
