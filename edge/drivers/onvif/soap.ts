import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import { messageOf } from '#edge/runtime/errors.ts';
import { Trouble } from './trouble.ts';

/** A parsed element: children by local name, attributes by `@name`, text under `#text`; or just its text. */
export type Xml = unknown;

const repeated = new Set(['NotificationMessage', 'SimpleItem', 'Service']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  isArray: (name, _path, _leaf, attribute) => !attribute && repeated.has(name),
});

export function child(node: Xml, ...path: readonly string[]): Xml {
  let here = node;
  for (const name of path) {
    if (Array.isArray(here)) here = here[0];
    if (typeof here !== 'object' || here === null) return undefined;
    here = Object.entries(here).find(([key]) => key === name)?.[1];
  }
  return here;
}

export function children(node: Xml, name: string): readonly Xml[] {
  const found = child(node, name);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** Text of an element or attribute, trimmed; '' when it is not there. */
export function text(node: Xml, ...path: readonly string[]): string {
  const found = child(node, ...path);
  const first: unknown = Array.isArray(found) ? found[0] : found;
  if (typeof first === 'string') return first.trim();
  return typeof first === 'object' && first !== null && path.at(-1) !== '#text' ? text(first, '#text') : '';
}

/** Text as people may see it: without control characters, and without those that turn the direction of what follows. */
export function plainText(value: string): string {
  return value.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

export function escapeXml(value: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return value.replace(/[&<>"']/g, (c) => names[c] ?? c);
}

export interface SoapFault {
  /** Innermost subcode without prefix, e.g. `NotAuthorized`; '' when there is none. */
  readonly subcode: string;
  /** Everything the fault says, for judging and for people. At most 200 characters. */
  readonly reason: string;
}

export interface SoapReply {
  readonly status: number;
  /** Absent where the answer was no SOAP at all. */
  readonly header?: Xml;
  readonly body: Xml;
  /** As parsed: tolerably repaired text. */
  readonly raw: string;
  readonly fault: SoapFault | null;
}

function readFault(fault: Xml): SoapFault {
  let code = child(fault, 'Code');
  const subcodes: string[] = [];
  for (let depth = 0; depth < 5 && code !== undefined; depth++) {
    subcodes.push(text(code, 'Value').replace(/^.*:/, ''));
    code = child(code, 'Subcode');
  }
  const soap11 = text(fault, 'faultcode').replace(/^.*:/, '');
  const words = [text(fault, 'Reason', 'Text'), text(fault, 'faultstring'), text(fault, 'Detail', 'Text')];
  const reason = words.filter((word) => word !== '').join('; ') || subcodes.join(' ') || 'no reason given';
  const subcode = subcodes.length > 1 ? (subcodes.at(-1) ?? '') : soap11;
  return {
    subcode: subcode.slice(0, 100),
    reason: plainText(reason.slice(0, 2_000)).replace(/\s+/g, ' ').slice(0, 200),
  };
}

/** Elements, attributes and entities of the largest honest answer: the profiles of a recorder with 64 channels are about 30,000. */
const mostMarks = 60_000;

/** What an XML parser has work with; the size alone says little: a megabyte of `<a/>` keeps it busy for half a second. */
function marksIn(bytes: Buffer): number {
  let marks = 0;
  for (const byte of bytes) if (byte === 0x3c || byte === 0x3d || byte === 0x26) marks += 1;
  return marks;
}

/** Real cameras send stray ampersands, control characters and wrong UTF-8; none of that hides what they mean. */
function repair(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/&(?!(?:[a-zA-Z]{2,5}|#\d{1,7}|#x[0-9a-fA-F]{1,6});)/g, '&amp;')
    .replace(/[^\t\n\r\u0020-\uFFFF]/g, ' ')
    .trim();
}

/** Reads an answer, or says why it is not one. `where` is the camera, for messages; `most` are the elements, attributes and entities. */
export function parseSoap(
  reply: { status: number; type: string; body: Buffer },
  where: string,
  most = mostMarks,
): SoapReply {
  const { status } = reply;
  if (marksIn(reply.body) > most) {
    throw new Trouble('too-large', `camera ${where} sends more XML elements than any camera has use for`);
  }
  const raw = repair(reply.body);
  const instead = (found: string) =>
    status >= 400
      ? new Trouble('http', `camera ${where} answers HTTP ${status}`)
      : new Trouble('not-onvif', `camera ${where} answers ${found} instead of ONVIF (HTTP ${status})`);
  if (raw === '') throw instead('nothing');
  if (/<html|<!doctype html/i.test(raw.slice(0, 2000))) throw instead('HTML');
  if (!raw.startsWith('<')) throw instead(reply.type.split(';')[0]?.slice(0, 60) || 'something else');
  // Entities are how a small document becomes a large one, and no ONVIF answer needs them.
  if (/<!(DOCTYPE|ENTITY)/i.test(raw)) {
    throw new Trouble('broken-xml', `camera ${where} sent a document type definition: refused`);
  }
  const broken = (why: string) => new Trouble('broken-xml', `camera ${where} sends broken XML (${why.slice(0, 120)})`);
  const valid = XMLValidator.validate(raw);
  if (valid !== true) throw broken(valid.err.msg);
  let parsed: Xml;
  try {
    parsed = parser.parse(raw);
  } catch (error) {
    throw broken(messageOf(error));
  }
  if (child(parsed, 'Envelope') === undefined) throw instead('XML that is not SOAP');
  const body = child(parsed, 'Envelope', 'Body');
  const fault = child(body, 'Fault');
  if (fault === undefined && status >= 400) throw new Trouble('http', `camera ${where} answers HTTP ${status}`);
  const header = child(parsed, 'Envelope', 'Header');
  return { status, header, body, raw, fault: fault === undefined ? null : readFault(fault) };
}

const soapEnvelope = 'http://www.w3.org/2003/05/soap-envelope';
const addressing = 'http://www.w3.org/2005/08/addressing';

/** WS-Addressing headers of the event calls. `to` is the address as the camera gave it: it names, it is not dialled. */
export function addressingHeader(action: string, to: string, message: string): string {
  return (
    `<a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:${message}</a:MessageID>` +
    `<a:ReplyTo><a:Address>${addressing}/anonymous</a:Address></a:ReplyTo>` +
    `<a:To s:mustUnderstand="1">${escapeXml(to)}</a:To>`
  );
}

export function envelope(header: string, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${soapEnvelope}" xmlns:a="${addressing}">` +
    `<s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

type OrderedNode = Readonly<Record<string, unknown>>;
const ordered = { preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: false };
const orderedParser = new XMLParser({
  ...ordered,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
});
const orderedBuilder = new XMLBuilder({ ...ordered, format: false });

function isNode(value: unknown): value is OrderedNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** WS-Addressing 1.0, SOAP Binding, 2.3: what is echoed says that it is. The prefix is one that no camera has. */
const isReference = { '@xmlns:edgewsa': addressing, '@edgewsa:IsReferenceParameter': 'true' };
const tagOf = (node: OrderedNode) => Object.keys(node).find((key) => key !== ':@') ?? '';
const attributesOf = (node: OrderedNode) => (isNode(node[':@']) ? node[':@'] : {});

/** An answer has a handful of each; copied for each element, many would keep this process busy for minutes. */
const mostSiblings = 64;
const mostNamespaces = 64;

function findParameters(nodes: unknown, scope: Record<string, unknown>, depth: number): string {
  if (!Array.isArray(nodes) || depth > 12) return '';
  for (const node of nodes.slice(0, mostSiblings).filter(isNode)) {
    const tag = tagOf(node);
    const own = Object.entries(attributesOf(node)).filter(([name]) => name.startsWith('@xmlns'));
    const inner = { ...scope, ...Object.fromEntries(own) };
    if (Object.keys(inner).length > mostNamespaces) return '';
    const inside = node[tag];
    if (tag.replace(/^.*:/, '') !== 'ReferenceParameters') {
      const found = findParameters(inside, inner, depth + 1);
      if (found !== '') return found;
    } else if (Array.isArray(inside)) {
      const elements = inside
        .slice(0, mostSiblings)
        .filter(isNode)
        .filter((element) => tagOf(element) !== '#text');
      return orderedBuilder.build(
        elements.map((element) => ({ ...element, ':@': { ...inner, ...attributesOf(element), ...isReference } })),
      );
    }
  }
  return '';
}

/** An answer to CreatePullPointSubscription has about 2 kB. */
const longestReference = 65_536;

/**
 * The reference parameters of a subscription, each with the namespaces it needs, ready to be echoed as SOAP headers:
 * WS-Addressing 1.0 asks for all of them, and Axis, among others, finds its subscription only by them. At most 4 kB.
 */
export function referenceParameters(raw: string): string {
  if (raw.length > longestReference || !raw.includes('ReferenceParameters')) return '';
  const found = findParameters(orderedParser.parse(raw), {}, 0);
  return found.length <= 4096 ? found : '';
}
