import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { TSchema } from 'typebox';
import { Default } from 'typebox/value';
import { exchangeOf, type Context } from '../context.ts';
import type { Exchange } from '../exchange.ts';
import { BadRequest } from '../response/problem.ts';
import { readBody, streamBody } from '../socket/body.ts';
import { compileCheck } from './check.ts';
import { streamForm } from './form-body.ts';
import { FormPart } from './form.ts';
import { readJson } from './json-body.ts';

// How a body is read, by kind. `maxBytes` is by default that of the app.

export function jsonReader(schema: TSchema, maxBytes: number | undefined) {
  const hasDefaults = JSON.stringify(schema).includes('"default":');
  const prepare = hasDefaults ? (value: unknown) => Default(schema, value) : undefined;
  const check = compileCheck(schema, 'body', '', prepare);
  const use = (value: unknown, exchange: Exchange, size: number): unknown =>
    check(exchange, value, size);
  return (ctx: Context): Promise<unknown> => readJson(exchangeOf(ctx), maxBytes, use);
}

export function textReader(maxBytes: number | undefined) {
  return async (ctx: Context): Promise<string> => {
    const bytes = await readBody(exchangeOf(ctx), maxBytes);
    if (!isUtf8(bytes)) throw new BadRequest('The body is not UTF-8.');
    return bytes.toString();
  };
}

export function bytesReader(maxBytes: number | undefined) {
  return (ctx: Context): Promise<Buffer> => readBody(exchangeOf(ctx), maxBytes);
}

export function streamReader(maxBytes: number | undefined) {
  return (ctx: Context): Readable =>
    Readable.from(streamBody(exchangeOf(ctx), maxBytes), { objectMode: false });
}

/** @param maxBytes - Of one file. */
export function partsReader(maxBytes: number | undefined) {
  return async function* (ctx: Context): AsyncGenerator<FormPart, void> {
    for await (const part of streamForm(exchangeOf(ctx), maxBytes)) yield new FormPart(part);
  };
}
