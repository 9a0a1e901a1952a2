import tls from 'node:tls';
import { delay } from '#edge/runtime/lifecycle.ts';
import { child, envelope, parseSoap } from './soap.ts';
import { type Endpoint, exchange, fingerprintOf } from './transport.ts';

/** Where cameras speak ONVIF: the web port, Reolink, many, cheap ones (8899), Tapo (2020). */
export const scanPorts: readonly number[] = [80, 8000, 8080, 8899, 2020];
export const devicePath = '/onvif/device_service';

/**
 * Is this an ONVIF device? Asks for its clock, which needs no password; none is ever sent here. One that wants a password even for
 * that says so in SOAP, and counts.
 */
export async function knock(
  endpoint: Endpoint,
  options: { path: string; timeout: number; signal: AbortSignal },
): Promise<boolean> {
  const what = 'GetSystemDateAndTime';
  try {
    const reply = await exchange(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
      body: envelope('', `<${what} xmlns="http://www.onvif.org/ver10/device/wsdl"/>`),
      cap: 65_536,
      what,
      ...options,
    });
    const { body, fault } = parseSoap(reply, '');
    return child(body, `${what}Response`) !== undefined || (fault !== null && /NotAuthorized/i.test(fault.subcode));
  } catch {
    return false; // whatever it is, it is no camera that can be had
  }
}

/** SHA-256 of the certificate that somebody shows, to be pinned by the person who adopts it; null when there is none. */
export function certificateOf(host: string, port: number, signal: AbortSignal): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket = tls.connect({ host, port, rejectUnauthorized: false });
  const done = (found: string | null) => {
    clearTimeout(late);
    signal.removeEventListener('abort', giveUp);
    resolve(found);
    socket.destroy();
  };
  const giveUp = () => done(null);
  const late = setTimeout(giveUp, 3_000);
  socket.once('secureConnect', () => done(fingerprintOf(socket)));
  socket.on('error', giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  return promise;
}

export interface ScanOptions {
  readonly addresses: readonly string[];
  readonly ports?: readonly number[];
  /** Ours are not knocked at. */
  readonly skip: (host: string, port: number) => boolean;
  readonly onFound: (host: string, port: number) => void;
  readonly count: (outcome: string) => void;
  readonly signal: AbortSignal;
  /** Most at the same time, most new ones a second, time for each, ms. */
  readonly atOnce?: number;
  readonly perSecond?: number;
  readonly timeout?: number;
}

/** Knocks at every port of every address, slowly enough that no switch or intrusion detection takes it for an attack. */
export async function scan(options: ScanOptions): Promise<void> {
  const { addresses, ports = scanPorts, skip, signal, atOnce = 48, perSecond = 40, timeout = 1_500 } = options;
  const running = new Set<Promise<void>>();
  for (const port of ports) {
    for (const host of addresses) {
      if (signal.aborted) break;
      if (skip(host, port)) continue;
      const one = knockAt(options, host, port, timeout).finally(() => running.delete(one));
      running.add(one);
      await delay(1000 / perSecond, signal);
      if (running.size >= atOnce) await Promise.race(running);
    }
  }
  await Promise.all(running);
}

async function knockAt(options: ScanOptions, host: string, port: number, timeout: number): Promise<void> {
  const { onFound, count, signal } = options;
  count('knock');
  if (await knock({ host, port }, { path: devicePath, timeout, signal })) onFound(host, port);
}
