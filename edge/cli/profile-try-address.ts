import type { Profile } from '#edge/profiles/profile.ts';
import { usage } from './command.ts';

/* Where a device is, as a person types it: tcp://10.0.3.7:502/1, dlt645+serial:///dev/ttyUSB0/000000123456?parity=even. */

export interface Place {
  /** `dlt645+tcp://` says it; null: the profile does. */
  readonly protocol: 'modbus' | 'dlt645' | 'cjt188' | null;
  readonly way: 'tcp' | 'rtu' | 'serial';
  readonly host: string;
  readonly port: number;
  /** Serial port. */
  readonly path: string;
  /** Unit or number of the meter; '' where none is given. */
  readonly unit: string;
  readonly query: Readonly<Record<string, string>>;
}

const shape =
  /^(?:(modbus|dlt645|cjt188)\+)?(?:(tcp|rtu\+tcp):\/\/(\[[0-9a-f:.%]+\]|[^/:?#\s]+)(?::(\d{1,5}))?|(serial):\/\/(\/[^?#\s]+?))(?:\/([0-9A-Fa-f]+))?\/?(?:\?(.*))?$/;
const known = ['baud', 'parity', 'data_bits', 'stop_bits', 'timeout', 'variant', 'type', 'operator'] as const;

/** Throws USAGE naming what cannot be understood. */
export function parsePlace(text: string): Place {
  const [, named, tcp, host = '', port, serial, path = '', unit = '', query = ''] = shape.exec(text) ?? [];
  const protocol = named === 'modbus' || named === 'dlt645' || named === 'cjt188' ? named : null;
  if (tcp === undefined && serial === undefined) {
    throw usage(
      `"${text}" is no address such as tcp://10.0.3.7:502/1, rtu+tcp://10.0.3.7:4001/1?baud=9600 or serial:///dev/ttyUSB0/1`,
    );
  }
  const options = Object.fromEntries(new URLSearchParams(query));
  const strange = Object.keys(options).find((key) => !known.some((one) => one === key));
  if (strange !== undefined) throw usage(`"${strange}" in the address is none of ${known.join(', ')}`);
  const isMeter = protocol === 'dlt645' || protocol === 'cjt188';
  if (tcp !== undefined && port === undefined && (isMeter || tcp === 'rtu+tcp')) {
    throw usage(`"${text}" needs the port of the serial server: ${host}:4001`);
  }
  const number = Number(port ?? 502);
  if (number < 1 || number > 65_535) throw usage(`port ${number} is not between 1 and 65535`);
  const way = serial !== undefined ? 'serial' : tcp === 'rtu+tcp' ? 'rtu' : 'tcp';
  return { protocol, way, host, port: number, path, unit, query: options };
}

function numberIn(query: Place['query'], key: string): number | undefined {
  const text = query[key];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw usage(`${key}=${text} is no number`);
  return Number(text);
}

const defined = (all: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));

function serialOf({ path, query }: Place): Record<string, unknown> {
  return defined({
    path,
    baud: numberIn(query, 'baud'),
    parity: query.parity,
    dataBits: numberIn(query, 'data_bits'),
    stopBits: numberIn(query, 'stop_bits'),
  });
}

/** `device.address` of a site file for it. Throws USAGE when it does not fit the profile's protocol. */
export function addressFor(place: Place, protocol: Profile['protocol']): Record<string, unknown> {
  const { way, host, port, unit, query } = place;
  if (protocol !== 'modbus' && protocol !== 'dlt645' && protocol !== 'cjt188') {
    throw usage(`a ${protocol} device is tried with: campus device try PROFILE --address JSON`);
  }
  if (place.protocol !== null && place.protocol !== protocol) {
    throw usage(`the address says ${place.protocol}, but the profile is one of ${protocol}`);
  }
  const timeout = query.timeout;
  if (protocol === 'modbus') {
    const modbusUnit = unit === '' ? 1 : /^\d+$/.test(unit) ? Number(unit) : Number.NaN;
    if (!Number.isInteger(modbusUnit) || modbusUnit > 255) throw usage(`unit "${unit}" is not 1..247`);
    const common = defined({ unit: modbusUnit, timeout, variant: query.variant });
    if (way === 'serial') return { serial: serialOf(place), ...common };
    const tcp = { host, port };
    return way === 'tcp'
      ? { tcp, ...common }
      : { rtuOverTcp: defined({ ...tcp, baud: numberIn(query, 'baud') }), ...common };
  }
  const anybody = protocol === 'dlt645' ? 'AAAAAAAAAAAA' : 'AAAAAAAAAAAAAA';
  const own = defined({
    meter: unit === '' ? anybody : unit.toUpperCase(),
    timeout,
    ...(protocol === 'dlt645' ? { operator: query.operator } : { type: numberIn(query, 'type') }),
  });
  if (way === 'serial') return { serial: serialOf(place), ...own };
  return { tcp: defined({ host, port, baud: numberIn(query, 'baud') }), ...own };
}
