import type { SensorClient } from './sensor-client.ts';

/*
 * What a Zigbee2MQTT 2.x bridge publishes: bridge state with a last will, the device list, availability per device and
 * one JSON state per device, always complete (its cache), never retained unless told so.
 */

export interface ZigbeeDevice {
  readonly name: string;
  readonly ieee: string;
  readonly model: string;
  /** The device-specific `qos` setting of Zigbee2MQTT: 1 for what guards people. */
  readonly qos: 0 | 1;
  /** The cached state; `action` is never part of it. */
  readonly state: Record<string, number | boolean>;
  /** How often it reports when nothing happens, ms. Faster than a battery would like, so that the demo lives. */
  readonly every: number;
  nextAt: number;
}

export const zigbeeBase = 'zigbee2mqtt';
export const zigbeeWill = { topic: `${zigbeeBase}/bridge/state`, payload: '{"state":"offline"}' };

export function createZigbeeDevices(): ReadonlyMap<string, ZigbeeDevice> {
  const battery = (level: number) => ({ battery: level, linkquality: 120 });
  const smoke = () => ({ smoke: false, tamper: false, battery_low: false, ...battery(97) });
  const climate = () => ({ temperature: 20.5, humidity: 48, ...battery(88) });
  const list: readonly (readonly [string, string, 0 | 1, ZigbeeDevice['state'], number])[] = [
    ['smoke-101', 'HS1SA-E', 1, smoke(), 20_000],
    ['smoke-102', 'HS1SA-E', 1, smoke(), 20_000],
    ['smoke-201', 'HS1SA-E', 1, smoke(), 20_000],
    ['climate-101', 'SNZB-02D', 0, climate(), 10_000],
    ['climate-201', 'SNZB-02D', 0, climate(), 10_000],
    ['climate-203', 'SNZB-02D', 0, climate(), 10_000],
    ['pir-101', 'RTCGQ11LM', 0, { occupancy: false, illuminance: 320, ...battery(91) }, 15_000],
    ['pir-203', 'RTCGQ11LM', 0, { occupancy: false, illuminance: 320, ...battery(94) }, 15_000],
    ['door-gate', 'MCCGQ11LM', 0, { contact: true, ...battery(100) }, 30_000],
    ['leak-kitchen', 'SJCGQ11LM', 0, { water_leak: false, voltage: 3045, ...battery(100) }, 30_000],
    ['button-gatehouse', 'WXKG11LM', 1, { voltage: 2995, ...battery(100) }, 60_000],
  ];
  return new Map(
    list.map(([name, model, qos, state, every], i) => {
      const ieee = `0x00158d00045a${(0x1100 + i).toString(16)}`;
      return [name, { name, ieee, model, qos, state, every, nextAt: 0 }];
    }),
  );
}

/** After every connection: the bridge introduces itself, then sends the cached states. */
export function announceBridge(client: SensorClient, devices: ReadonlyMap<string, ZigbeeDevice>): void {
  const all = [...devices.values()];
  client.publish(`${zigbeeBase}/bridge/state`, { state: 'online' }, { qos: 1, retain: true });
  const info = {
    version: '2.6.0',
    coordinator: { type: 'zStack3x0', ieee_address: '0x00124b0024c0ffee' },
    permit_join: false,
  };
  client.publish(`${zigbeeBase}/bridge/info`, info, { retain: true });
  const list = all.map(({ name, ieee, model }) => ({
    friendly_name: name,
    ieee_address: ieee,
    type: 'EndDevice',
    power_source: 'Battery',
    definition: { model, exposes: [] },
  }));
  client.publish(`${zigbeeBase}/bridge/devices`, list, { retain: true });
  for (const device of all) {
    client.publish(`${zigbeeBase}/${device.name}/availability`, { state: 'online' }, { qos: 1, retain: true });
    publishState(client, device);
  }
}

export function publishState(client: SensorClient, device: ZigbeeDevice, more: Record<string, string> = {}): void {
  client.publish(`${zigbeeBase}/${device.name}`, { ...device.state, ...more }, { qos: device.qos });
}
