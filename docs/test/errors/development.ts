import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codePrintedBy, tempFolder, type Programs } from './programs.ts';

export const development: Programs = {
  async COMPILE_FAILED() {
    await using folder = await tempFolder();
    const file = join(folder.path, 'half.ts');
    await writeFile(file, 'export const half: number =');
    return await codePrintedBy(
      `await import('${pathToFileURL(file).href}').catch((error) => console.log(error.code));`,
    );
  },
};
