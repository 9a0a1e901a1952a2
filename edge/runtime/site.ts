import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { roles } from '#edge/domain/access.ts';
import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { CampusId, DeviceId, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import { campusIdPattern } from '#edge/domain/ids.ts';
import { CodedError, messageOf } from './errors.ts';
import { isUsableName } from './pki-names.ts';
import { amplifiersSection, findBrokenAmplifiers } from './site-amplifiers.ts';
import { broadcastSection, findBrokenBroadcast } from './site-broadcast.ts';
import { camerasSection } from './site-cameras.ts';
import { emergencySection, findBrokenEmergency } from './site-emergency.ts';
import { energySection } from './site-energy.ts';
import { findBrokenEnergy } from './site-energy-check.ts';
import { incidentsSection, keyPlacesSection, panicSection } from './site-gatehouse.ts';
import { findBrokenGatehouse } from './site-gatehouse-check.ts';
import { deviceNetwork, findBrokenWires, networkSection, repairSection } from './site-network.ts';
import { findBrokenNotify, notifySchema } from './site-notify.ts';
import { modesSection, rulesSection, tagsOfDevice } from './site-rules.ts';
import { byteSize, clockTime, duration, isLoopbackHost, name, slug } from './site-values.ts';

export { duration, isLoopbackHost };

/*
 * The site file: everything that is true of one campus and not of a product. Strict: an unknown key is an error with
 * its path. Durations are written `30s`, `20min`, `500ms`, `2h`; they are ms in code.
 */

const deviceId = slug.transform((s) => s as DeviceId);
const zoneId = slug.transform((s) => s as ZoneId);
const spaceId = slug.transform((s) => s as SpaceId);
const port = z.int().min(0).max(65535);

/** Records of who did what are kept for six months at least (网络安全法 21), ms. */
export const auditAtLeast = 180 * 86_400_000;

/** A poll without a pause would do nothing but poll. */
const pause = duration.refine((ms) => ms >= 100, 'must be at least 100ms');

const openingHours = z.strictObject({
  weekly: z.array(z.strictObject({ days: z.array(z.int().min(1).max(7)).min(1), from: clockTime, to: clockTime })),
  exceptions: z.array(z.strictObject({ date: z.iso.date(), open: z.boolean() })).default([]),
});

/** Without encryption, so on this machine only: what goes over a network goes over `https`. */
const plainHttp = z.strictObject({
  host: z
    .string()
    .refine(
      isLoopbackHost,
      'must be an address of this machine only (127.0.0.1, ::1 or localhost), because http is not encrypted: use https.hosts for a network',
    ),
  port,
});

const hosts = z.array(z.string().min(1)).min(1);

/** Pages and API for people on the network. Without a certificate of its own the campus makes one. */
const https = z
  .strictObject({
    hosts: hosts.default(['127.0.0.1', '::1']),
    port: port.default(8443),
    /** What people type besides the names and addresses of this machine, e.g. `campus.school.example`. */
    names: z.array(z.string().refine(isUsableName, 'must be a DNS name or an IP address')).max(50).default([]),
    /** PEM files, relative to the site file; both or none. */
    certificate: z.string().min(1).optional(),
    key: z.string().min(1).optional(),
  })
  .refine(
    ({ certificate, key }) => (certificate === undefined) === (key === undefined),
    'certificate and key go together',
  );

const mqttTls = z.strictObject({
  /** Default: those of `mqtt.hosts`. */
  hosts: hosts.optional(),
  port: port.default(8883),
  /** `accept`: a certificate or a password; `require`: nobody without a certificate. */
  clientCertificates: z.enum(['no', 'accept', 'require']).default('accept'),
});

/** Where each line of the audit is sent as well (RFC 5424, by default over TLS as in RFC 5425). */
const syslog = z.strictObject({
  host: z.string().min(1),
  port: port.default(6514),
  /** The authority of the server, PEM, relative to the site file; default: those that the system trusts. */
  ca: z.string().min(1).optional(),
  tls: z.boolean().default(true),
});

export const siteDeviceSchema = z.strictObject({
  id: deviceId,
  name,
  profile: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'must be <folder>/<profile>, e.g. meter/eastron-sdm630'),
  zone: zoneId,
  space: spaceId.optional(),
  tags: tagsOfDevice,
  /** Host, port, unit, topic ...: checked by the driver or sensor convention that the profile names. */
  address: z.record(z.string(), z.unknown()).refine(isTree, 'must not contain itself (a YAML alias)'),
  ...deviceNetwork,
});
export type SiteDevice = z.infer<typeof siteDeviceSchema>;

/** Roles that a stranger with an account at the identity provider may be given: none that rules over others. */
const guestRole = z.enum(['security', 'facility', 'timetable', 'viewer']);

