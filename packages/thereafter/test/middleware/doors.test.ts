import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** The files that an import loads, in a process of its own. */
async function loadedBy(specifier: string): Promise<string> {
  const program = `
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });
    await import('${specifier}');
  `;
  const register = join(import.meta.dirname, '../../../cli/src/register.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=thereafter-source',
      '--import',
      register,
      '--input-type=module',
      '--eval',
      program,
    ],
    { cwd: join(import.meta.dirname, '../..') },
  );
  return stdout;
}

it('loads middleware through its own door only', async () => {
  const middleware = /src\/middleware\/|prom-client|@opentelemetry/;
  expect(await loadedBy('thereafter')).toContain('src/app.ts');
  expect(await loadedBy('thereafter')).not.toMatch(middleware);
  expect(await loadedBy('thereafter/metrics')).toMatch(middleware);
});
