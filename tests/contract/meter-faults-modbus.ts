import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Driver, Session } from '#edge/drivers/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { meterFaultKinds } from '#edge/simulators/meter-faults.ts';
import { modbusFaults } from '#edge/simulators/modbus-faults.ts';
import { type SimFault, type SimTable, type SimUnit, startModbusServer } from '#edge/simulators/modbus-server.ts';
import {
  type FaultKind,
  judge,
  judgeWrite,
  type Lab,
  type LabLine,
  meterFault,
  never,
  patience,
  quiet,
  type Subject,
  Weather,
} from './meter-faults-lab.ts';
import { startTerminals } from './meter-faults-terminals.ts';

/* Modbus slaves whose registers say whose they are and count the requests, behind TCP, RTU over TCP and serial ports. */

export const host = '127.0.0.1';
/** Odd ones: a stranger says that it is the unit after the one that was asked, and there must be no second one of that id. */
export const units = [1, 3, 5, 7] as const;
/** Blocks of one shape: an RTU answer to one could be taken for that to another. */
export const blocks = [
  ['holding', 0],
  ['holding', 100],
  ['input', 0],
  ['input', 100],
] as const satisfies readonly (readonly [SimTable, number])[];
const outputAt = 300;
const coilAt = 7;

/** What the second register of a block says. */
export const markOf = (table: SimTable, at: number) => at + (table === 'input' ? 10_000 : 20_000);

export const profile = checkProfileShape({
  profile: 'numbered',
  name: { zh: '编号', en: 'Numbered' },
  kind: 'meter',
  protocol: 'modbus',
  bus: { gap: 0 },
  values: {
    ...Object.fromEntries(
      blocks.flatMap(([table, at]) => [
        [`unit_${table}_${at}`, { fc: table, at, as: 'u16' }],
        [`mark_${table}_${at}`, { fc: table, at: at + 1, as: 'u16' }],
        [`number_${table}_${at}`, { fc: table, at: at + 2, as: 'u32' }],
      ]),
    ),
    output: {
      at: outputAt,
      as: 'u16',
      write: { fc: 6, fail_safe: 'keep', verify: { after: '1ms', within: '500ms', retry: 1 } },
    },
    coil: {
      fc: 'coil',
      at: coilAt,
      write: { fc: 5, fail_safe: 'keep', verify: { after: '1ms', within: '500ms', retry: 1 } },
    },
  },
  test: [{ value: 'unit_holding_0', hex: '0001', is: 1 }],
});

/** What a slave had lately, newest last: what is read must be among what it had while it was asked. */
export class Held {
  #values: readonly Value[];

  constructor(first: Value) {
    this.#values = [first];
  }

  get now(): Value {
    return this.#values.at(-1) ?? 0;
  }

  set(value: Value): void {
    this.#values = [...this.#values, value];
  }

  /** Forgets what it had before the value it has now. */
  begin(): void {
    this.#values = this.#values.slice(-1);
  }

  had(value: Value | null): boolean {
    return value !== null && this.#values.includes(value);
  }

  toString(): string {
    return `it had ${JSON.stringify(this.#values)}`;
  }
}

export interface Slave {
  /** Requests that its line has heard. */
  readonly asked: () => number;
  /** null: it has no outputs. */
  readonly held: { readonly output: Held; readonly coil: Held } | null;
}

interface SimSlave extends Slave {
  readonly unit: SimUnit;
}

/** One device of the lab: unit, mark and number in every block, an output and a coil that remember what they were. */
function numberedSlave(unit: number, asked: () => number): SimSlave {
  const held = { output: new Held(unit * 1000), coil: new Held(false) };
  return {
    asked,
    held,
    unit: {
      read(table, at, count) {
        if (table === 'coil') return Buffer.from([held.coil.now === true ? 1 : 0]);
        const image = Buffer.alloc(2 * count);
        if (at === outputAt) {
          image.writeUInt16BE(Number(held.output.now), 0);
          return image;
        }
        image.writeUInt16BE(unit, 0);
        image.writeUInt16BE(markOf(table, at), 2);
        image.writeUInt32BE(asked(), 4);
        return image;
      },
      write(at, values) {
        if (Buffer.isBuffer(values)) held.output.set(values.readUInt16BE(0));
        else held.coil.set(values[0] === true);
        return at === outputAt || at === coilAt ? 0 : 2;
      },
    },
  };
}

export interface Opening {
  readonly driver: Driver<unknown>;
  readonly stack: AsyncDisposableStack;
  readonly address: object;
  readonly unit: number;
  readonly slave: Slave;
  readonly name: string;
}

