import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { Readable } from 'node:stream';
import { exchangeOf, type Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { nodeCrypto } from '../node-modules.ts';
import { BadRequest, Conflict, Problem, ServiceUnavailable } from '../response/problem.ts';
import { isStream, Reply } from '../response/reply.ts';
import { headerOf } from '../response/response-headers.ts';
import { readBody } from '../socket/body.ts';
import { LISTS } from '../socket/send.ts';

/** How requests are recognised that a client repeats. */
export interface IdempotencyOptions {
  /** Who keeps the answers; default `memoryStore()`, this process for itself. */
  readonly store?: IdempotencyStore;
  /** How long an answer is kept, default `'24h'`. */
  readonly ttl?: Duration;
  /** The header with the key; default `idempotency-key`. */
  readonly header?: string;
  /** Whether POST and PATCH without a key are refused with 400; default false. */
  readonly required?: boolean;
  /**
   * Whose keys these are, such as the id of a user: the same key of somebody else is another one. Default
   * the `authorization` of the request.
   */
  readonly scope?: (ctx: Context) => string;
}

/** An answer that can be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | undefined;
}

/** What is known of a key. */
export interface KnownKey {
  /** What tells one request from another: a digest of method, target and body. */
  readonly fingerprint: string;
  /** `undefined` as long as the first request is at work. */
  readonly answer: KeptAnswer | undefined;
}

/** Keeps answers. One that several processes share must take a key in one atomic step. */
export interface IdempotencyStore {
  /**
   * Takes a key for a request that begins.
   *
   * @param ttlMs - How long it is taken if the request never ends.
   * @returns What is known of it when it is taken already; `undefined` when it was free.
   */
  take(
    key: string,
    fingerprint: string,
    ttlMs: number,
  ): KnownKey | undefined | Promise<KnownKey | undefined>;
  /** Keeps the answer to the request that has taken a key. */
  keep(key: string, answer: KeptAnswer, ttlMs: number): void | Promise<void>;
  /** Makes a key free again, since its request failed. */
  release(key: string): void | Promise<void>;
}

/** A key came again with another request. */
export class IdempotencyKeyReused extends Problem {
  override readonly status = 422;

  override get title(): string {
    return 'Idempotency-Key is already used';
  }
}

/** Longest body of an answer that is kept. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Lets a client repeat a POST or PATCH whose answer it has not got: what has the same key in
 * `idempotency-key` is done once, and its answer is given again, with `idempotent-replayed: true`. While
 * the first one is at work a repetition is 409; with another body, path or method it is 422.
 *
 * Kept is what the handler returns with a status below 500. After an error nothing is kept, and a
 * repetition is done anew; so it is when the answer is an event stream or has over 1 MiB, which the log
 * tells. The body is read here, unless it is `multipart/form-data`, of which only the length is
 * compared: a route that takes its body as a stream cannot have this before it.
 *
 * When the store fails the request does, since it could be done twice otherwise.
 *
 * @throws {BadRequest} For a key that is none, or none where one is required.
 * @throws {Conflict} As long as the first request with the key is at work.
 * @throws {IdempotencyKeyReused} When the key belongs to another request.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/07/
 */
export function idempotency(options: IdempotencyOptions = {}): Middleware {
  const { store = memoryStore(), ttl = '24h', header = 'idempotency-key' } = options;
  const { required = false, scope = byAuthorization } = options;
  const name = header.toLowerCase();
  const ttlMs = toMilliseconds(ttl);

  return async (ctx, next) => {
    if (ctx.method !== 'POST' && ctx.method !== 'PATCH') return next();
    const sent = ctx.headers[name];
    if (sent === undefined && !required) return next();
    const key = digest(scope(ctx), keyOf(sent, header));
    const fingerprint = await fingerprintOf(ctx);
    const known = await store.take(key, fingerprint, ttlMs);
    if (known) return replay(known, fingerprint);

    const exchange = exchangeOf(ctx);
    const before = exchange.res.getHeaders();
    try {
      const reply = await next();
      const answer = await toAnswer(ctx, reply, before);
      if (answer) {
        await keep(ctx, store, key, answer, ttlMs);
        // What comes after can still fail: a durable task that is not stored makes another answer.
        exchange.onResponseEnd(() => {
          if (exchange.failure) void release(ctx, store, key);
        });
      } else {
        await release(ctx, store, key);
      }
      return reply;
    } catch (error) {
      await release(ctx, store, key);
      throw error;
    }
  };
}

function byAuthorization(ctx: Context): string {
  return ctx.headers.authorization ?? '';
}

/** The key is a string in quotes by the draft; many clients leave them out. */
function keyOf(sent: string | string[] | undefined, header: string): string {
  if (typeof sent !== 'string') throw new BadRequest(`This request needs the header ${header}.`);
  const isQuoted = sent.length > 1 && sent.startsWith('"') && sent.endsWith('"');
  const key = isQuoted ? sent.slice(1, -1) : sent;
  if (VALID.test(key)) return key;
  throw new BadRequest(`The header ${header} must be 1 to 255 visible characters.`);
}

const VALID = /^[\x21-\x7e]{1,255}$/;

async function fingerprintOf(ctx: Context): Promise<string> {
  const exchange = exchangeOf(ctx);
  const { headers } = ctx;
  // Its boundary is another one each time, and its files may be larger than memory.
  const isMultipart = headers['content-type']?.toLowerCase().startsWith('multipart/form-data');
  const body = isMultipart ? (headers['content-length'] ?? '') : await readBody(exchange);
  return digest(ctx.method, exchange.target, body);
}

function digest(...parts: (string | Uint8Array)[]): string {
  const hash = nodeCrypto().createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('base64url');
}

function replay(known: KnownKey, fingerprint: string): Reply {
  if (known.fingerprint !== fingerprint) {
    throw new IdempotencyKeyReused('The key was used for another request. Take a new one.');
  }
  if (!known.answer) throw new Conflict('The first request with this key is still at work.');
  const { status, headers: kept, body } = known.answer;
  const headers = new Headers({ 'idempotent-replayed': 'true' });
  for (const [name, value] of kept) headers.append(name, value);
  return new Reply(status, undefined, body, headers);
}

/** The answer as it can be given again; `undefined` for one that is not kept. Reads a streamed body. */
async function toAnswer(
  ctx: Context,
  reply: Reply,
  before: Readonly<Record<string, unknown>>,
): Promise<KeptAnswer | undefined> {
  if (reply.status >= 500) return undefined;
  const type = headerOf(ctx, reply, 'content-type');
  if (isStream(reply.body) && !type?.startsWith('text/event-stream')) {
    reply.body = await gather(reply.body);
  }
  const { status, body } = reply;
  if (isStream(body)) {
    ctx.log.error({ path: ctx.path }, 'an answer that cannot be kept has an idempotency key');
    return undefined;
  }
  const own = reply.hasHeaders ? reply.headers : new Headers();
  const headers = [...own];
  // What middleware around this has set it sets again; the handler is not asked again.
  for (const [name, value] of Object.entries(exchangeOf(ctx).res.getHeaders())) {
    if (String(before[name]) === String(value) || (own.has(name) && !LISTS.has(name))) continue;
    for (const each of [value ?? []].flat()) headers.push([name, String(each)]);
  }
  if (type !== undefined && !headers.some(([name]) => name === 'content-type')) {
    headers.push(['content-type', type]);
  }
  return { status, headers, body: typeof body === 'string' ? Buffer.from(body) : body };
}

/** All of a stream, or a stream of the same bytes if there are too many. */
async function gather(body: Readable): Promise<Uint8Array | Readable> {
  const pieces: Buffer[] = [];
  let length = 0;
  const source = body.iterator() as AsyncIterator<string | Uint8Array>; // what can be sent
  for (;;) {
    const { done, value } = await source.next();
    if (done === true) return Buffer.concat(pieces, length);
    const piece = Buffer.from(value as Uint8Array); // a string makes the same
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_ANSWER_BYTES) break;
  }
  const rest = async function* (): AsyncGenerator<string | Uint8Array, void> {
    yield* pieces;
    yield* { [Symbol.asyncIterator]: () => source };
  };
  return Readable.from(rest(), { objectMode: false });
}

