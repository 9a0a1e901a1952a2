import { z } from 'zod';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { DeviceEntry, Registry } from './registry.ts';

/* `devices[].address` of devices that speak MQTT themselves: which convention, and what they are called in it. */

const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^+#\p{Cc}]*$/u, 'must not contain + or # or control characters');

const schemas = {
  /** Friendly name, which may contain `/`; `base` is the bridge's base topic. */
  zigbee2mqtt: z.strictObject({ zigbee2mqtt: name, base: name.default('zigbee2mqtt') }),
  /** Its topic, which may contain `/`. */
  tasmota: z.strictObject({ tasmota: name }),
  /** Node id of its discovery topics, or one of the device's identifiers. */
  homeassistant: z.strictObject({ homeassistant: name }),
  /** Speaks our plain JSON. */
  json: z.strictObject({ json: z.literal(true) }),
} as const;

export type SensorAddress =
  | { readonly convention: 'zigbee2mqtt'; readonly name: string; readonly base: string }
  | { readonly convention: 'tasmota'; readonly topic: string }
  | { readonly convention: 'homeassistant'; readonly id: string }
  | { readonly convention: 'json' };

/** Throws INGEST_ADDRESS naming the device and the key that is wrong. */
export function parseSensorAddress(device: Pick<Device, 'id' | 'address'>): SensorAddress {
  const { address } = device;
  const keys = typeof address === 'object' && address !== null ? Object.keys(address) : [];
  const conventions = Object.keys(schemas).filter((key) => keys.includes(key));
  if (conventions.length !== 1) {
    const wanted = Object.keys(schemas).join(', ');
    throw new CodedError('INGEST_ADDRESS', `device ${device.id}: address must have exactly one of ${wanted}`);
  }
  const check = <T extends z.ZodType>(schema: T): z.output<T> => {
    const result = schema.safeParse(address);
    if (result.success) return result.data;
    throw new CodedError('INGEST_ADDRESS', `device ${device.id}: address.${describeIssues(result.error)}`);
  };
  switch (conventions[0]) {
    case 'zigbee2mqtt': {
      const checked = check(schemas.zigbee2mqtt);
      return { convention: 'zigbee2mqtt', name: checked.zigbee2mqtt, base: checked.base };
    }
    case 'tasmota':
      return { convention: 'tasmota', topic: check(schemas.tasmota).tasmota };
    case 'homeassistant':
      return { convention: 'homeassistant', id: check(schemas.homeassistant).homeassistant };
    default:
      check(schemas.json);
      return { convention: 'json' };
  }
}

export interface Names {
  readonly zigbee: { readonly base: string; readonly name: string; readonly entry: DeviceEntry }[];
  readonly tasmota: { readonly topic: string; readonly entry: DeviceEntry }[];
  readonly homeassistant: { readonly id: string; readonly entry: DeviceEntry }[];
}

/** Who is called what in which convention. A name that two devices claim belongs to the first. */
export function readAddresses(registry: Registry): { names: Names; broken: { device: DeviceId; message: string }[] } {
  const names: Names = { zigbee: [], tasmota: [], homeassistant: [] };
  const broken: { device: DeviceId; message: string }[] = [];
  const taken = new Map<string, DeviceId>();
  for (const entry of registry.entries()) {
    const { device } = entry;
    if (device.protocol !== 'mqtt') continue;
    try {
      const address = parseSensorAddress(device);
      const key = nameOf(address);
      const other = key === null ? undefined : taken.get(key);
      if (other !== undefined) {
        broken.push({ device: device.id, message: `device ${device.id}: "${key}" belongs to ${other} already` });
        continue;
      }
      if (key !== null) taken.set(key, device.id);
      if (address.convention === 'zigbee2mqtt') names.zigbee.push({ base: address.base, name: address.name, entry });
      if (address.convention === 'tasmota') names.tasmota.push({ topic: address.topic, entry });
      if (address.convention === 'homeassistant') names.homeassistant.push({ id: address.id, entry });
    } catch (error) {
      broken.push({ device: device.id, message: messageOf(error) });
    }
  }
  return { names, broken };
}

function nameOf(address: SensorAddress): string | null {
  switch (address.convention) {
    case 'zigbee2mqtt':
      return `${address.base}/${address.name}`;
    case 'tasmota':
      return `tasmota ${address.topic}`;
    case 'homeassistant':
      return `homeassistant ${address.id}`;
    case 'json':
      return null;
  }
}
