import type { Caller } from './caller.ts';
import type { Xml } from './soap.ts';
import { child, envelope, parseSoap, text } from './soap.ts';
import type { Endpoint } from './transport.ts';
import { exchange } from './transport.ts';
import { Trouble } from './trouble.ts';

/* Who a camera is, whatever its address: the endpoint it announces by WS-Discovery, its MAC, its serial number. */

const what = 'GetEndpointReference';
const body = `<${what} xmlns="http://www.onvif.org/ver10/device/wsdl"/>`;

/** `urn:uuid:4D454930-...` and `4d454930-...` are the same; '' for what is no endpoint. At most 128 characters. */
export function endpointOf(named: string): string {
  const plain = named
    .trim()
    .toLowerCase()
    .replace(/^urn:/, '')
    .replace(/^uuid:/, '');
  return plain.length >= 8 && plain.length <= 128 && !/\s/.test(plain) ? plain : '';
}

const guidOf = (answer: Xml) => endpointOf(text(child(answer, `${what}Response`), 'GUID'));

/** What a camera that is logged in to says of itself; '' when it does not know the question, or this user may not ask. */
export async function readEndpoint(
  caller: Caller,
  options: { path: string; timeout: number; signal: AbortSignal },
): Promise<string> {
  try {
    return guidOf((await caller.call({ what, body, optional: true, ...options })).body);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    // Some hang up on what they do not know: that is no answer either. The next call shows whether they are there.
    if (['fault', 'http', 'not-onvif', 'broken-xml', 'auth', 'closed'].includes(error.kind)) return '';
    throw error;
  }
}

/** Asks one host by WS-Discovery, directly, who it is; null when it does not say. */
export type AskWho = (host: string, signal: AbortSignal) => Promise<{ endpoint: string; mac: string } | null>;

/**
 * Who answers at a place, asked without a password: over the connection that would be logged in to (TLS and its pinned
 * certificate included), and, from cameras that want a password for that, by a probe sent to this host alone. `endpoint` is ''
 * when neither says. Throws Trouble when nobody answers there, or when its certificate is not the pinned one.
 */
export async function askIdentity(
  endpoint: Endpoint,
  options: { path: string; timeout: number; signal: AbortSignal; askWho: AskWho | null },
): Promise<{ endpoint: string; mac: string }> {
  const { askWho, ...rest } = options;
  const reply = await exchange(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
    body: envelope('', body),
    cap: 100_000,
    what,
    ...rest,
  });
  const shown = guidOfReply(reply);
  if (shown !== '') return { endpoint: shown, mac: '' };
  const told = await askWho?.(endpoint.host, options.signal);
  return told ?? { endpoint: '', mac: '' };
}

function guidOfReply(reply: { status: number; type: string; body: Buffer }): string {
  try {
    return guidOf(parseSoap(reply, '').body);
  } catch {
    return ''; // not said
  }
}
