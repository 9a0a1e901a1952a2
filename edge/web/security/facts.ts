import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listClients } from '#edge/bus/access.ts';
import { defaultLimits } from '#edge/bus/limits.ts';
import type { Role } from '#edge/domain/access.ts';
import { speaksToLoudspeakers } from '#edge/domain/device.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { ClockSync } from '#edge/runtime/clock-sync.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { shortestPassword } from '#edge/runtime/password.ts';
import { listClientCertificates } from '#edge/runtime/pki-clients.ts';
import { isLoopbackHost } from '#edge/runtime/site.ts';
import type { AuditVerdict } from '#edge/store/audit-chain.ts';
import { longestPause } from '../people/attempts.ts';
import type { CampusView } from '../server.ts';
import type { CertificateView } from '../system-schemas.ts';

/** What is really set and really so, as far as this box can see. Everything that is judged is judged from this. */
export interface SecurityFacts {
  /** ms since epoch. */
  readonly now: number;
  readonly people: readonly {
    readonly id: string;
    readonly role: Role;
    readonly isLimited: boolean;
    readonly hasPassword: boolean;
    readonly hasProvider: boolean;
    readonly totp: boolean;
    readonly disabled: boolean;
    readonly passwordTime: number;
  }[];
  readonly tokens: { readonly count: number; readonly endless: number };
  readonly signIn: { readonly shortest: number; readonly longestPause: number; readonly session: number };
  readonly network: {
    /** Addresses beyond this machine, by what listens there. */
    readonly https: readonly string[];
    readonly mqtt: readonly string[];
    readonly websocket: readonly string[];
    readonly mqttTls: readonly string[];
    readonly clientCertificates: 'none' | 'no' | 'accept' | 'require';
    readonly ipv6: boolean;
    readonly certificate: CertificateView | null;
  };
  readonly broker: { readonly connections: number; readonly perAddress: number; readonly packetsPerSecond: number };
  readonly clients: {
    readonly declared: number;
    readonly withPassword: number;
    readonly withCertificate: number;
    readonly revoked: number;
  };
  readonly nodes: {
    readonly total: number;
    readonly modbus: number;
    readonly speakers: number;
    readonly cameras: number;
    readonly camerasPlain: number;
    /** Devices of which the register says number or place. */
    readonly registered: number;
    readonly planned: number;
    readonly strangers: number;
  };
  readonly audit: {
    /** ms. */
    readonly kept: number;
    readonly verdict: AuditVerdict | null;
    readonly forward: { readonly encrypted: boolean; readonly waiting: number; readonly error: string | null } | null;
  };
  readonly clock: ClockSync;
  readonly backups: { readonly newest: number | null; readonly fetched: number | null };
  readonly box: {
    readonly isRoot: boolean;
    readonly folderMode: number;
    readonly version: string;
    readonly node: string;
  };
  readonly privacy: { readonly pictures: number; readonly city: boolean };
}

export interface FactSources {
  readonly campus: CampusView;
  readonly clock: Clock;
  readonly clockSync: () => Promise<ClockSync>;
  /** null: not known (yet). */
  readonly verdict: () => Promise<AuditVerdict | null>;
  readonly version: string;
}

/** Throws what the reader throws while there is no database. */
export async function collectFacts({
  campus,
  clock,
  clockSync,
  verdict,
  version,
}: FactSources): Promise<SecurityFacts> {
  const { site, reader } = campus;
  const forward = campus.auditForward?.() ?? null;
  return {
    now: clock.now(),
    people: reader.documents('person').map(({ id, body }) => ({
      id,
      role: body.role,
      isLimited: body.zones !== 'all',
      hasPassword: body.password !== null,
      hasProvider: body.oidc !== null,
      totp: body.totp !== null,
      disabled: body.disabled,
      passwordTime: body.passwordTime,
    })),
    tokens: tokensOf(campus),
    signIn: { shortest: shortestPassword, longestPause, session: site.people.session },
    network: networkOf(campus),
    broker: {
      connections: defaultLimits.connections,
      perAddress: defaultLimits.connectionsPerAddress,
      packetsPerSecond: defaultLimits.packetsPerSecond,
    },
    clients: await clientsOf(campus, clock.now()),
    nodes: nodesOf(campus),
    audit: {
      kept: site.retention.audit,
      verdict: await verdict(),
      forward:
        forward === null ? null : { encrypted: forward.encrypted, waiting: forward.waiting, error: forward.error },
    },
    clock: await clockSync(),
    backups: await backupsOf(campus),
    box: {
      isRoot: process.getuid?.() === 0,
      folderMode: (await stat(campus.data)).mode & 0o777,
      version,
      node: process.version,
    },
    privacy: { pictures: site.retention.snapshots, city: site.city !== undefined },
  };
}

