import type { Value } from '#edge/domain/reading.ts';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import { expandValues } from '#edge/profiles/expand.ts';
import type { ModbusAddress } from '#edge/profiles/modbus-address.ts';
import { parseModbusAddress } from '#edge/profiles/modbus-address.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { SimTable, SimUnit } from './modbus-server.ts';

const illegalAddress = 2;

interface Cell {
  readonly name: string;
  readonly address: ModbusAddress;
}

/**
 * A register device built from its profile: whatever the profile says is where a value lives, this device keeps it there.
 * Registers between two values read as 0; a request outside all of them is refused with exception 2.
 */
export function profileUnit(profile: Profile, valueNamed: (name: string) => Value): SimUnit {
  if (profile.protocol !== 'modbus') throw new CodedError('SIMULATOR_PROFILE', `${profile.profile} is not Modbus`);
  const cells = expandValues(profile).map(
    ({ name, address }): Cell => ({ name, address: parseModbusAddress(address) }),
  );
  const longest = profile.bus.max;
  return {
    read(table, at, count) {
      const inTable = cells.filter(({ address }) => address.table === table);
      const first = Math.min(...inTable.map(({ address }) => address.at));
      const end = Math.max(...inTable.map(({ address }) => address.at + address.length));
      if (count > longest || at + count > end || at < first) return illegalAddress;
      const image = Buffer.alloc(2 * count);
      for (const { name, address } of inTable) {
        if (address.at + address.length <= at || address.at >= at + count) continue;
        const bytes = encodeRegisters(address.format, address.length, valueNamed(name));
        const from = Math.max(at, address.at);
        const to = Math.min(at + count, address.at + address.length);
        bytes.copy(image, 2 * (from - at), 2 * (from - address.at), 2 * (to - address.at));
      }
      return image;
    },
    write: () => illegalAddress,
  };
}

/**
 * A relay board: coils 0..n-1. Like several real ones it can only be read whole (home-assistant/core#61043).
 * `switched` hears of each channel that is written.
 */
export function relayUnit(channels: boolean[], switched?: (channel: number, on: boolean) => void): SimUnit {
  return {
    read(table: SimTable, at, count) {
      if (table !== 'coil' || at !== 0 || count !== channels.length) return illegalAddress;
      const bytes = Buffer.alloc(Math.ceil(count / 8));
      channels.forEach((on, i) => {
        if (on) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
      });
      return bytes;
    },
    write(at, values) {
      if (Buffer.isBuffer(values) || at + values.length > channels.length) return illegalAddress;
      values.forEach((on, i) => {
        channels[at + i] = on === true;
        switched?.(at + i, on === true);
      });
      return 0;
    },
  };
}
