import { resolve } from 'node:path';
import type { BrokerTls } from '#edge/bus/broker.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import { openPki, type Pki } from '#edge/runtime/pki.ts';
import { ClientRegister } from '#edge/runtime/pki-clients.ts';
import type { Site } from '#edge/runtime/site.ts';

export interface CertificateOptions {
  readonly site: Pick<Site, 'https' | 'mqtt' | 'folder'>;
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The campus's certificates. null where they cannot be had (a full disk, a damaged key): then there are no encrypted
 * lines, and the log says why, but neither interlocks nor the page of this machine wait for that.
 */
export async function openCertificates({ site, data, clock, log }: CertificateOptions): Promise<Pki | null> {
  const { https } = site;
  const own =
    https?.certificate === undefined || https.key === undefined
      ? null
      : { certificate: resolve(site.folder, https.certificate), key: resolve(site.folder, https.key) };
  const hosts = [...(https?.hosts ?? []), ...(site.mqtt.tls?.hosts ?? site.mqtt.hosts)];
  try {
    return await openPki({ data, names: [...(https?.names ?? []), ...hosts], own, clock, log });
  } catch (error) {
    log.error({ error }, 'there are no certificates, so nothing is encrypted until the next start');
    return null;
  }
}

/** The encrypted line of the broker; null when the site wants none, or there are no certificates. */
export async function brokerTls(options: CertificateOptions, stack: AsyncDisposableStack): Promise<BrokerTls | null> {
  const { tls, hosts } = options.site.mqtt;
  const pki = tls === null ? null : await openCertificates(options);
  if (tls === null || pki === null) return null;
  stack.use(pki);
  const { port, clientCertificates } = tls;
  return { hosts: tls.hosts ?? hosts, port, clientCertificates, pki, clients: new ClientRegister(options) };
}