/** The request is done by then, so nothing here makes it fail; without its answer its key stays taken. */
async function keep(
  ctx: Context,
  store: IdempotencyStore,
  key: string,
  answer: KeptAnswer,
  ttlMs: number,
): Promise<void> {
  try {
    await store.keep(key, answer, ttlMs);
  } catch (error) {
    ctx.log.error({ err: error }, 'an answer could not be kept for its idempotency key');
  }
}

async function release(ctx: Context, store: IdempotencyStore, key: string): Promise<void> {
  try {
    await store.release(key);
  } catch (error) {
    ctx.log.error({ err: error }, 'an idempotency key could not be released');
  }
}

/** What a store in memory may hold. */
export interface MemoryStoreOptions {
  /** Keys, those of requests at work included; default 10,000. Beyond, the oldest answer is forgotten. */
  readonly maxKeys?: number;
  /** Bytes of all answers, default 64 MiB. Beyond, the oldest ones are forgotten. */
  readonly maxBytes?: number;
  /** A clock in milliseconds that never goes back; default that of the process. */
  readonly now?: () => number;
}

interface Entry extends KnownKey {
  readonly bytes: number;
  readonly endsAtMs: number;
}

/**
 * Keeps answers in this process: a repetition that reaches another process, or comes after a restart, is
 * done again. When all its keys are those of requests at work, more are refused with 503.
 */
export function memoryStore(options: MemoryStoreOptions = {}): IdempotencyStore {
  const { maxKeys = 10_000, maxBytes = 64 * 1024 * 1024 } = options;
  const { now = () => performance.now() } = options;
  const atWork = new Map<string, Entry>();
  /** The order of the map is that of age. */
  const answered = new Map<string, Entry>();
  let bytes = 0;
  const forget = (key: string, entry: Entry): void => {
    answered.delete(key);
    bytes -= entry.bytes;
  };
  const makeRoom = (): void => {
    for (const [key, entry] of answered) {
      const isFull = bytes > maxBytes || answered.size + atWork.size > maxKeys;
      if (!isFull && entry.endsAtMs > now()) return;
      forget(key, entry);
    }
  };
  return {
    take(key, fingerprint) {
      const known = atWork.get(key) ?? answered.get(key);
      if (known && (!known.answer || known.endsAtMs > now())) return known;
      if (known) forget(key, known);
      if (atWork.size >= maxKeys) throw new ServiceUnavailable('Too many requests are at work.');
      atWork.set(key, { fingerprint, answer: undefined, bytes: 0, endsAtMs: Infinity });
      makeRoom();
      return undefined;
    },
    keep(key, answer, ttlMs) {
      const { fingerprint = '' } = atWork.get(key) ?? {};
      atWork.delete(key);
      const size = (answer.body?.length ?? 0) + JSON.stringify(answer.headers).length;
      answered.set(key, { fingerprint, answer, bytes: size, endsAtMs: now() + ttlMs });
      bytes += size;
      makeRoom();
    },
    release(key) {
      atWork.delete(key);
      const entry = answered.get(key);
      if (entry) forget(key, entry);
    },
  };
}
