import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Context } from 'thereafter';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** With any of these, somebody asks for somebody else. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const;

/**
 * Whether a request comes from the machine that the app runs on, by a name of that machine and past no
 * proxy: for `authorize` of a console in development. A proxy on the same machine that adds no header
 * cannot be told from a person there: behind one, ask for a login instead.
 */
export function fromThisMachine({ clientAddress, headers }: Context): boolean {
  return (
    isLoopback(clientAddress) &&
    // Else a page elsewhere could point its own name here and read what it likes (DNS rebinding).
    isLoopbackHost(headers.host ?? '') &&
    FORWARDED.every((name) => headers[name] === undefined)
  );
}

function isLoopback(address: string): boolean {
  if (isIPv4(address)) return loopback.check(address, 'ipv4');
  return isIPv6(address) && loopback.check(address, 'ipv6');
}

function isLoopbackHost(host: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return (
    name === 'localhost' || name.endsWith('.localhost') || isLoopback(name.replace(/^\[|\]$/g, ''))
  );
}
