import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createContainer, Injectable } from '../src/index.ts';

/** A second copy of the package, as a second version in node_modules would be. */
async function loadCopy(): Promise<
  AsyncDisposable & { folder: string; di: typeof import('../src/index.ts') }
> {
  const source = fileURLToPath(new URL('../src', import.meta.url));
  const folder = await mkdtemp(join(import.meta.dirname, 'copy-'));
  await cp(source, folder, { recursive: true });
  const copies = (globalThis as { [key: symbol]: Set<string> })[
    Symbol.for('thereafter.di.copies')
  ]!;
  const before = new Set(copies);
  const url = pathToFileURL(join(folder, 'index.ts')).href;
  const di = (await import(/* @vite-ignore */ url)) as typeof import('../src/index.ts');
  return {
    folder,
    di,
    async [Symbol.asyncDispose]() {
      for (const copy of copies) if (!before.has(copy)) copies.delete(copy); // the process is shared
      await rm(folder, { recursive: true });
    },
  };
}

describe('the package loaded twice', () => {
  it('is TA113 with both paths for a class that the other copy decorated', async () => {
    await using copy = await loadCopy();
    class Service {}
    copy.di.Injectable()(Service);
    await using container = createContainer();
    const error: unknown = await container.start(Service).catch((e: unknown) => e);
    expect(error).toMatchObject({ errors: [{ code: 'TA113' }] });
    expect((error as Error).message).toContain(join(copy.folder, 'copies.ts'));
    expect((error as Error).message).toContain(join('src', 'copies.ts'));
  });

  it('is TA113 for inject() of the copy that is not building', async () => {
    await using copy = await loadCopy();
    @Injectable()
    class Clock {}
    @Injectable()
    class Service {
      readonly clock = copy.di.inject(Clock);
    }
    await using container = createContainer();
    await expect(container.start(Service)).rejects.toMatchObject({ code: 'TA113' });
  });
});
