import { isUtf8 } from 'node:buffer';
import { rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exchange } from '../exchange.ts';
import { nodeCrypto } from '../node-modules.ts';
import { BadRequest, ContentTooLarge, UnsupportedMediaType } from '../response/problem.ts';
import { readBody, streamBody } from '../socket/body.ts';
import { baseName, UploadedFile, type FormBody, type FormPlan } from './form.ts';
import { readParts, type RawPart } from './multipart.ts';
import { parsePairs } from './pairs.ts';

const URLENCODED = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const MULTIPART = /^multipart\/form-data\s*(?:;|$)/i;

/**
 * The form in the body, read once however many inputs ask for it.
 *
 * @throws {UnsupportedMediaType} When the body is no form, or no form with files where one is wanted.
 * @throws {BadRequest} When it is malformed.
 * @throws {ContentTooLarge} When it or a part of it is too large.
 */
export function readForm(exchange: Exchange): Promise<FormBody> {
  return (exchange.formBody ??= parseForm(
    exchange,
    exchange.route?.form ?? { maxBytes: undefined, files: new Map() },
  ));
}

async function parseForm(exchange: Exchange, plan: FormPlan): Promise<FormBody> {
  const type = exchange.req.headers['content-type'] ?? '';
  if (MULTIPART.test(type)) return parseMultipart(exchange, type, plan);
  if (plan.files.size > 0 || !URLENCODED.test(type)) {
    const wanted = plan.files.size > 0 ? 'multipart/form-data' : 'a form';
    throw new UnsupportedMediaType(
      `The body must be ${wanted}, and is ${type === '' ? 'without a content-type' : type}.`,
    );
  }
  const bytes = await readBody(exchange, plan.maxBytes);
  const fields = parsePairs(bytes.toString(), exchange.app.limits.maxQueryPairs, 'form');
  return { fields, files: new Map() };
}

async function parseMultipart(exchange: Exchange, type: string, plan: FormPlan): Promise<FormBody> {
  const { multipart: limits } = exchange.app.limits;
  const fields = Object.create(null) as Record<string, string | string[]>;
  const files = new Map<string, UploadedFile[]>();
  for await (const part of readParts(
    streamBody(exchange, maxBytesOf(exchange, plan)),
    type,
    limits,
  )) {
    if (part.fileName === undefined) {
      addField(fields, part.name, await fieldText(part, limits.maxFieldBytes));
    } else if (plan.files.has(part.name)) {
      const file = await saveFile(exchange, part, plan.files.get(part.name) ?? limits.maxFileBytes);
      // What a browser sends for a file field in which nothing was chosen.
      if (file.size === 0 && part.fileName === '') continue;
      files.set(part.name, [...(files.get(part.name) ?? []), file]);
    }
  }
  return { fields, files };
}

/** The parts of a form with files, one after another. */
export async function* streamForm(exchange: Exchange): AsyncGenerator<RawPart, void> {
  const type = exchange.req.headers['content-type'] ?? '';
  if (!MULTIPART.test(type)) {
    throw new UnsupportedMediaType('The body must be multipart/form-data.');
  }
  const plan = { maxBytes: undefined, files: new Map() };
  yield* readParts(
    streamBody(exchange, maxBytesOf(exchange, plan)),
    type,
    exchange.app.limits.multipart,
  );
}

/** Largest form that keeps to every limit of its parts. */
function maxBytesOf({ app }: Exchange, { files }: FormPlan): number {
  const { maxFiles, maxFileBytes, maxFields, maxFieldBytes, maxParts, maxPartHeaderBytes } =
    app.limits.multipart;
  const largest = files.size === 0 ? maxFileBytes : 0;
  const fileBytes = Math.max(largest, ...[...files.values()].map((bytes) => bytes ?? maxFileBytes));
  return maxFiles * fileBytes + maxFields * maxFieldBytes + maxParts * maxPartHeaderBytes;
}

async function fieldText(part: RawPart, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of part.content) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new ContentTooLarge(`The field '${part.name}' may have at most ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks, length);
  if (!isUtf8(bytes)) throw new BadRequest(`The field '${part.name}' is not UTF-8.`);
  return bytes.toString();
}

function addField(fields: Record<string, string | string[]>, name: string, value: string): void {
  const known = fields[name];
  if (known === undefined) fields[name] = value;
  else if (typeof known === 'string') fields[name] = [known, value];
  else known.push(value);
}

/**
 * Writes a part to a temporary file, which is removed at the end of the request.
 *
 * @throws {ContentTooLarge} Beyond `maxBytes`.
 */
async function saveFile(
  exchange: Exchange,
  part: RawPart,
  maxBytes: number,
): Promise<UploadedFile> {
  const path = join(await folder(), nodeCrypto().randomUUID());
  await using file = await open(path, 'wx', 0o600);
  exchange.atEnd(() => rm(path, { force: true }));
  let size = 0;
  for await (const chunk of part.content) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new ContentTooLarge(`The file '${part.name}' may have at most ${maxBytes} bytes.`);
    }
    await file.writeFile(chunk);
  }
  return new UploadedFile({ name: baseName(part.fileName ?? ''), type: part.type, size, path });
}

let made: Promise<string> | undefined;

/** A folder of this process, which only its user may enter. */
function folder(): Promise<string> {
  return (made ??= makeFolder());
}

async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thereafter-'));
  // For what was still in use when the process was told to end.
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}
