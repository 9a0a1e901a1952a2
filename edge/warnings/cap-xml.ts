import { DOMParser, type XmlElement } from '@xmldom/xmldom';
import {
  type PublicWarning,
  type WarningArea,
  type WarningInfo,
  warningCategories,
  warningCertainties,
  warningScopes,
  warningSeverities,
  warningStatuses,
  warningTypes,
  warningUrgencies,
} from '#edge/domain/warning.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { circleOf, cleanText, nameText, oneOf, polygonOf, referencesOf, refuse, timeOf } from './cap-fields.ts';

export const capNamespace = 'urn:oasis:names:tc:emergency:cap:1.2';
/** A long warning in two languages with its areas is 30 kB. */
export const largestMessage = 256 * 1024;
/** Tags and attributes: what is nested is bounded by it too. */
const mostTags = 4_000;
const mostInfos = 20;
const mostAreas = 200;

/**
 * Bytes as they came to text: UTF-8, or what the prolog says of the encodings that Chinese senders use. Throws CAP_INVALID: too large,
 * not in its encoding, or with a document type (which CAP has not, and by which XML bombs are made).
 */
export function capText(bytes: Uint8Array): string {
  if (bytes.length > largestMessage)
    throw refuse('message', `${bytes.length} bytes; at most ${largestMessage} are read`);
  const prolog = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const encoding = /^[^<]{0,3}<\?xml[^>]{0,150}?encoding\s*=\s*["']([\w.-]{1,40})["']/.exec(prolog)?.[1] ?? 'utf-8';
  if (!/^(utf-?8|gbk|gb2312|gb18030|us-ascii)$/i.test(encoding))
    throw refuse('message', `the encoding ${encoding} is not read`);
  let text: string;
  try {
    text = new TextDecoder(/^gb/i.test(encoding) ? 'gb18030' : 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('message', `is not ${encoding}`);
  }
  if (/<!(?!\[CDATA\[|--)/.test(text)) throw refuse('message', 'has a document type or entities, which CAP has not');
  const tags = text.split('<').length + text.split('=').length;
  if (tags > mostTags * 2) throw refuse('message', `has more than ${mostTags} tags and attributes`);
  return text;
}

/** Throws CAP_INVALID, which says where. */
export function parseCap(text: string): PublicWarning {
  const alert = rootOf(text);
  const infos = childrenOf(alert, 'info');
  if (infos.length > mostInfos) throw refuse('alert', `${infos.length} infos; at most ${mostInfos} are read`);
  const warning: PublicWarning = {
    identifier: nameText(only(alert, 'identifier'), 'alert.identifier'),
    sender: nameText(only(alert, 'sender'), 'alert.sender'),
    sent: timeOf(only(alert, 'sent'), 'alert.sent'),
    status: oneOf(only(alert, 'status'), warningStatuses, 'alert.status'),
    type: oneOf(only(alert, 'msgType'), warningTypes, 'alert.msgType'),
    scope: oneOf(only(alert, 'scope'), warningScopes, 'alert.scope'),
    note: cleanText(optional(alert, 'note') ?? '', 'alert.note'),
    references: referencesOf(optional(alert, 'references') ?? '', 'alert.references'),
    infos: infos.map((info, index) => infoOf(info, `info[${index}]`)),
  };
  return warning;
}

/** The alert of a message; throws CAP_INVALID where it is not one. */
export function rootOf(text: string): XmlElement {
  const wrong: string[] = [];
  const hear = (message: string) => {
    if (wrong.length < 3) wrong.push(message);
  };
  let root: XmlElement | null;
  try {
    const parser = new DOMParser({ errorHandler: { warning: hear, error: hear, fatalError: hear } });
    // A byte order mark is not part of the document.
    root = parser.parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml').documentElement;
  } catch (error) {
    throw new CodedError('CAP_INVALID', `message: is not XML: ${messageOf(error).slice(0, 200)}`, { cause: error });
  }
  if (wrong[0] !== undefined || root === null)
    throw refuse('message', `is not XML: ${(wrong[0] ?? 'empty').slice(0, 200)}`);
  if (root.localName !== 'alert' || root.namespaceURI !== capNamespace)
    throw refuse('message', `its root is not an alert of ${capNamespace}`);
  return root;
}

function infoOf(info: XmlElement, where: string): WarningInfo {
  const said = (name: string) => cleanText(optional(info, name) ?? '', `${where}.${name}`);
  const time = (name: string) => {
    const given = optional(info, name);
    return given === null ? null : timeOf(given, `${where}.${name}`);
  };
  const areas = childrenOf(info, 'area');
  if (areas.length > mostAreas) throw refuse(where, `${areas.length} areas; at most ${mostAreas} are read`);
  const language = (optional(info, 'language') ?? 'en-US').trim();
  if (!/^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8}){0,4}$/.test(language))
    throw refuse(`${where}.language`, 'is not a language code');
  const categories = childrenOf(info, 'category').map((one) =>
    oneOf(textOf(one), warningCategories, `${where}.category`),
  );
  if (categories.length === 0) throw refuse(where, 'has no category');
  return {
    language,
    categories,
    event: cleanText(only(info, 'event', where), `${where}.event`),
    responses: childrenOf(info, 'responseType').map((one) => cleanText(textOf(one), `${where}.responseType`)),
    urgency: oneOf(only(info, 'urgency', where), warningUrgencies, `${where}.urgency`),
    severity: oneOf(only(info, 'severity', where), warningSeverities, `${where}.severity`),
    certainty: oneOf(only(info, 'certainty', where), warningCertainties, `${where}.certainty`),
    effective: time('effective'),
    onset: time('onset'),
    expires: time('expires'),
    senderName: said('senderName'),
    headline: said('headline'),
    description: said('description'),
    instruction: said('instruction'),
    parameters: childrenOf(info, 'parameter').map((one) => named(one, `${where}.parameter`)),
    areas: areas.map((area, index) => areaOf(area, `${where}.area[${index}]`)),
  };
}

function areaOf(area: XmlElement, where: string): WarningArea {
  return {
    description: cleanText(only(area, 'areaDesc', where), `${where}.areaDesc`),
    polygons: childrenOf(area, 'polygon').map((one) => polygonOf(textOf(one), `${where}.polygon`)),
    circles: childrenOf(area, 'circle').map((one) => circleOf(textOf(one), `${where}.circle`)),
    codes: childrenOf(area, 'geocode').map((one) => {
      const { name, value } = named(one, `${where}.geocode`);
      return { system: name, code: value };
    }),
  };
}

function named(element: XmlElement, where: string): { readonly name: string; readonly value: string } {
  return {
    name: cleanText(only(element, 'valueName', where), `${where}.valueName`),
    value: cleanText(only(element, 'value', where), `${where}.value`),
  };
}

function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  const found: XmlElement[] = [];
  for (let child = element.firstChild; child !== null; child = child.nextSibling) {
    // xmldom types every child as a Node; 1 is an element (DOM level 2).
    if (child.nodeType !== 1) continue;
    const one = child as XmlElement;
    if (one.localName === name && one.namespaceURI === capNamespace) found.push(one);
  }
  return found;
}

function textOf(element: XmlElement): string {
  return element.textContent ?? '';
}

function optional(element: XmlElement, name: string, where = element.localName ?? 'alert'): string | null {
  const [first, second] = childrenOf(element, name);
  if (second !== undefined) throw refuse(where, `has more than one ${name}`);
  return first === undefined ? null : textOf(first);
}

function only(element: XmlElement, name: string, where = element.localName ?? 'alert'): string {
  const text = optional(element, name, where);
  if (text === null || text.trim() === '') throw refuse(where, `has no ${name}`);
  return text;
}
