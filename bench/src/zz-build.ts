import { build } from './build.ts';
console.log(await build(process.argv.slice(2)));
