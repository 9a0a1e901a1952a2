/*
 * The address of a device as a form: every field of the profile's example becomes an input with a label, `tcp.host` below
 * `tcp`. What the example does not have can be added as JSON. Pure.
 */

export type Address = Readonly<Record<string, unknown>>;

export interface Field {
  /** `tcp.host` */
  readonly path: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'secret';
}

const secret = /pass|secret|token/i;
/** An address is a few fields deep; deeper is not one. */
const deepest = 4;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of an example, in its order; lists are left to JSON. */
export function fieldsOf(example: Address, above = '', depth = 0): Field[] {
  return Object.entries(example).flatMap(([key, value]): Field[] => {
    const path = above === '' ? key : `${above}.${key}`;
    if (isObject(value)) return depth < deepest ? fieldsOf(value, path, depth + 1) : [];
    if (typeof value === 'number') return [{ path, kind: 'number' }];
    if (typeof value === 'boolean') return [{ path, kind: 'boolean' }];
    if (typeof value === 'string') return [{ path, kind: secret.test(key) ? 'secret' : 'text' }];
    return [];
  });
}

/** What stands at `tcp.host`; undefined when nothing does. */
export function valueAt(address: Address, path: string): unknown {
  let at: unknown = address;
  for (const key of path.split('.')) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** A copy with another value at `tcp.host`. */
export function withValue(address: Address, path: string, value: unknown): Address {
  const [key = '', ...rest] = path.split('.');
  if (rest.length === 0) return { ...address, [key]: value };
  const below = address[key];
  return { ...address, [key]: withValue(isObject(below) ? below : {}, rest.join('.'), value) };
}

/** A copy without what is empty (a password that is not needed, a port left to its default), and without what is then empty. */
export function withoutEmpty(address: Address): Address {
  return Object.fromEntries(
    Object.entries(address).flatMap(([key, value]) => {
      if (value === '' || value === null || value === undefined) return [];
      if (!isObject(value)) return [[key, value] as const];
      const rest = withoutEmpty(value);
      return Object.keys(rest).length === 0 ? [] : [[key, rest] as const];
    }),
  );
}

/** An address that somebody typed as JSON; null when it is none. */
export function parseAddress(text: string): Address | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** How a Modbus device is reached; each has an address of its own shape. */
export const modbusWays = ['tcp', 'rtuOverTcp', 'serial'] as const;
export type ModbusWay = (typeof modbusWays)[number];

const wayExamples: Readonly<Record<ModbusWay, Address>> = {
  tcp: { tcp: { host: '', port: 502 }, unit: 1 },
  rtuOverTcp: { rtuOverTcp: { host: '', port: 502, baud: 9_600 }, unit: 1 },
  serial: { serial: { path: '/dev/ttyUSB0', baud: 9_600, dataBits: 8, parity: 'none', stopBits: 1 }, unit: 1 },
};

export function wayOf(address: Address): ModbusWay | null {
  return modbusWays.find((way) => Object.hasOwn(address, way)) ?? null;
}

/** The address for another way, keeping the unit and, where both have it, the host. */
export function inWay(address: Address, way: ModbusWay): Address {
  const before = wayOf(address);
  const host = before === null ? undefined : valueAt(address, `${before}.host`);
  const moved =
    typeof host === 'string' && way !== 'serial' ? withValue(wayExamples[way], `${way}.host`, host) : wayExamples[way];
  return { ...moved, unit: address.unit ?? 1 };
}

/** Hosts of examples are of nobody (RFC 5737): they are shown as hints, not as values. */
export function blankExample(example: Address): Address {
  return Object.fromEntries(
    Object.entries(example).map(([key, value]) => {
      if (isObject(value)) return [key, blankExample(value)];
      return [key, typeof value === 'string' && /^(192\.0\.2|198\.51\.100|203\.0\.113)\./.test(value) ? '' : value];
    }),
  );
}

/** `电表 一层` has no letters an id may have; `Meter 1F` becomes `meter-1f`. */
export function idFrom(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 63);
}

export const idPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
