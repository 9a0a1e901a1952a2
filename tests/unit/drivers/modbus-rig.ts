import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import type { LearnedFacts } from '#edge/drivers/modbus/learned.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { SimFault, SimRequest, SimUnit } from '#edge/simulators/modbus-server.ts';
import { startModbusServer } from '#edge/simulators/modbus-server.ts';

/* One device of the real driver, against one device that answers over a real socket as it is told. */

const host = '127.0.0.1';
const never = new AbortController().signal;

export interface Rig extends AsyncDisposable {
  readonly session: Session;
  readonly points: readonly Point[];
  readonly asked: string[];
  readonly told: Sample[];
  readonly states: string[];
  fault: ((request: SimRequest) => SimFault | null) | null;
  values(names?: readonly string[]): Promise<Record<string, readonly unknown[]>>;
  write(point: string, value: Value, expires?: number): ReturnType<NonNullable<Session['write']>>;
}

export interface RigOptions {
  readonly framing?: 'mbap' | 'rtu';
  readonly learned?: LearnedFacts;
  /** More of the address. */
  readonly address?: object;
}

export async function makeRig(profile: Profile, unit: SimUnit, options: RigOptions = {}): Promise<Rig> {
  const { framing = 'mbap', learned } = options;
  const asked: string[] = [];
  const told: Sample[] = [];
  const states: string[] = [];
  const rig: { fault: Rig['fault'] } = { fault: null };
  const server = await startModbusServer({
    host,
    port: 0,
    framing,
    units: new Map([[1, unit]]),
    fault: (request) => {
      asked.push(`${request.fc}:${request.at}+${request.count}`);
      return rig.fault?.(request) ?? null;
    },
  });
  const profiles = new Map([['x/y', profile]]);
  const driver = createModbusDriver({ clock: systemClock, profiles, ...(learned === undefined ? {} : { learned }) });
  const way = framing === 'mbap' ? 'tcp' : 'rtuOverTcp';
  const device: Device = {
    id: 'd' as DeviceId,
    name: { zh: '设备', en: 'Device' },
    profile: 'x/y',
    protocol: 'modbus',
    zone: 'z' as ZoneId,
    points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    // The port is another one each time and is no part of what a test wants to know.
    address: { [way]: { host, port: server.port }, unit: 1, timeout: '150ms', lateWindow: '50ms', ...options.address },
  };
  const sink: Sink = {
    sample: (sample) => told.push(sample),
    event: () => {},
    health: (state, message) => states.push(`${state}: ${message}`),
    count: () => {},
  };
  const session = await driver.open(device, driver.config.parse(device.address), sink, never);
  return Object.assign(rig, {
    session,
    points: device.points,
    asked,
    told,
    states,
    async values(names?: readonly string[]) {
      const points = device.points.filter(({ name }) => names === undefined || names.includes(name));
      const samples = await session.read(points, never);
      return Object.fromEntries(samples.map(({ point, value, quality, reason }) => [point, [value, quality, reason]]));
    },
    write(point: string, value: Value, expires = systemClock.now() + 10_000) {
      const command: Command = {
        id: newHappeningId(systemClock),
        device: device.id,
        point: point as PointName,
        value,
        priority: 8,
        issued: systemClock.now(),
        expires,
        until: null,
      };
      return session.write?.(command, never) ?? Promise.reject(new Error('cannot write'));
    },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  });
}

/** A profile of these values. */
export const shape = (values: object, more: object = {}) =>
  checkProfileShape({
    profile: 'y',
    name: { zh: '设备', en: 'Device' },
    kind: 'meter',
    protocol: 'modbus',
    values,
    test: [{ value: Object.keys(values)[0], hex: '0001', is: 1 }],
    ...more,
  });

/** Registers 0..n, each holding its own address, with some that do not exist. */
export const registers = (missing: readonly number[], longest = 125): SimUnit => ({
  read: (_table, at, count) => {
    const all = Array.from({ length: count }, (_, i) => at + i);
    if (count > longest || all.some((address) => missing.includes(address))) return 2;
    const bytes = Buffer.alloc(2 * count);
    for (const [i, address] of all.entries()) bytes.writeUInt16BE(address, 2 * i);
    return bytes;
  },
  write: () => 0,
});