function tokensOf({ reader }: CampusView): SecurityFacts['tokens'] {
  const tokens = reader.documents('token');
  return { count: tokens.length, endless: tokens.filter(({ body }) => body.expires === null).length };
}

function networkOf({ site, certificate }: CampusView): SecurityFacts['network'] {
  const { mqtt, https } = site;
  const beyond = (hosts: readonly string[]) => hosts.filter((host) => !isLoopbackHost(host));
  const listening = [...mqtt.hosts, ...(https?.hosts ?? [])];
  return {
    https: beyond(https?.hosts ?? []),
    mqtt: beyond(mqtt.hosts),
    websocket: mqtt.websocketPort === null ? [] : beyond(mqtt.hosts),
    mqttTls: mqtt.tls === null ? [] : beyond(mqtt.tls.hosts ?? mqtt.hosts),
    clientCertificates: mqtt.tls?.clientCertificates ?? 'none',
    ipv6: listening.some((host) => host.includes(':')),
    certificate: certificate(),
  };
}

async function clientsOf({ site, data }: CampusView, now: number): Promise<SecurityFacts['clients']> {
  const declared = new Set<string>(site.clients.map(({ id }) => id));
  const passwords = await whenReadable(() => listClients(data), []);
  const certificates = await whenReadable(() => listClientCertificates(data), []);
  const good = certificates.filter(({ revoked, expires }) => revoked === null && expires > now);
  return {
    declared: declared.size,
    withPassword: passwords.filter((id) => declared.has(id)).length,
    withCertificate: new Set(good.map(({ client }) => client).filter((id) => declared.has(id))).size,
    revoked: certificates.filter(({ revoked }) => revoked !== null).length,
  };
}

/** A list that is damaged is said by those who need it; here it counts as empty. */
async function whenReadable<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!/^(PKI|BUS)_/.test(codeOf(error))) throw error;
    return otherwise;
  }
}

function nodesOf({ site, devices, reader }: CampusView): SecurityFacts['nodes'] {
  const protocolOf = new Map<string, string>(devices.map(({ id, protocol }) => [id, protocol]));
  const count = (protocol: string) => site.devices.filter(({ id }) => protocolOf.get(id) === protocol).length;
  const known = new Set<string>(site.devices.map(({ id }) => id));
  const assets = reader.documents('asset').filter(({ id }) => known.has(id));
  return {
    total: site.devices.length,
    modbus: count('modbus'),
    speakers: site.devices.filter(({ id }) => speaksToLoudspeakers(protocolOf.get(id))).length,
    cameras: count('onvif'),
    camerasPlain: site.devices.filter(({ id, address }) => protocolOf.get(id) === 'onvif' && !('tls' in address))
      .length,
    registered: assets.filter(({ body }) => body.number !== '' || body.place !== '').length,
    planned: assets.filter(({ body }) => body.every !== null).length,
    strangers: reader.inbox(1_000).filter(({ kind }) => kind === 'unknown-device').length,
  };
}

/** By the console or the command line into `<data>/backups`; the audit says when one was last fetched. */
async function backupsOf({ data, reader }: CampusView): Promise<SecurityFacts['backups']> {
  const names = await readdir(join(data, 'backups')).catch(() => []);
  const times = await Promise.all(
    names
      .filter((name) => name.endsWith('.tar.gz'))
      .map(async (name) => (await stat(join(data, 'backups', name)).catch(() => ({ mtimeMs: 0 }))).mtimeMs),
  );
  const fetched = reader.auditPage({ what: 'backup.fetch ', limit: 1 }).lines[0]?.time ?? null;
  return { newest: times.length === 0 ? null : Math.round(Math.max(...times)), fetched };
}
