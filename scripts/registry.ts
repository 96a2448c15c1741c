// A registry in which our packages have been published, for npm: gives them from their tarballs, and
// sends it to the real registry for everything else.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { PackedPackage } from './packages.ts';

export interface Registry extends AsyncDisposable {
  readonly url: string;
}

/** @param upstream - The address of the real registry. */
export async function startRegistry(
  packages: readonly PackedPackage[],
  upstream: string,
): Promise<Registry> {
  const server = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '/').slice(1);
    const document = packages.find(({ manifest }) => manifest.name === path);
    const file = packages.find(({ tarball }) => path === `-/${basename(tarball)}`);
    if (document) {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(describe(document, url)));
    } else if (file) {
      res.end(readFileSync(file.tarball));
    } else {
      res.writeHead(302, { location: new URL(`.${req.url}`, upstream).href }).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @see https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function describe({ manifest, tarball, integrity }: PackedPackage, url: string): object {
  const { name, version } = manifest;
  const dist = { tarball: `${url}/-/${basename(tarball)}`, integrity };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
  };
}
