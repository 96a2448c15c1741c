import { isUtf8 } from 'node:buffer';
import type { Context } from '../context.ts';
import { BadRequest, ContentTooLarge, UnsupportedMediaType } from '../response/problem.ts';
import { readBody, streamBody } from '../socket/body.ts';
import { readParts, type RawPart } from './multipart.ts';
import { parsePairs, type Pairs } from './pairs.ts';
import { saveFile, type UploadedFile } from './upload.ts';

/** What a route wants of a form, over all its inputs. */
export interface FormPlan {
  /** Bytes of an urlencoded form; default `limits.maxBodyBytes`. */
  readonly maxBytes: number | undefined;
  /** The files that are kept, by name, and their largest sizes. Others are read and dropped. */
  readonly files: ReadonlyMap<string, number | undefined>;
}

/** A form that has been read. */
export interface FormBody {
  readonly fields: Pairs;
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>;
}

const URLENCODED = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const MULTIPART = /^multipart\/form-data\s*(?:;|$)/i;

/**
 * The form in the body, read once however many inputs ask for it.
 *
 * @throws {UnsupportedMediaType} When the body is no form, or no form with files where one is wanted.
 * @throws {BadRequest} When it is malformed.
 * @throws {ContentTooLarge} When it or a part of it is too large.
 */
export function readForm(ctx: Context): Promise<FormBody> {
  return (ctx.formBody ??= parseForm(
    ctx,
    ctx.compiledRoute?.form ?? { maxBytes: undefined, files: new Map() },
  ));
}

async function parseForm(ctx: Context, plan: FormPlan): Promise<FormBody> {
  const type = ctx.headers['content-type'] ?? '';
  if (MULTIPART.test(type)) return parseMultipart(ctx, type, plan);
  if (plan.files.size > 0 || !URLENCODED.test(type)) {
    const wanted = plan.files.size > 0 ? 'multipart/form-data' : 'a form';
    throw new UnsupportedMediaType(
      `The body must be ${wanted}, and is ${type === '' ? 'without a content-type' : type}.`,
    );
  }
  const bytes = await readBody(ctx, plan.maxBytes ?? ctx.limits.maxBodyBytes);
  const fields = parsePairs(bytes.toString(), ctx.limits.maxQueryPairs, 'form');
  return { fields, files: new Map() };
}

async function parseMultipart(ctx: Context, type: string, plan: FormPlan): Promise<FormBody> {
  const { multipart: limits } = ctx.limits;
  const fields = Object.create(null) as Record<string, string | string[]>;
  const files = new Map<string, UploadedFile[]>();
  for await (const part of readParts(streamBody(ctx, maxBytesOf(ctx, plan)), type, limits)) {
    if (part.fileName === undefined) {
      addField(fields, part.name, await fieldText(part, limits.maxFieldBytes));
    } else if (plan.files.has(part.name)) {
      const file = await saveFile(ctx, part, plan.files.get(part.name) ?? limits.maxFileBytes);
      // What a browser sends for a file field in which nothing was chosen.
      if (file.size === 0 && part.fileName === '') continue;
      files.set(part.name, [...(files.get(part.name) ?? []), file]);
    }
  }
  return { fields, files };
}

/** The parts of a form with files, one after another. */
export async function* streamForm(ctx: Context): AsyncGenerator<RawPart, void> {
  const type = ctx.headers['content-type'] ?? '';
  if (!MULTIPART.test(type)) {
    throw new UnsupportedMediaType('The body must be multipart/form-data.');
  }
  const plan = { maxBytes: undefined, files: new Map() };
  yield* readParts(streamBody(ctx, maxBytesOf(ctx, plan)), type, ctx.limits.multipart);
}

/** Largest form that keeps to every limit of its parts. */
function maxBytesOf({ limits }: Context, { files }: FormPlan): number {
  const { maxFiles, maxFileBytes, maxFields, maxFieldBytes, maxParts, maxPartHeaderBytes } =
    limits.multipart;
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
