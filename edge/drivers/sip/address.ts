import { isIP } from 'node:net';
import { splitList } from './message.ts';

/* SIP and SIPS URIs, name-addr and Via, as far as a caller needs them (RFC 3261 sections 19.1, 20.10, 20.42). */

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | null;
  /** Without brackets. */
  readonly host: string;
  readonly port: number | null;
  readonly params: Readonly<Record<string, string>>;
}

export interface NameAddress {
  readonly uri: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly params: Readonly<Record<string, string>>;
}

const mostParams = 24;

/** `;a=b;c`; names in lower case. */
function paramsOf(text: string): Readonly<Record<string, string>> {
  const found: [string, string][] = [];
  const pattern = /;\s*([^\s=;"]{1,64})(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*))?/g;
  for (const [, name = '', value = ''] of text.matchAll(pattern)) {
    if (found.length >= mostParams) break;
    found.push([name.toLowerCase(), value.replace(/^"|"$/g, '').trim()]);
  }
  return Object.fromEntries(found);
}

const hostPort = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.\-_]{1,253})(?::(\d{1,5}))?$/;

function readHostPort(text: string): { host: string; port: number | null } | null {
  const match = hostPort.exec(text.trim());
  if (match === null) return null;
  const [, host = '', port] = match;
  if (host.startsWith('[') && isIP(host.slice(1, -1)) !== 6) return null;
  const number = port === undefined ? null : Number(port);
  if (number !== null && (number < 1 || number > 65_535)) return null;
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: number };
}

/** null: not a SIP URI. */
export function parseUri(text: string): SipUri | null {
  const match = /^(sips?):(?:([^@<>"\s]{1,128})@)?([^@;?<>"\s]{1,260})(;[^?<>\s]{0,512})?(?:\?[^<>\s]{0,512})?$/i.exec(
    text,
  );
  const place = readHostPort(match?.[3] ?? '');
  if (match === null || place === null) return null;
  const params = paramsOf(match[4] ?? '');
  return { scheme: match[1]?.toLowerCase() === 'sips' ? 'sips' : 'sip', user: match[2] ?? null, ...place, params };
}

/** From, To, Contact, Route: `"Hall" <sip:hall@10.0.0.1>;tag=1` or `sip:hall@10.0.0.1;tag=1`. null: neither. */
export function parseNameAddress(text: string): NameAddress | null {
  const bracketed = /^(?:"(?:[^"\\]|\\.)*"\s*|[^"<]*)<([^<>\s]{1,1024})>(.*)$/.exec(text.trim());
  if (bracketed !== null) return { uri: bracketed[1] ?? '', params: paramsOf(bracketed[2] ?? '') };
  // Without brackets all parameters belong to the header (RFC 3261 section 20).
  const bare = /^([^\s;<>"]{1,1024})(.*)$/.exec(text.trim());
  return bare === null ? null : { uri: bare[1] ?? '', params: paramsOf(bare[2] ?? '') };
}

/** The tag of a From or To, or null. */
export function tagOf(value: string | null): string | null {
  return parseNameAddress(value ?? '')?.params.tag ?? null;
}

export function parseVia(text: string): Via | null {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]{1,16})\s+([^;\s]{1,260})\s*(;.*)?$/i.exec(
    splitList(text)[0] ?? '',
  );
  const place = readHostPort(match?.[2] ?? '');
  if (match === null || place === null) return null;
  return { transport: (match[1] ?? '').toUpperCase(), ...place, params: paramsOf(match[3] ?? '') };
}

/** `[::1]` or as it is. A zone (`%eth0`) means something on this machine only. */
export function hostText(host: string): string {
  const bare = host.replace(/%.*$/, '');
  return isIP(bare) === 6 ? `[${bare}]` : bare;
}

/** IPv4 mapped into IPv6 and zones are the same address. */
export function sameAddress(a: string, b: string): boolean {
  return plainAddress(a) === plainAddress(b);
}

function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  if (isIP(bare) !== 6) return bare;
  // The URL parser writes every spelling of an IPv6 address in one way.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? '0', 16), Number.parseInt(mapped[2] ?? '0', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** An address of one machine: no group, no broadcast, not `any`. */
export function isUnicast(address: string): boolean {
  const bare = plainAddress(address);
  if (isIP(bare) === 4) {
    const first = Number(bare.split('.')[0]);
    return first > 0 && first < 224;
  }
  return isIP(bare) === 6 && bare !== '::' && !bare.startsWith('ff');
}