/** Opens the device through the driver: reads block by block, writes now and then. */
export async function openSubject({ driver, stack, address, unit, slave, name }: Opening): Promise<Subject> {
  const device: Device = {
    id: `${name.replaceAll(/[^a-z0-9]+/g, '-')}-${unit}` as DeviceId,
    name: { zh: '表', en: 'Meter' },
    profile: 'meter/numbered',
    protocol: 'modbus',
    zone: 'zone' as ZoneId,
    points: pointsOf(profile, { fast: 1_000, normal: 1_000, slow: 1_000 }),
    address: { ...address, unit, ...patience },
  };
  const config = driver.config.parse(device.address);
  const session = stack.use(await driver.open(device, config, quiet, never));
  const pointsIn = (suffix: string) => device.points.filter((point) => point.name.endsWith(suffix));
  const readers = blocks.map(([table, at]) => {
    const points = pointsIn(`_${table}_${at}`);
    return () => readBlock(session, points, slave, { unit, mark: markOf(table, at) });
  });
  const { held } = slave;
  let turns = unit;
  const turn = async () => {
    turns++;
    if (held === null || turns % 8 > 1) return (readers[turns % blocks.length] ?? readers[0])?.() ?? 'bad';
    const [point, has] = turns % 16 > 7 ? (['output', held.output] as const) : (['coil', held.coil] as const);
    if (turns % 8 === 0) return readHeld(session, pointsIn(point), has);
    return write(session, device, point, has, point === 'coil' ? has.now !== true : unit * 1000 + (turns % 1000));
  };
  return { name: `${name} unit ${unit}`, turn };
}

type Shown = { readonly unit: number; readonly mark: number };

async function readBlock(session: Session, points: readonly Point[], slave: Slave, shown: Shown) {
  const before = slave.asked();
  const samples = await session.read(points, never);
  const after = slave.asked();
  return judge(
    samples,
    ({ point, value }: Sample) => {
      if (point.startsWith('unit')) return value === shown.unit;
      if (point.startsWith('mark')) return value === shown.mark;
      return Number(value) > before && Number(value) <= after;
    },
    () => `unit ${shown.unit}, mark ${shown.mark}, requests ${before + 1}..${after}`,
  );
}

async function readHeld(session: Session, points: readonly Point[], held: Held) {
  held.begin();
  return judge(
    await session.read(points, never),
    ({ value }) => held.had(value),
    () => held.toString(),
  );
}

async function write(session: Session, device: Device, point: string, held: Held, value: Value) {
  const now = systemClock.now();
  const command: Command = {
    id: newHappeningId(systemClock),
    device: device.id,
    point: point as PointName,
    value,
    priority: 8,
    issued: now,
    expires: now + 5_000,
    until: null,
  };
  const result = await session.write?.(command, never);
  return result === undefined ? 'bad' : judgeWrite(command, result, held.now);
}

export const modbusKinds: readonly FaultKind[] = [...meterFaultKinds, 'exception', '0x0B'];
/** A serial line has no connection that could be half open, and no gateway. */
export const serialKinds: readonly FaultKind[] = [
  ...meterFaultKinds.filter((kind) => kind !== 'half-open' && kind !== 'reset' && kind !== 'close'),
  'exception',
  'unplugged',
];

/** `isChecked`: the gateway has checked what it heard. `unplug`: pulls the serial port out. */
export function simFault(weather: Weather, n: number, isChecked: boolean, unplug?: () => void): SimFault | null {
  const drawn = weather.draw();
  if (drawn === null) return null;
  if (drawn.kind === 'unplugged') {
    unplug?.();
    return { kind: 'dropped' };
  }
  // Modbus TCP has no checksum of its own: what collides behind a gateway never leaves it.
  if (drawn.kind === '0x0B' || (drawn.kind === 'collision' && isChecked)) return { kind: 'exception', code: 0x0b };
  // Failed, or busy.
  if (drawn.kind === 'exception') return { kind: 'exception', code: n % 2 === 0 ? 4 : 6 };
  return modbusFaults(() => meterFault(drawn))({ n });
}

export type Way = 'tcp' | 'rtuOverTcp' | 'serial';
const names = { tcp: 'Modbus TCP', rtuOverTcp: 'RTU over TCP', serial: 'RTU on a serial port' } as const;

export async function startModbusLab(way: Way, seed: number, count: number): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const protocol = names[way];
  const plugs: { unplug(index: number): void } = { unplug: () => {} };
  const servers = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const weather = new Weather(seed + index);
      const slaves = units.map((unit) => ({ id: unit, ...numberedSlave(unit, () => server.stats.requests) }));
      const server = await startModbusServer({
        host,
        port: 0,
        framing: way === 'tcp' ? 'mbap' : 'rtu',
        units: new Map(slaves.map(({ id, unit }) => [id, unit])),
        fault: ({ n }) => simFault(weather, n, way === 'tcp', () => plugs.unplug(index)),
      });
      stack.use(server);
      return { weather, slaves, port: server.port };
    }),
  );
  const terminals = way === 'serial' ? stack.use(await startTerminals(servers.map(({ port }) => port))) : null;
  if (terminals !== null) plugs.unplug = terminals.unplug;
  const buses = stack.use(createBuses({ clock: systemClock, reconnect: { first: 20, cap: 200 } }));
  const driver = createModbusDriver({ clock: systemClock, profiles: new Map([['meter/numbered', profile]]), buses });
  const lines = await Promise.all(
    servers.map(async ({ weather, slaves, port }, index): Promise<LabLine> => {
      const path = terminals?.paths[index];
      const address = path === undefined ? { [way]: { host, port } } : { serial: { path, baud: 115_200 } };
      const name = `${protocol} ${index}`;
      const subjects = slaves.map((slave) => openSubject({ driver, stack, address, unit: slave.id, slave, name }));
      return { weather, subjects: await Promise.all(subjects) };
    }),
  );
  const owned = stack.move();
  const kinds = { tcp: modbusKinds, rtuOverTcp: modbusKinds.filter((kind) => kind !== '0x0B'), serial: serialKinds }[
    way
  ];
  return { protocol, kinds, lines, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
