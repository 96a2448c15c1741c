// Plain JavaScript, so that an old Node can still read it and say what is wrong.
// The repository brings its own Node; this fails where that one could not be installed.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Thereafter needs Node 22.19 or later, but this is ${process.versions.node}. Install a newer one and run this again.`,
  );
  process.exit(1);
}
