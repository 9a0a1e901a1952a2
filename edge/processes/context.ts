import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { processNames } from '#edge/domain/health.ts';
import type { Site } from '#edge/runtime/site.ts';

/** What the supervisor hands to each process of the edge: plain JSON, nothing secret in the environment. */
export interface EdgeInit {
  readonly site: Site;
  /** The data folder. */
  readonly data: string;
  /** Broker passwords of our own processes, new at each boot of the supervisor. */
  readonly tokens: Readonly<Record<string, string>>;
  /** What web shows Node-RED so that nobody else can reach its editor. */
  readonly flowsSecret: string;
  /** Node-RED starts with its editor but without flows, after it crashed again and again. */
  readonly safeMode?: boolean;
  /** For chaos tests only. */
  readonly tuning?: { readonly acknowledgeBeforeCommit?: boolean };
}

/** The web process also starts when the site file is broken, to say so. */
export type WebInit =
  | (EdgeInit & { readonly siteError: null })
  | { readonly siteError: string; readonly data: string; readonly host: string; readonly port: number };

/** Secrets of one boot. */
export function newSecrets(): Pick<EdgeInit, 'tokens' | 'flowsSecret'> {
  const secret = (): string => randomBytes(24).toString('base64url');
  return { tokens: Object.fromEntries(processNames.map((name) => [name, secret()])), flowsSecret: secret() };
}

/** Where our own processes reach the broker: the wildcard addresses are reached through loopback. */
export function brokerAddress(site: Site): { readonly host: string; readonly port: number } {
  const [first = '127.0.0.1'] = site.mqtt.hosts;
  const host = first === '::' ? '::1' : first === '0.0.0.0' ? '127.0.0.1' : first;
  return { host, port: site.mqtt.port };
}

export const profileFolder = join(import.meta.dirname, '../../device-profiles');

export const paths = {
  socket: (data: string): string => join(data, 'core.sock'),
  snapshots: (data: string): string => join(data, 'snapshots'),
  cityPassword: (data: string): string => join(data, 'city-password'),
  flowsState: (data: string): string => join(data, 'flows'),
};
