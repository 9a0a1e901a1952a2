import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import type { FlowFace } from '#edge/simulators/meter-cjt188.ts';
import type { ElectricFace } from '#edge/simulators/meter-electric.ts';
import type { MeterFault, MeterFaults } from '#edge/simulators/meter-faults.ts';
import type { MeterLine } from '#edge/simulators/meter-line.ts';

/* What the contract tests of DL/T 645 and CJ/T 188 share: profiles, faces that number their answers, devices. */

export const host = '127.0.0.1';

export const electricProfile = checkProfileShape({
  profile: 'electric',
  name: { zh: '电表', en: 'Electricity meter' },
  kind: 'meter',
  protocol: 'dlt645',
  values: {
    energy: { at: '00010000', scale: 0.01, unit: 'kWh', block: '0001FF00' },
    energy_peak: { at: '00010200', scale: 0.01, unit: 'kWh', block: '0001FF00', index: 2 },
    voltage: { at: '02010100', length: 2, scale: 0.1, unit: 'V', phases: 3, block: '0201FF00' },
    current: { at: '02020100', length: 3, scale: 0.001, unit: 'A', phases: 3, block: '0202FF00', signed: true },
    power: { at: '02030000', length: 3, scale: 0.0001, unit: 'kW', signed: true },
    serial: { at: '04000402', length: 6, as: 'digits', poll: 'once' },
    relay: {
      at: '04000503',
      length: 2,
      as: 'bits',
      bit: 4,
      invert: true,
      write: { command: 'relay', on: '1C', verify: { after: '10ms', within: '500ms' } },
    },
  },
  test: [{ value: 'energy', hex: '42 06 12 00', is: 1206.42 }],
});

export const waterProfile = checkProfileShape({
  profile: 'water',
  name: { zh: '水表', en: 'Water meter' },
  kind: 'water',
  protocol: 'cjt188',
  bus: { type: 0x10 },
  values: {
    volume: { at: 'total', unit: 'm³' },
    time: { at: 'time' },
    battery_low: { at: 'status', bit: 2 },
  },
  test: [{ value: 'volume', hex: '00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84', is: 556677 }],
});

export const heatProfile = checkProfileShape({
  profile: 'heat',
  name: { zh: '热量表', en: 'Heat meter' },
  kind: 'heat',
  protocol: 'cjt188',
  bus: { type: 0x20, di_order: '901F' },
  values: {
    heat: { at: 'energy', unit: 'kWh' },
    volume: { at: 'total', unit: 'm³' },
    supply: { at: 'supply', unit: '°C' },
    return: { at: 'return', unit: '°C' },
    hours: { at: 'hours', unit: 'h' },
  },
  test: [{ value: 'supply', hex: `${'00 '.repeat(25)}35 25 00${' 00'.repeat(15)}`, is: 25.35 }],
});

export const profiles: ReadonlyMap<string, Profile> = new Map([
  ['x/electric', electricProfile],
  ['x/water', waterProfile],
  ['x/heat', heatProfile],
]);

export function deviceOf(path: string, address: object, id = 'meter'): Device {
  const profile = profiles.get(path);
  if (profile === undefined) throw new Error(`no profile ${path}`);
  return {
    id: id as DeviceId,
    name: { zh: '表', en: 'Meter' },
    profile: path,
    protocol: profile.protocol,
    zone: 'zone' as ZoneId,
    points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
}

/** A face whose energy counts the answers of its meter: 0.01 kWh each, the tariffs 1,000 kWh apart. */
export function countingFace(): ElectricFace & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    serial: '202611220001',
    voltage: [230.1, 230.2, 230.3],
    current: [1, -2, 3],
    power: [230, -460, 690],
    powerFactor: 0.95,
    frequency: 50,
    energy: (rate) => (rate === 0 ? ++count : count) + rate * 100_000,
    settled: () => undefined,
    frozen: () => undefined,
    freeze: () => {},
    demand: { kilowatts: 1, time: 0 },
  };
}

/** A water meter whose volume counts its answers: 0.01 m3 each. */
export function countingFlow(): FlowFace & { readonly count: number } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    volume: () => ++count,
    settled: () => 0,
  };
}

/** Breaks the next answer only. */
export function breakOnce(line: MeterLine, fault: MeterFault): void {
  let isDone = false;
  const faults: MeterFaults = () => {
    if (isDone) return null;
    isDone = true;
    return fault;
  };
  line.fault(faults);
}
