import { isIP } from 'node:net';
import { endpointOf } from './identity.ts';
import { child, children, escapeXml, parseSoap, plainText, text } from './soap.ts';

/*
 * WS-Discovery 1.0 (April 2005) as ONVIF uses it (Core Specification, 7.3): Probe is asked, ProbeMatches, Hello and Bye are heard.
 * Whatever comes by UDP was written by anybody: it is bounded, and it says nothing about where it may be gone to but its own sender.
 */

const addressing = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
const discovery = 'http://schemas.xmlsoap.org/ws/2005/04/discovery';

/** Cameras answer to one of them, old ones to the first only. */
export const probeTypes = ['dn:NetworkVideoTransmitter', 'tds:Device'] as const;

/** `message`: a UUID. */
export function probe(message: string, types: (typeof probeTypes)[number]): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" ' +
    `xmlns:w="${addressing}" xmlns:d="${discovery}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" ` +
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl">' +
    `<e:Header><w:MessageID>uuid:${escapeXml(message)}</w:MessageID>` +
    '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>' +
    `<w:Action e:mustUnderstand="true">${discovery}/Probe</w:Action></e:Header>` +
    `<e:Body><d:Probe><d:Types>${types}</d:Types></d:Probe></e:Body></e:Envelope>`
  );
}

/** One camera as it announces itself. */
export interface Announced {
  readonly kind: 'match' | 'hello' | 'bye';
  /** What it answers, a UUID; '' for what it says unasked. */
  readonly relatesTo: string;
  readonly endpoint: string;
  /** Twelve hex digits; '' = not said. */
  readonly mac: string;
  /** As its scopes say; '' = not said. */
  readonly maker: string;
  readonly model: string;
  readonly addresses: readonly URL[];
}

/** Elements and attributes of an announcement; a camera's has about a hundred. */
const mostMarks = 600;
const mostThings = 16;
const mostAddresses = 8;

/** Empty for what is no announcement of a camera. Never throws: strangers wrote it. */
export function readAnnouncement(message: Buffer): readonly Announced[] {
  try {
    if (!/ProbeMatch|Hello|Bye/.test(message.toString('latin1'))) return [];
    const { header, body } = parseSoap({ status: 200, type: '', body: message }, 'a stranger', mostMarks);
    const kinds = { match: child(body, 'ProbeMatches'), hello: child(body, 'Hello'), bye: child(body, 'Bye') };
    const relatesTo = endpointOf(text(header, 'RelatesTo'));
    if (kinds.match !== undefined) {
      const things = children(kinds.match, 'ProbeMatch').slice(0, mostThings);
      return things.flatMap((thing) => readThing(thing, 'match', relatesTo));
    }
    if (kinds.hello !== undefined) return readThing(kinds.hello, 'hello', '');
    return kinds.bye === undefined ? [] : readThing(kinds.bye, 'bye', '');
  } catch {
    return []; // not for us: printers and computers talk here too
  }
}

function readThing(thing: unknown, kind: Announced['kind'], relatesTo: string): Announced[] {
  const endpoint = endpointOf(text(thing, 'EndpointReference', 'Address'));
  const scopes = text(thing, 'Scopes').split(/\s+/).slice(0, 64);
  const types = text(thing, 'Types');
  const isCamera = /NetworkVideoTransmitter/i.test(types) || scopes.some((scope) => scopePath(scope) !== null);
  if (endpoint === '' || (kind !== 'bye' && !isCamera)) return [];
  const said = (...names: string[]) => scopeValue(scopes, names);
  const addresses = text(thing, 'XAddrs')
    .split(/\s+/)
    .slice(0, mostAddresses)
    .flatMap((address) => urlOf(address) ?? []);
  const mac = said('mac').replaceAll(/[^0-9a-f]/gi, '');
  return [
    {
      kind,
      relatesTo,
      endpoint,
      mac: mac.length === 12 ? mac.toLowerCase() : '',
      maker: said('manufacturer', 'mfr', 'name'),
      model: said('hardware', 'model'),
      addresses,
    },
  ];
}

/** `onvif://www.onvif.org/name/HIKVISION%20DS-2CD` -> [`name`, `HIKVISION DS-2CD`]. */
function scopePath(scope: string): readonly [string, string] | null {
  const [, name, value] = /^onvif:\/\/www\.onvif\.org\/([^/]+)(?:\/(.*))?$/i.exec(scope) ?? [];
  return name === undefined ? null : [name.toLowerCase(), value ?? ''];
}

function scopeValue(scopes: readonly string[], names: readonly string[]): string {
  const pairs = scopes.map(scopePath).filter((pair) => pair !== null);
  for (const name of names) {
    const found = pairs.find(([key, value]) => key === name && value !== '');
    if (found !== undefined) return plainText(decoded(found[1]).slice(0, 64));
  }
  return '';
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}

function urlOf(address: string): URL | null {
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
  } catch {
    return null;
  }
}

/** Where a camera can be spoken to. */
export interface Door {
  /** The sender of what it announced: a camera that names another host is not believed. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
}

/** The address among those it names that is its own, the unencrypted one first; null when it names none. */
export function doorOf(addresses: readonly URL[], sender: string): Door | null {
  const plain = (host: string) => host.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const own = addresses.filter(({ hostname }) => plain(hostname) === plain(sender));
  // Behind a router's forwarding, or before DHCP has told it, a camera names an address that it does not have.
  const usable = own.length > 0 ? own : addresses;
  const url = usable.find(({ protocol }) => protocol === 'http:') ?? usable[0];
  if (url === undefined || isIP(plain(sender)) === 0) return null;
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  const path = `${url.pathname}${url.search}`.slice(0, 200);
  return { host: sender, port, path: path === '/' ? '/onvif/device_service' : path, tls };
}
