import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import { expandValues } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { parseModbusAddress } from '#edge/profiles/modbus-address.ts';
import { composed, type Order } from '#edge/profiles/plausibility-readings.ts';
import type { SimTable, SimUnit } from '#edge/simulators/modbus-server.ts';

/* Meters with mistakes, and the `campus` command that is to find them out. */

const root = join(import.meta.dirname, '../..');
export const shelf = await loadProfiles(join(root, 'device-profiles'));
export const host = '127.0.0.1';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a technician does. */
export function campus(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const words = [join(root, 'edge/cli/main.ts'), ...args, '--lang', 'en'];
    execFile(process.execPath, words, { timeout: 80_000, maxBuffer: 10_000_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
    });
  });
}

/** A load of 3.3 kW, as the profile's points would say it. */
export const load: Readonly<Record<string, number>> = {
  voltage: 230.2,
  voltage_l1: 230.2,
  voltage_l2: 231.5,
  voltage_l3: 229.8,
  current: 4.6,
  current_l1: 4.6,
  current_l2: 5.01,
  current_l3: 5.52,
  power_l1: 1_006,
  power_l2: 1_102,
  power_l3: 1_205,
  power: 3_313,
  apparent_power: 3_487,
  reactive_power: 1_088,
  power_factor: 0.95,
  frequency: 50.01,
  energy_import: 12_345.5,
  energy_export: 0,
  energy_total: 12_345.5,
};

export interface Mistakes {
  readonly order?: Order;
  readonly shift?: number;
  readonly isOtherTable?: boolean;
  readonly values?: Readonly<Record<string, number>>;
}

const other = (table: SimTable): SimTable => (table === 'holding' ? 'input' : 'holding');

/** A meter of this profile as its maker built it, which the profile has wrong. Numbers may be functions of when they are asked. */
export function meterUnit(
  path: string,
  mistakes: Mistakes = {},
  live: (name: string) => number | undefined = () => undefined,
): SimUnit {
  const profile = shelf.profiles.get(path);
  if (profile === undefined) throw new Error(`no profile ${path}`);
  const { order = 'ABCD', shift = 0, isOtherTable = false, values = {} } = mistakes;
  const cells = expandValues(profile).map(({ name, type, address }) => ({
    name,
    type,
    address: parseModbusAddress(address),
  }));
  return {
    read(table, at, count) {
      const image = Buffer.alloc(2 * count);
      let isThere = false;
      for (const { name, type, address } of cells) {
        const own = isOtherTable ? other(address.table) : address.table;
        const first = address.at + shift;
        if (own !== table || first + address.length <= at || first >= at + count) continue;
        const format = { ...address.format, order: composed(address.format.order, order) };
        const value = live(name) ?? values[name] ?? load[name] ?? 0;
        const bytes = encodeRegisters(format, address.length, type === 'number' ? value : '12345678');
        const from = Math.max(at, first);
        bytes.copy(
          image,
          2 * (from - at),
          2 * (from - first),
          2 * (Math.min(at + count, first + address.length) - first),
        );
        isThere = true;
      }
      return isThere ? image : 2;
    },
    write: () => {
      throw new Error('a device that is only tried was written to');
    },
  };
}
