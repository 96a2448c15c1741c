import { ArgumentError } from '@thereafter/di';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** How many proxies stand before the app, or the addresses and networks that they ask from. */
export type TrustProxy = number | readonly string[];

/** Whether an address is a proxy's. @param hops - How many proxies lie between it and the app. */
export type ProxyTrust = (address: string, hops: number) => boolean;

/**
 * Compiles `trustProxy` of the app options.
 *
 * @throws {ArgumentError} For what is neither a whole number from 0 nor a list of addresses and networks.
 */
export function createProxyTrust(trust: TrustProxy): ProxyTrust {
  if (typeof trust === 'number') {
    if (!Number.isInteger(trust) || trust < 0) {
      throw new ArgumentError(`trustProxy must be a whole number from 0, and is ${trust}.`);
    }
    return (_, hops) => hops < trust;
  }
  const proxies = new BlockList();
  for (const entry of trust) addTo(proxies, entry);
  return (address) => isIP(address) !== 0 && proxies.check(address, familyOf(address));
}

function addTo(proxies: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.split('/');
  const bits = prefix === undefined ? undefined : Number(prefix);
  const maxBits = isIP(address) === 6 ? 128 : 32;
  const isNetwork = bits === undefined || (/^\d+$/.test(prefix!) && bits <= maxBits);
  if (isIP(address) === 0 || !isNetwork || rest.length > 0) {
    throw new ArgumentError(
      `trustProxy wants addresses and networks such as '10.0.0.0/8', and got '${entry}'.`,
    );
  }
  if (bits === undefined) proxies.addAddress(address, familyOf(address));
  else proxies.addSubnet(address, bits, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/**
 * Who asks: from the connection, back through `x-forwarded-for` as long as the one who says so is
 * trusted. What stands left of the first untrusted address may be invented.
 */
export function clientAddress({ socket, headers }: IncomingMessage, isTrusted: ProxyTrust): string {
  let address = plain(socket.remoteAddress ?? '');
  const forwarded = headers['x-forwarded-for']; // Node joins repeated ones
  if (forwarded === undefined) return address;
  const claims = String(forwarded).split(',').toReversed();
  for (const [hops, claim] of claims.entries()) {
    const claimed = plain(claim.trim());
    if (!isTrusted(address, hops) || isIP(claimed) === 0) break;
    address = claimed;
  }
  return address;
}

/** An IPv4 address within an IPv6 one as what it is. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
