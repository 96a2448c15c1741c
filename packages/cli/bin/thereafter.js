#!/usr/bin/env node
// Plain JavaScript, so that an old Node can still say what it lacks.
import module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `thereafter needs Node 22.19 or later, but this is ${process.versions.node}. Install a newer one and run this again.`,
  );
  process.exitCode = 1;
} else {
  module.enableCompileCache();
  const { main } = await import('#main');
  await main(process.argv);
}
