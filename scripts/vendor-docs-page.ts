// Puts the files of the docs page into the package in the working directory, so that who installs it
// gets them without the library's package, which reports its installation (docs/adr/0006-docs-page.md).
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const library = 'node_modules/swagger-ui-dist';
const folder = 'dist/openapi/docs-page'; // beside the code that serves it

mkdirSync(folder, { recursive: true });
// With the licences, which ask to stay with them.
const files = [
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'swagger-ui.css',
  'LICENSE',
  'NOTICE',
];
for (const file of files) cpSync(join(library, file), join(folder, file));
console.log(`${folder}: ${files.join(', ')}`);