const people = z.strictObject({
  /** A session ends after so long without a person doing anything; by role where that differs (a wall in the gatehouse). */
  idle: z.partialRecord(z.enum(['default', ...roles]), duration).default({}),
  /** A session ends then at the latest. */
  session: duration.default(12 * 3_600_000),
  /** An identity provider (OpenID Connect) beside our own passwords. */
  oidc: z
    .strictObject({
      issuer: z.url().refine(isSecureUrl, 'must be https:// (http:// on this machine only)'),
      clientId: z.string().min(1),
      /** Relative to the site file; absent: a public client. */
      clientSecretFile: z.string().min(1).optional(),
      name,
      /** Our own address as the provider knows it; its path is /api/v1/oidc/callback. */
      redirect: z.url().refine((url) => new URL(url).pathname === '/api/v1/oidc/callback' && isSecureUrl(url), {
        message: 'must be https://<this campus>/api/v1/oidc/callback',
      }),
      scope: z.string().default('openid profile'),
      /** Which claim of the ID token says who it is. */
      claim: z.string().min(1).default('sub'),
      /** Absent: only those who have an account here already. */
      create: z
        .strictObject({ role: guestRole, zones: z.union([z.literal('all'), z.array(zoneId)]).default([]) })
        .optional(),
    })
    .optional(),
});
export type SitePeople = z.infer<typeof people>;

function isSecureUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname));
}

const siteSchema = z.strictObject({
  site: z.literal(1),
  campus: z.strictObject({
    id: z
      .string()
      .regex(campusIdPattern, 'must be the 10-digit school code (学校标识码)')
      .transform((s) => s as CampusId),
    name,
    timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone such as Asia/Shanghai'),
  }),
  buildings: z
    .array(
      z.strictObject({
        id: slug,
        name,
        floors: z.array(
          z.strictObject({ id: slug, name, spaces: z.array(z.strictObject({ id: spaceId, name })).default([]) }),
        ),
      }),
    )
    .default([]),
  zones: z.array(z.strictObject({ id: zoneId, name, spaces: z.array(spaceId).default([]) })).min(1),
  mqtt: z
    .strictObject({
      /** Every address listens: `127.0.0.1` and `::1` unless the file says otherwise (`::` is every IPv4 and IPv6 address). */
      hosts: hosts.default(['127.0.0.1', '::1']),
      port: port.default(1883),
      websocketPort: port.nullable().default(8083),
      /** null: no encrypted line. */
      tls: mqttTls.nullable().prefault({}),
    })
    .prefault({}),
  http: plainHttp.prefault({ host: '127.0.0.1', port: 8080 }),
  /** null: only from this machine. */
  https: https.nullable().prefault({}),
  syslog: syslog.nullable().default(null),
  /** Node-RED's loopback port; its editor is reached through `http`. */
  flows: z
    .strictObject({
      enabled: z.boolean().default(true),
      port: port.default(18_880),
      folder: z.string().default('flows'),
    })
    .prefault({}),
  people: people.prefault({}),
  poll: z
    .strictObject({ fast: pause.default(2_000), normal: pause.default(15_000), slow: pause.default(300_000) })
    .prefault({}),
  /** Network clients that are not ours: sensors and bridges. Their passwords are set with `campus client add`. */
  clients: z
    .array(
      z.strictObject({
        id: slug,
        /** Foreign topic prefixes it may publish below, e.g. `zigbee2mqtt/#`. */
        publish: z.array(z.string().min(1)).default([]),
        subscribe: z.array(z.string().min(1)).default([]),
        /** Devices that it speaks for in our plain JSON (`v1/in/<device>/#`). */
        devices: z.array(deviceId).default([]),
        /** Points it may request (globs), below priority 5. */
        requests: z.array(z.string().min(1)).default([]),
      }),
    )
    .default([]),
  /** Points the flows may request (globs). */
  flowRequests: z.array(z.string().min(1)).default([]),
  devices: z.array(siteDeviceSchema).default([]),
  /** WAV files, relative to the site file. */
  clips: z.record(slug, z.strictObject({ file: z.string(), loop: z.boolean().default(false) })).default({}),
  /** How sounds are announced; who has the word is decided by their classes. */
  broadcast: broadcastSection,
  /** Amplifiers that are switched for each sound. */
  amplifiers: amplifiersSection,
  /** What is said and done in danger, and whose warnings count. */
  emergency: emergencySection,
  openingHours: openingHours.default({ weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1110 }], exceptions: [] }),
  /** Until the rules had a language of their own. */
  interlocks: z
    .never('are rules now: one file each in the folder "rules" beside this file, see docs/writing-a-rule.md')
    .optional(),
  rules: rulesSection,
  modes: modesSection,
  retention: z
    .strictObject({
      readings: duration.default(400 * 86_400_000),
      events: duration.default(180 * 86_400_000),
      audit: duration.refine((ms) => ms >= auditAtLeast, 'must be at least 180d').default(400 * 86_400_000),
      snapshots: duration.default(30 * 86_400_000),
      database: byteSize.default(4e9),
      snapshotBytes: byteSize.default(8e9),
      freeSpaceFloor: byteSize.default(5e8),
    })
    .prefault({}),
  /** How people are told outside the console; absent: they are not. */
  notify: notifySchema.optional(),
  /** Meters, tariffs, limits of demand; absent: only what the pages show by themselves. */
  energy: energySection,
  /** Recording, masks and views of cameras. */
  cameras: camerasSection,
  incidents: incidentsSection,
  /** One-key alarms. */
  panic: panicSection,
  keyPlaces: keyPlacesSection,
  network: networkSection,
  repair: repairSection,
  /** Absent: this campus reports to nobody. */
  city: z.strictObject({ host: z.string(), port, shard: z.int().min(0).max(63) }).optional(),
});

