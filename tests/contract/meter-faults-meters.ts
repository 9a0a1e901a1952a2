import type { Device } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import type { Driver, Session } from '#edge/drivers/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter, type Dlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import { meterFaultKinds } from '#edge/simulators/meter-faults.ts';
import { type LineMeter, startMeterLine } from '#edge/simulators/meter-line.ts';
import {
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
import { countingFace, countingFlow, deviceOf, host, profiles } from './meter-rig.ts';

/* DL/T 645 and CJ/T 188 meters whose registers say whose they are, which one it is, and count the answers. */

const clock = systemClock;
const metersOnLine = 4;
/** In the last digit: meter 3 shows 300,000.00 and more, its tariff 2 320,000.00 and more. */
const ofMeter = 10_000_000;
const ofTariff = 1_000_000;

interface Slave {
  readonly meter: LineMeter;
  open(device: Device, session: Session): Omit<Subject, 'name'>;
}

/** Even ones: what a stranger's number is made of (the last digit, odd) is nobody's here, or two would have one number. */
const lastDigit = (index: number) => String(2 * index);

function electricSlave(index: number): Slave & { readonly number: string } {
  const number = lastDigit(index).padStart(12, '0');
  const counter = countingFace();
  const volts = [200, 210, 220].map((volt) => volt + index);
  const face = {
    ...counter,
    voltage: [volts[0] ?? 0, volts[1] ?? 0, volts[2] ?? 0] as const,
    energy: (tariff: number) => {
      if (tariff === 0) counter.energy(0);
      return index * ofMeter + tariff * ofTariff + counter.count;
    },
  };
  const meter = createDlt645Meter({ clock, face, address: number, model: 'M1', password: '123456' });
  const energyOf = (value: unknown, tariff: number) =>
    Math.round(Number(value) * 100) - index * ofMeter - tariff * ofTariff;
  const open = (device: Device, session: Session) => {
    const sets = [['energy'], ['energy', 'energy_peak'], ['voltage_l2'], ['energy_peak'], ['relay']].map((names) =>
      device.points.filter(({ name }) => names.includes(name)),
    );
    const read = async (turns: number) => {
      const before = counter.count;
      const relay = meter.relay() === 'closed';
      const samples = await session.read(sets[turns % sets.length] ?? [], never);
      return judge(
        samples,
        ({ point, value }: Sample) => {
          if (point === 'relay') return value === relay;
          if (point === 'voltage_l2') return value === volts[1];
          const count = energyOf(value, point === 'energy' ? 0 : 2);
          return count >= before + (point === 'energy' ? 1 : 0) && count <= counter.count;
        },
        () => `meter ${index}, answers ${before}..${counter.count}, relay ${relay}`,
      );
    };
    let turns = index;
    return {
      turn: () => (++turns % 16 === 0 ? switchRelay(session, device, meter) : read(turns)),
    };
  };
  return { number, meter, open };
}

async function switchRelay(session: Session, device: Device, meter: Dlt645Meter) {
  const now = clock.now();
  const command: Command = {
    id: newHappeningId(clock),
    device: device.id,
    point: 'relay' as PointName,
    value: meter.relay() !== 'closed',
    priority: 8,
    issued: now,
    expires: now + 5_000,
    until: null,
  };
  const result = await session.write?.(command, never);
  return result === undefined ? 'bad' : judgeWrite(command, result, meter.relay() === 'closed');
}

function waterSlave(index: number): Slave & { readonly number: string } {
  const number = `7833${lastDigit(index).padStart(10, '0')}`;
  const counter = countingFlow();
  const face = { ...counter, volume: () => index * ofMeter + counter.volume(), settled: () => index };
  const meter = createCjt188Meter({ clock, face, type: 0x10, address: number });
  const open = (device: Device, session: Session) => ({
    async turn() {
      const before = counter.count;
      const samples = await session.read(device.points, never);
      return judge(
        samples,
        ({ point, value }: Sample) => {
          if (point === 'battery_low') return value === false;
          if (point !== 'volume') return true;
          const count = Math.round(Number(value) * 100) - index * ofMeter;
          return count > before && count <= counter.count;
        },
        () => `meter ${index}, answers ${before + 1}..${counter.count}`,
      );
    },
  });
  return { number, meter, open };
}

const protocols = {
  dlt645: { name: 'DL/T 645', profile: 'x/electric', slave: electricSlave, more: { password: '123456' } },
  cjt188: { name: 'CJ/T 188', profile: 'x/water', slave: waterSlave, more: {} },
} as const;

export async function startMeterLab(protocol: keyof typeof protocols, seed: number, count: number): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const { name, profile, slave, more } = protocols[protocol];
  const buses = stack.use(createBuses({ clock, reconnect: { first: 20, cap: 200 } }));
  const options = { clock, profiles, buses };
  const driver: Driver<unknown> = protocol === 'dlt645' ? createDlt645Driver(options) : createCjt188Driver(options);
  const startLine = async (index: number): Promise<LabLine> => {
    const weather = new Weather(seed + index);
    const slaves = Array.from({ length: metersOnLine }, (_, i) => slave(i + 1));
    const meters = slaves.map(({ meter }) => meter);
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters, seed: seed + index }));
    line.fault(() => {
      const drawn = weather.draw();
      return drawn && meterFault(drawn);
    });
    const subjects = slaves.map(async ({ number, open }, i): Promise<Subject> => {
      const tcp = { host, port: line.port, baud: 115_200 };
      const device = deviceOf(profile, { tcp, meter: number, ...patience, ...more }, `${protocol}-${index}-${i + 1}`);
      const session = stack.use(await driver.open(device, driver.config.parse(device.address), quiet, never));
      return { name: `${name} ${index} meter ${i + 1}`, ...open(device, session) };
    });
    return { weather, subjects: await Promise.all(subjects) };
  };
  const lines = await Promise.all(Array.from({ length: count }, (_, index) => startLine(index)));
  const owned = stack.move();
  return { protocol: name, kinds: meterFaultKinds, lines, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
