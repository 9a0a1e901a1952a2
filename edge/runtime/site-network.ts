import { z } from 'zod';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import { duration, slug } from './site-values.ts';

/*
 * What the site file says of the network beneath the devices (which switch, which port, what carries its power), and of
 * repairing devices by themselves. Durations are ms in code.
 */

const host = z.string().regex(/^(\[[0-9a-fA-F:.%a-z]+\]|[^\s/@?#[\]]{1,253})$/, 'must be a host name or an address');

/** Port numbers as they are printed on the switch: `poe_<port>` is the output that gives it power. */
const uplink = z.strictObject({
  device: slug.transform((text) => text as DeviceId),
  port: z.int().min(1).max(512),
});
export type Uplink = z.infer<typeof uplink>;

/** Keys of a device in the site file. */
export const deviceNetwork = {
  /** The switch it hangs on. */
  uplink: uplink.optional(),
  /** The output that carries its power (true = on), for a device that is not powered through its switch. */
  power: z
    .string()
    .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>')
    .transform((text) => text as PointRef)
    .optional(),
  /** Its power is never cut to mend it: a lift, a server, what somebody's life hangs on. */
  noPowerCycle: z.boolean().optional(),
  network: z
    .strictObject({
      /** Where it is on the network, when its `address` does not say so. */
      host: host.optional(),
      /** false: it is not probed. */
      probe: z.boolean().default(true),
      /** It is, or carries, the way out of this campus: its power is never cut. */
      gateway: z.boolean().default(false),
    })
    .optional(),
};

/** The network as a whole. */
export const networkSection = z
  .strictObject({
    /** Where this box itself hangs: cutting that would cut off the hand that does it. */
    uplink: uplink.optional(),
    /** How often each device is probed. */
    probe: duration.refine((ms) => ms >= 5_000, 'must be at least 5s').default(30_000),
  })
  .prefault({});

const times = z
  .strictObject({
    /** Out of order for so long before anything is done. */
    after: duration,
    /** How long a new session, a restarted driver has to show that it helped. */
    reconnect: duration,
    restart: duration,
    /** How long its power is off, and how long it may take to start after that. */
    off: duration.refine((ms) => ms >= 1_000 && ms <= 300_000, 'must be between 1s and 5min'),
    boot: duration,
  })
  .partial();

/** Times by protocol: a camera starts for a minute or two, a meter in seconds. */
const defaults = { after: 30_000, reconnect: 30_000, restart: 60_000, off: 10_000, boot: 90_000 };
const usual: Readonly<Record<string, Partial<typeof defaults>>> = {
  onvif: { reconnect: 60_000, boot: 150_000 },
  broadcast: { boot: 60_000 },
  // A relay that mends itself by switching off everything on it has mended nothing: give it time first.
  modbus: { after: 60_000 },
  mqtt: { after: 300_000, boot: 300_000 },
  snmp: { after: 60_000, boot: 240_000 },
};

export const repairSection = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** Times for every protocol; `protocols` says where one differs. */
    ...times.shape,
    protocols: z.record(z.string(), times).default({}),
    /** Power cycles of one device within 24 h. */
    perDay: z.int().min(0).max(24).default(3),
  })
  .prefault({});

export interface RepairTimes {
  readonly after: number;
  readonly reconnect: number;
  readonly restart: number;
  readonly off: number;
  readonly boot: number;
}

/** What the site file says for a protocol, else what is usual. */
export function repairTimesOf(section: z.infer<typeof repairSection>, protocol: string): RepairTimes {
  const { enabled: _, protocols, perDay: __, ...everywhere } = section;
  const own = Object.hasOwn(protocols, protocol) ? protocols[protocol] : {};
  const known = Object.hasOwn(usual, protocol) ? usual[protocol] : {};
  return { ...defaults, ...known, ...said(everywhere), ...said(own ?? {}) };
}

function said(times: object): Partial<RepairTimes> {
  return Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
}

interface Wired {
  readonly network: { readonly uplink?: Uplink | undefined };
  readonly devices: readonly {
    readonly id: string;
    readonly uplink?: Uplink | undefined;
    readonly power?: PointRef | undefined;
  }[];
}

/** References to devices that do not exist, and switches that hang on themselves. */
export function findBrokenWires(site: Wired): string[] {
  const devices = new Map<string, Wired['devices'][number]>(site.devices.map((device) => [device.id, device]));
  const unknown = (id: string, where: string) => (devices.has(id) ? [] : [`${where}: unknown device "${id}"`]);
  const mistakes = site.network.uplink ? unknown(site.network.uplink.device, 'network.uplink.device') : [];
  site.devices.forEach(({ id, uplink, power }, i) => {
    if (uplink !== undefined) mistakes.push(...unknown(uplink.device, `devices[${i}].uplink.device`));
    const carrier = power === undefined ? undefined : splitPointRef(power)?.device;
    if (carrier !== undefined) mistakes.push(...unknown(carrier, `devices[${i}].power`));
    if (carrier === id) mistakes.push(`devices[${i}].power: "${id}" cannot switch its own power back on`);
    if (upstreamOf(id, (other) => devices.get(other)?.uplink?.device).includes(id)) {
      mistakes.push(`devices[${i}].uplink.device: "${id}" hangs on itself`);
    }
  });
  return mistakes;
}

/** The switches between a device and the rest of the campus, nearest first; ends at one that was seen before. */
export function upstreamOf(device: string, uplinkOf: (device: string) => string | undefined): string[] {
  const path: string[] = [];
  for (let next = uplinkOf(device); next !== undefined && !path.includes(next); next = uplinkOf(next)) path.push(next);
  return path;
}