export type SiteFile = z.infer<typeof siteSchema>;
export type Site = Omit<SiteFile, 'interlocks' | 'openingHours'> & {
  readonly openingHours: OpeningHours;
  /** Where relative paths in the file start. */
  readonly folder: string;
  /** Ids of the `devices` that a person adopted and the file does not have (adopted.ts). */
  readonly adopted: readonly string[];
  /** Adopted devices that cannot be had, a sentence each. */
  readonly adoptionProblems: readonly string[];
};

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** YAML can say that a thing is within itself; nothing behind here expects that. */
function isTree(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (above.includes(value) || above.length > 20) return false;
  return Object.values(value).every((inner) => isTree(inner, [...above, value]));
}

/** Checks a parsed site file. Throws SITE_INVALID whose message has one line per mistake: path, then what is wrong. */
export function checkSite(input: unknown, folder: string): Site {
  const result = siteSchema.safeParse(input);
  if (!result.success) {
    throw new CodedError('SITE_INVALID', describeIssues(result.error));
  }
  const site = result.data;
  const mistakes = findBrokenReferences(site);
  if (mistakes.length > 0) throw new CodedError('SITE_INVALID', listed(mistakes));
  return { ...site, folder, adopted: [], adoptionProblems: [] };
}

/** One line per mistake, e.g. `devices[2].zone: unknown zone "east"`. */
export function describeIssues(error: z.ZodError): string {
  return listed(error.issues.map((issue) => `${formatPath(issue.path)}: ${issue.message}`));
}

/** More than people read at once are counted. */
function listed(mistakes: readonly string[]): string {
  const most = 50;
  const rest = mistakes.length > most ? [`and ${mistakes.length - most} more`] : [];
  return [...mistakes.slice(0, most), ...rest].join('\n');
}

function formatPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '(file)';
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');
}

function findBrokenReferences(site: SiteFile): string[] {
  const mistakes: string[] = [];
  const zones = new Set<string>(site.zones.map((zone) => zone.id));
  const spaces = new Set<string>(site.buildings.flatMap((b) => b.floors.flatMap((f) => f.spaces.map((s) => s.id))));
  const devices = new Set<string>();
  const { create } = site.people.oidc ?? {};
  for (const zone of create === undefined || create.zones === 'all' ? [] : create.zones) {
    if (!zones.has(zone)) mistakes.push(`people.oidc.create.zones: unknown zone "${zone}"`);
  }
  for (const list of ['buildings', 'zones', 'clients', 'devices', 'modes'] as const) {
    mistakes.push(...findRepeated(site[list], list));
  }
  site.devices.forEach((device, i) => {
    devices.add(device.id);
    if (!zones.has(device.zone)) mistakes.push(`devices[${i}].zone: unknown zone "${device.zone}"`);
    if (device.space !== undefined && !spaces.has(device.space)) {
      mistakes.push(`devices[${i}].space: unknown space "${device.space}"`);
    }
  });
  mistakes.push(...findBrokenWires(site));
  site.clients.forEach((client, i) => {
    client.devices.forEach((id, j) => {
      if (!devices.has(id)) mistakes.push(`clients[${i}].devices[${j}]: unknown device "${id}"`);
    });
  });
  if (site.notify !== undefined) mistakes.push(...findBrokenNotify(site.notify, zones));
  mistakes.push(...findBrokenEnergy(site, spaces));
  mistakes.push(...findBrokenGatehouse(site));
  mistakes.push(...findBrokenBroadcast(site), ...findBrokenEmergency(site), ...findBrokenAmplifiers(site));
  return mistakes;
}

function findRepeated(list: readonly { readonly id: string }[], where: string): string[] {
  const seen = new Set<string>();
  return list.flatMap(({ id }, i) => {
    if (seen.has(id)) return [`${where}[${i}].id: "${id}" is used twice`];
    seen.add(id);
    return [];
  });
}

/** A campus of 2,000 devices has 0.5 MB. */
const largestFile = 5_000_000;
const readTimeout = 10_000;

/** Reads and checks a site file. Throws SITE_UNREADABLE or SITE_INVALID, naming the file and every mistake. */
export async function loadSite(file: string): Promise<Site> {
  let text: string;
  try {
    const found = await stat(file);
    const { size } = found;
    if (!found.isFile()) throw new Error('it is not a file');
    if (size > largestFile) throw new Error(`it has ${size} bytes, and at most ${largestFile} are read`);
    text = await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(readTimeout) });
  } catch (error) {
    throw new CodedError('SITE_UNREADABLE', `cannot read the site file ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    return checkSite(parseYaml(text, { maxAliasCount: 20 }), dirname(resolve(file)));
  } catch (error) {
    throw new CodedError('SITE_INVALID', `${file} is not a valid site file:\n${messageOf(error)}`, { cause: error });
  }
}
