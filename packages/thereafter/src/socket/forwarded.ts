import { ArgumentError } from '@thereafter/di';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isHost } from './head.ts';

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

/** Who asks, and for which site: what the connection says, or trusted proxies in its place. */
export interface Asked {
  /** Empty when the connection has ended, or is none of IP. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** With its port, unless that is the usual one. Only as well-formed as the client has made it. */
  readonly host: string;
}

/**
 * What a request says of its origin. Goes from the connection back through what proxies have added, as long
 * as the one who says so is trusted: what stands left of the first untrusted address may be invented.
 * What cannot be read is as good as not said.
 */
export function askedOf({ socket, headers }: IncomingMessage, isTrusted: ProxyTrust): Asked {
  let address = plain(socket.remoteAddress ?? '');
  const isSecure = (socket as TLSSocket).encrypted === true; // undefined on a plain socket
  const own = { scheme: isSecure ? 'https' : 'http', host: headers.host ?? 'localhost' } as const;
  const claims = claimsOf(headers);
  if (!claims) return { ...own, address };

  let hops = 0;
  while (isTrusted(address, hops)) {
    const claimed = toAddress(claims.address[hops]);
    hops += 1;
    if (claimed === undefined) break;
    address = claimed;
  }
  if (hops === 0) return { ...own, address };
  const scheme = said(claims.scheme, hops)?.toLowerCase();
  const host = said(claims.host, hops);
  const isHostSaid = host !== undefined && isHost(host);
  const port = said(claims.port, hops);
  return {
    address,
    scheme: scheme === 'http' || scheme === 'https' ? scheme : own.scheme,
    host: withPort(isHostSaid ? host : own.host, port, !isHostSaid),
  };
}

/** What the farthest proxy says that is trusted, or the nearest to it that says anything. */
function said(values: readonly (string | undefined)[], hops: number): string | undefined {
  return values.slice(0, hops).findLast((value) => value !== undefined);
}

/** @param replaces - Whether a port that the host has is that of the last proxy, and not the client's. */
function withPort(host: string, port: string | undefined, replaces: boolean): string {
  if (port === undefined || !isPort(port)) return host;
  const own = /:\d+$/.exec(host);
  if (own && !replaces) return host;
  return `${own ? host.slice(0, own.index) : host}:${port}`;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) <= 65_535;
}

/** What proxies have said, that of the nearest first. */
interface Claims {
  readonly address: readonly (string | undefined)[];
  readonly scheme: readonly (string | undefined)[];
  readonly host: readonly (string | undefined)[];
  readonly port: readonly (string | undefined)[];
}

/**
 * `X-Forwarded-*`, or `Forwarded` when there is none of those: a proxy writes one kind, and lets pass what
 * its client wrote of the other.
 */
function claimsOf(headers: IncomingHttpHeaders): Claims | undefined {
  const {
    'x-forwarded-for': address,
    'x-forwarded-proto': scheme,
    'x-forwarded-host': host,
    'x-forwarded-port': port,
    forwarded,
  } = headers;
  if (address ?? scheme ?? host ?? port) {
    return {
      address: toList(address),
      scheme: toList(scheme),
      host: toList(host),
      port: toList(port),
    };
  }
  if (forwarded === undefined) return undefined;
  const elements = splitOutsideQuotes(forwarded, ',').map(toPairs);
  return {
    address: elements.map((pairs) => pairs.get('for')),
    scheme: elements.map((pairs) => pairs.get('proto')),
    host: elements.map((pairs) => pairs.get('host')),
    port: [],
  };
}

/** @param value - Node joins repeated ones. */
function toList(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return String(value)
    .split(',')
    .map((entry) => entry.trim())
    .toReversed();
}

/** `for=192.0.2.1;proto=https` as a map. See RFC 7239, 4. */
function toPairs(element: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of splitOutsideQuotes(element, ';')) {
    const at = pair.indexOf('=');
    if (at !== -1) pairs.set(pair.slice(0, at).trim().toLowerCase(), unquote(pair.slice(at + 1)));
  }
  return pairs;
}

function unquote(text: string): string {
  const value = text.trim();
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

/**
 * The parts between separators, the last one first. Reads from the end, since that is what the nearest
 * proxy has written: a quote that a client has left open on the left does not swallow it.
 */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let end = text.length;
  for (let i = text.length - 1; i >= 0; i--) {
    if (text[i] === '"' && !(isQuoted && text[i - 1] === '\\')) isQuoted = !isQuoted;
    if (text[i] !== separator || isQuoted) continue;
    parts.push(text.slice(i + 1, end));
    end = i;
  }
  parts.push(text.slice(0, end));
  return parts;
}

/** `1.2.3.4`, `1.2.3.4:5678`, `::1` or `[::1]:80` without its port; `undefined` for anything else. */
function toAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (isIP(text) !== 0) return plain(text);
  const [, inBrackets, bare, port] = WITH_PORT.exec(text) ?? [];
  const address = inBrackets ?? bare ?? '';
  const isRight = isIP(address) === (inBrackets === undefined ? 4 : 6);
  return isRight && (port === undefined || isPort(port)) ? plain(address) : undefined;
}

const WITH_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/;

/** An IPv4 address within an IPv6 one as what it is. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
