import { writeFile } from 'node:fs/promises';
import { findEntry } from '../entry.ts';
import { answer, inspect } from '../inspect.ts';

/** Writes the OpenAPI document of the app, to standard output or to a file. */
export async function openapi(
  given: string | undefined,
  { out }: { readonly out?: string },
): Promise<void> {
  const { app } = await inspect(findEntry(given));
  const text = JSON.stringify(app.openapi(), null, 2);
  if (out === undefined) await answer(text);
  else await writeFile(out, `${text}\n`);
}
