import { isIP } from 'node:net';
import { hostText, isUnicast, parseNameAddress, parseUri, tagOf } from './address.ts';
import { callIdOf, cseqOf, type Header, headerOf, listOf, type SipRequest, type SipResponse } from './message.ts';
import type { Ask } from './stack.ts';
import type { Endpoint, Transport } from './wire.ts';

/** A call as both ends know it (RFC 3261 section 12). Only who knows the three names can say something within it. */
export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From and To as we write them. */
  readonly from: string;
  readonly to: string;
  readonly contact: string;
  readonly routes: readonly string[];
  /** Contact of the far end; a re-INVITE may change it. */
  target: string;
  cseq: number;
  remoteCseq: number;
  /** Where its answer came from: stands in for names that cannot be resolved and for addresses behind a translation. */
  readonly peer: Endpoint;
  readonly transport: Transport;
}

const mostRoutes = 16;

/** The dialog that a 2xx made; null when it lacks what makes one. */
export function dialogOf(
  invite: Ask,
  response: SipResponse,
  { peer, transport, contact }: { readonly peer: Endpoint; readonly transport: Transport; readonly contact: string },
): Dialog | null {
  const to = headerOf(response, 'to') ?? '';
  const remoteTag = tagOf(to);
  const from = headerOf(invite, 'from') ?? '';
  const target = parseNameAddress(listOf(response, 'contact')[0] ?? '')?.uri ?? invite.uri;
  const routes = listOf(response, 'record-route').toReversed();
  if (remoteTag === null || routes.length > mostRoutes || parseUri(target) === null) return null;
  return {
    callId: callIdOf(invite),
    localTag: tagOf(from) ?? '',
    remoteTag,
    from,
    to,
    contact,
    routes,
    target,
    cseq: cseqOf(invite)?.number ?? 1,
    remoteCseq: -1,
    peer,
    transport,
  };
}

/** A request within the call, and where it goes. `cseq`: that of the INVITE for its ACK, else the next one. */
export function within(dialog: Dialog, method: string, more: readonly Header[] = []): { ask: Ask; to: Endpoint } {
  const cseq = method === 'ACK' ? dialog.cseq : ++dialog.cseq;
  const { uri, routes } = routed(dialog);
  const headers: Header[] = [
    ...routes.map((route): Header => ['route', route]),
    ['from', dialog.from],
    ['to', dialog.to],
    ['call-id', dialog.callId],
    ['cseq', `${cseq} ${method}`],
    ['contact', dialog.contact],
    ...more,
  ];
  const next =
    dialog.routes[0] === undefined ? dialog.target : (parseNameAddress(dialog.routes[0])?.uri ?? dialog.target);
  return { ask: { method, uri, headers }, to: placeOf(next, dialog) };
}

/** RFC 3261 section 12.2.1.1: a strict router (no `lr`) stands in the request line, and the target goes behind the others. */
function routed({ routes, target }: Dialog): { uri: string; routes: readonly string[] } {
  const [first, ...others] = routes;
  if (first === undefined) return { uri: target, routes: [] };
  const uri = parseNameAddress(first)?.uri ?? '';
  const isLoose = 'lr' in (parseUri(uri)?.params ?? {});
  return isLoose ? { uri: target, routes } : { uri, routes: [...others, `<${target}>`] };
}

/** Numbers are taken as they are; a name would need a look-up in the middle of a call, and comes from where it answered. */
function placeOf(text: string, { peer, transport }: Dialog): Endpoint {
  const uri = parseUri(text);
  if (transport !== 'UDP' || uri === null || isIP(uri.host) === 0 || !isUnicast(uri.host)) return peer;
  if (isIP(uri.host) !== isIP(peer.address.replace(/%.*$/, ''))) return peer;
  return { address: uri.host, port: uri.port ?? 5_060 };
}

/** Is it said within this call, by who may? */
export function belongsTo(dialog: Dialog, request: SipRequest): boolean {
  return (
    callIdOf(request) === dialog.callId &&
    tagOf(headerOf(request, 'to')) === dialog.localTag &&
    tagOf(headerOf(request, 'from')) === dialog.remoteTag
  );
}

/** The branch of a fork that is not kept. */
export function isOther(dialog: Dialog, response: SipResponse): boolean {
  return tagOf(headerOf(response, 'to')) !== dialog.remoteTag;
}

/** How this machine is named where no name is set: by its address. */
export function contactOf(user: string, local: Endpoint, transport: Transport): string {
  const suffix = transport === 'UDP' ? '' : `;transport=${transport.toLowerCase()}`;
  return `<sip:${user}@${hostText(local.address)}:${local.port}${suffix}>`;
}
