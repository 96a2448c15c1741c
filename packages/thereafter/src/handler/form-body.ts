import { isUtf8 } from 'node:buffer';
import { rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exchange } from '../exchange.ts';
import { nodeCrypto } from '../node-modules.ts';
import { BadRequest, UnsupportedMediaType } from '../response/problem.ts';
import { readBody, streamBody } from '../socket/body.ts';
import { baseName, UploadedFile, type FormBody, type FormPlan } from './form.ts';
import { readParts, type RawPart } from './multipart.ts';
import { parsePairs } from './pairs.ts';

const URLENCODED = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const MULTIPART = /^multipart\/form-data\s*(?:;|$)/i;

const NO_PLAN: FormPlan = {
  maxBytes: undefined,
  fields: new Set(),
  refusesOthers: false,
  files: new Map(),
};

/**
 * The form in the body, read once however many inputs ask for it.
 *
 * @throws {UnsupportedMediaType} When the body is no form, or no form with files where one is wanted.
 * @throws {BadRequest} When it is malformed.
 * @throws {ContentTooLarge} When it or a part of it is too large.
 */
export function readForm(exchange: Exchange): Promise<FormBody> {
  return (exchange.formBody ??= parseForm(exchange, exchange.route?.form ?? NO_PLAN));
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
  const fields = Object.create(null) as Record<string, string | string[]>;
  const files = new Map<string, UploadedFile[]>();
  for await (const part of partsOf(exchange, type, plan, plan.files.size > 0)) {
    if (part.fileName === undefined) {
      if (plan.fields.has(part.name)) addField(fields, part.name, await fieldText(part));
      else if (plan.refusesOthers) fields[part.name] = '';
    } else if (plan.files.has(part.name)) {
      const file = await saveFile(exchange, part);
      // What a browser sends for a file field in which nothing was chosen.
      if (file.size === 0 && part.fileName === '') continue;
      files.set(part.name, [...(files.get(part.name) ?? []), file]);
    }
  }
  return { fields, files };
}

/**
 * The parts of a form with files, one after another.
 *
 * @param maxFileBytes - Of one file; default `limits.multipart.maxFileBytes`.
 */
export function streamForm(
  exchange: Exchange,
  maxFileBytes: number | undefined,
): AsyncGenerator<RawPart, void> {
  const type = exchange.req.headers['content-type'] ?? '';
  if (!MULTIPART.test(type)) {
    throw new UnsupportedMediaType('The body must be multipart/form-data.');
  }
  return partsOf(exchange, type, NO_PLAN, true, maxFileBytes);
}

function partsOf(
  exchange: Exchange,
  type: string,
  { maxBytes, files }: FormPlan,
  takesFiles: boolean,
  defaultFileBytes?: number,
): AsyncGenerator<RawPart, void> {
  const { limits } = exchange.app;
  const { multipart } = limits;
  const maxBodyBytes = maxBytes ?? limits.maxBodyBytes;
  const maxFileBytes = defaultFileBytes ?? multipart.maxFileBytes;
  const largest = Math.max(maxFileBytes, ...[...files.values()].map((bytes) => bytes ?? 0));
  // Whoever wants no files has one limit for the body, however it is coded.
  const most = takesFiles
    ? maxBodyBytes +
      multipart.maxFiles * largest +
      multipart.maxParts * multipart.maxPartHeaderBytes
    : maxBodyBytes;
  return readParts(streamBody(exchange, most), type, {
    ...multipart,
    maxFileBytes,
    maxBodyBytes,
    maxBytesOf: (name) => files.get(name),
  });
}

async function fieldText(part: RawPart): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of part.content) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw new BadRequest(`The field '${part.name}' is not UTF-8.`);
  return bytes.toString();
}

function addField(fields: Record<string, string | string[]>, name: string, value: string): void {
  const known = fields[name];
  if (known === undefined) fields[name] = value;
  else if (typeof known === 'string') fields[name] = [known, value];
  else known.push(value);
}

/** Writes a part to a temporary file, which is removed at the end of the request. */
async function saveFile(exchange: Exchange, part: RawPart): Promise<UploadedFile> {
  const path = join(await folder(), nodeCrypto().randomUUID());
  await using file = await open(path, 'wx', 0o600);
  exchange.atEnd(() => rm(path, { force: true }));
  let size = 0;
  for await (const chunk of part.content) {
    size += chunk.length;
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
