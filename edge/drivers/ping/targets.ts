import { isIP } from 'node:net';

/** Where a device is on the network. */
export interface Target {
  readonly host: string;
  /** For the way over TCP. */
  readonly port: number;
}

interface Placed {
  readonly address: Readonly<Record<string, unknown>>;
  readonly network?: { readonly host?: string | undefined; readonly probe: boolean } | undefined;
}

/**
 * Of a site's device; null when it has no address of its own, or is not to be probed. Over TCP a port of the web is tried,
 * not Modbus's: many gateways take one connection only, and that is the driver's.
 */
export function targetOf({ address, network }: Placed, protocol: string): Target | null {
  if (network?.probe === false) return null;
  const host = network?.host ?? hostIn(address);
  if (host === null || isNobody(bare(host))) return null;
  const { port } = address;
  const isOwn = (protocol === 'onvif' || protocol === 'ping') && typeof port === 'number';
  return { host: bare(host), port: isOwn ? port : 80 };
}

function hostIn(address: Readonly<Record<string, unknown>>): string | null {
  for (const at of [address, address.tcp, address.rtuOverTcp, address.rtp]) {
    if (typeof at !== 'object' || at === null || !('host' in at)) continue;
    const { host } = at;
    // What begins with a dash would be an option of `ping`.
    if (typeof host === 'string' && /^[^\s-][^\s]{0,252}$/.test(host)) return host;
  }
  return null;
}

/**
 * A group (224.0.0.0/4, ff00::/8), everybody (255.255.255.255), or any address of our own: what comes back says nothing of a device,
 * and a loudspeaker group that "does not answer" would be mended day and night.
 */
function isNobody(host: string): boolean {
  const plain = host.replace(/%.*$/, '');
  if (isIP(plain) === 4) return Number(plain.split('.')[0]) >= 224 || plain.startsWith('0.');
  return isIP(plain) === 6 && /^(ff|[0:]+$)/i.test(plain);
}

export function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
