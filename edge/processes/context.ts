import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { processNames } from '#edge/domain/health.ts';
import type { Site } from '#edge/runtime/site.ts';

/** What the supervisor hands to each process of the edge: plain JSON, nothing secret in the environment. */
export interface EdgeInit {
  readonly site: Site;
  /** The data folder. */
  readonly data: string;
  /** Broker passwords, new at each boot of the supervisor: core gets all, every other process its own. */
  readonly tokens: Readonly<Record<string, string>>;
  /** What web shows Node-RED so that nobody else can reach its editor; '' for every process but these two. */
  readonly flowsSecret: string;
  /** Node-RED starts with its editor but without flows, after it crashed again and again. */
  readonly safeMode?: boolean;
  /** For chaos tests only. */
  readonly tuning?: {
    readonly acknowledgeBeforeCommit?: boolean;
    readonly commitStock?: number;
    readonly commitsPerSecond?: number;
  };
}

/** What a process needs to join the bus. */
export interface BusInit {
  readonly site: Pick<Site, 'mqtt'>;
  readonly tokens: Readonly<Record<string, string>>;
}

/** Flows run what people write: their process knows nothing that they may not know (cameras have passwords). */
export type FlowsInit = Omit<EdgeInit, 'site' | 'tuning'> & {
  readonly site: Pick<Site, 'mqtt' | 'http' | 'flows' | 'folder'>;
};

/** Who talks to strangers on the internet knows no device and no password but its own files'. */
export type NotifyInit = Pick<EdgeInit, 'data' | 'tokens'> & {
  readonly site: Pick<Site, 'mqtt' | 'campus' | 'notify' | 'folder'>;
};

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
export function brokerAddress(site: Pick<Site, 'mqtt'>): { readonly host: string; readonly port: number } {
  const [first = '127.0.0.1'] = site.mqtt.hosts;
  const host = first === '::' ? '::1' : first === '0.0.0.0' ? '127.0.0.1' : first;
  return { host, port: site.mqtt.port };
}

export const profileFolder = join(import.meta.dirname, '../../device-profiles');

export const paths = {
  socket: (data: string): string => join(data, 'core.sock'),
  snapshots: (data: string): string => join(data, 'snapshots'),
  /** Subscriptions to give back after a crash, identities, habits; may be removed. */
  cameraMemory: (data: string): string => join(data, 'cameras.json'),
  /** What the cameras said they are; may be removed. */
  cameraFacts: (data: string): string => join(data, 'camera-facts.json'),
  /** How late it surely is, as each of these processes remembers it: what goes for its age is as old against this. */
  age: (data: string, process: 'core' | 'camera'): string => join(data, `age-${process}.json`),
  /** Where media answers web; its key is beside it, new at each start. */
  mediaSocket: (data: string): string => join(data, 'media.sock'),
  mediaKey: (data: string): string => join(data, 'media.key'),
  footage: (data: string, site: Pick<Site, 'cameras' | 'folder'>): string =>
    site.cameras.folder === undefined ? join(data, 'footage') : resolve(site.folder, site.cameras.folder),
  /** Clips as bare samples, by what is in them; may be removed. */
  sound: (data: string): string => join(data, 'sound'),
  /** Where `broadcast` takes the voices that web brings; its key is beside it, new at each start. */
  soundSocket: (data: string): string => join(data, 'sound.sock'),
  soundKey: (data: string): string => join(data, 'sound.key'),
  /** What was said over live pages. */
  recordings: (data: string): string => join(data, 'recordings'),
  /** Clips that people made, `<sha256>.wav`. */
  clips: (data: string): string => join(data, 'clips'),
  logs: (data: string): string => join(data, 'logs'),
  cityPassword: (data: string): string => join(data, 'city-password'),
  /** The flows themselves: the site's, for people and for git. */
  flows: (site: Pick<Site, 'flows' | 'folder'>): string => resolve(site.folder, site.flows.folder),
  flowsState: (data: string): string => join(data, 'flows'),
};
