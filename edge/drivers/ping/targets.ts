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
  if (host === null) return null;
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

export function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
