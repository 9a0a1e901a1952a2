import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PointName } from '#edge/domain/ids.ts';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import type { Buses } from '#edge/drivers/ports/buses.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import { faultMix, faultOf, meterFaultKinds } from '#edge/simulators/meter-faults.ts';
import type { MeterLine } from '#edge/simulators/meter-line.ts';
import { startMeterLine } from '#edge/simulators/meter-line.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';
import { breakOnce, countingFace, countingFlow, deviceOf, host, profiles } from './meter-rig.ts';

/* Our DL/T 645-2007 driver and a slave that was written apart from it, from the published frames alone. */

const clock = systemClock;
const never = new AbortController().signal;
const number = '000000000161';
const reconnect = { first: 20, cap: 200 };

const quiet = (counts: string[] = []): Sink => ({
  sample: () => {},
  event: () => {},
  health: () => {},
  count: (word) => counts.push(word),
});

const electric = (address: string, more: object = {}) => {
  const face = countingFace();
  return { face, meter: createDlt645Meter({ clock, face, address, model: 'M1', password: '123456', ...more }) };
};

async function rigFor(meter: string): Promise<DriverRig> {
  const stack = new AsyncDisposableStack();
  const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [electric(number).meter] }));
  const buses = stack.use(createBuses({ clock, reconnect }));
  const driver = createDlt645Driver({ clock, profiles, buses });
  const tcp = { host, port: line.port, baud: 115_200 };
  const address = { tcp, meter, password: '123456', timeout: '100ms', lateWindow: '50ms' };
  return {
    driver,
    device: deviceOf('x/electric', address),
    // Port 1 of the loopback: nobody listens there.
    nowhere: { ...address, tcp: { ...tcp, port: 1 } },
    wrong: { address: { ...address, metre: '1' }, key: 'metre' },
    outage: { begin: async () => line.cut(true), end: async () => line.cut(false) },
    command: { point: 'relay' as PointName, value: false, outcome: 'done' },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describeDriver('dlt645 (number given)', () => rigFor('161'));
describeDriver('dlt645 (number asked for)', () => rigFor('AAAAAAAAAAAA'));

interface Reader {
  read(names: readonly string[]): Promise<Map<string, { value: unknown; quality: string }>>;
  readonly session: Session;
}

interface Opening {
  readonly stack: AsyncDisposableStack;
  readonly line: MeterLine;
  readonly buses?: Buses;
  readonly counts?: string[];
}

async function open(meter: string, { stack, line, counts, ...more }: Opening): Promise<Reader> {
  const buses = more.buses ?? stack.use(createBuses({ clock, reconnect }));
  const driver = createDlt645Driver({ clock, profiles, buses });
  const tcp = { host, port: line.port, baud: 115_200 };
  const device = deviceOf('x/electric', { tcp, meter, timeout: '60ms', lateWindow: '60ms' });
  const config = driver.config.parse(device.address);
  const session = stack.use(await driver.open(device, config, quiet(counts), never));
  return {
    session,
    async read(names) {
      const points = device.points.filter(({ name }) => names.includes(name));
      const samples = await session.read(points, never);
      return new Map(samples.map(({ point, value, quality }) => [point, { value, quality }]));
    },
  };
}

describe('a DL/T 645 meter on a bad line', () => {
  it.each(meterFaultKinds.filter((kind) => kind !== 'half-open'))('is read again soon after: %s', async (kind) => {
    await using stack = new AsyncDisposableStack();
    const { meter, face } = electric(number);
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [meter] }));
    const reader = await open(number, { stack, line });
    expect((await reader.read(['energy'])).get('energy')?.quality).toBe('good');
    breakOnce(line, faultOf(kind, kind === 'late' ? 90 : 20));
    const started = performance.now();
    await expect
      .poll(
        async () => {
          const before = face.count;
          const energy = (await reader.read(['energy'])).get('energy');
          if (energy?.quality === 'good') expect(Math.round(Number(energy.value) * 100)).toBeGreaterThan(before);
          return energy?.quality;
        },
        { timeout: 10_000, interval: 1 },
      )
      .toBe('good');
    console.info(`dlt645 after ${kind}: good again in ${Math.round(performance.now() - started)} ms`);
    expect(line.stats.faults[kind]).toBe(1);
  });

  it('is read again over a new connection when the old one is dead but open', async () => {
    await using stack = new AsyncDisposableStack();
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [electric(number).meter] }));
    const counts: string[] = [];
    const reader = await open(number, { stack, line, counts });
    await reader.read(['energy']);
    breakOnce(line, { kind: 'half-open' });
    const started = performance.now();
    const energy = async () => (await reader.read(['energy'])).get('energy')?.quality;
    await expect.poll(energy, { timeout: 2_000 }).toBe('bad');
    await expect.poll(energy, { timeout: 25_000 }).toBe('good');
    console.info(`dlt645 after half-open: good again in ${Math.round(performance.now() - started)} ms`);
    expect(counts).toContain('reopen');
    expect(line.stats.connections).toBe(2);
  }, 30_000);

  it('gives no wrong value in 450 reads with 8 % faults of all kinds mixed, three meters on one line', async () => {
    await using stack = new AsyncDisposableStack();
    const numbers = ['161', '162', '163'].map((one) => one.padStart(12, '0'));
    const meters = numbers.map((one) => electric(one));
    const line = stack.use(
      await startMeterLine({ host, port: 0, baud: null, meters: meters.map(({ meter }) => meter), seed: 20_261_122 }),
    );
    const kinds = meterFaultKinds.filter((kind) => kind !== 'half-open');
    line.fault(faultMix({ seed: 645, share: 0.08, kinds, ms: 50 }));
    const buses = stack.use(createBuses({ clock, reconnect }));
    const tally = { good: 0, bad: 0, wrong: 0 };
    const isWithin = (low: number, high: number) => (value: unknown) => Number(value) >= low && Number(value) <= high;
    const reads = async (index: number) => {
      const reader = await open(numbers[index] ?? '', { stack, line, buses });
      const face = meters[index]?.face ?? countingFace();
      const deadline = clock.monotonic() + 20_000;
      for (let good = 0; good < 150 && clock.monotonic() < deadline; ) {
        const before = face.count;
        const values = await reader.read(good % 4 === 0 ? ['energy', 'energy_peak', 'voltage_l2'] : ['energy']);
        const isRight: Record<string, (value: unknown) => boolean> = {
          energy: isWithin((before + 1) / 100, face.count / 100),
          energy_peak: isWithin(2_000, 2_999),
          voltage_l2: isWithin(230.2, 230.2),
        };
        for (const [name, { value, quality }] of values) {
          if (quality !== 'good') tally.bad++;
          else if (isRight[name]?.(value) === true) tally.good++;
          else tally.wrong++;
        }
        if (values.get('energy')?.quality === 'good') good++;
        // A silent meter is not asked: let time pass.
        else await nextTurn();
      }
    };
    await Promise.all([0, 1, 2].map(reads));
    const faults = Object.values(line.stats.faults).reduce((sum, one) => sum + one, 0);
    console.info(
      `dlt645: ${JSON.stringify(tally)} values of 450 reads with ${faults} faults ${JSON.stringify(line.stats.faults)}`,
    );
    expect(tally.wrong).toBe(0);
    expect(tally.good).toBeGreaterThan(300);
    expect(faults).toBeGreaterThan(20);
  }, 60_000);

  it('whose number another meter has too is never believed while both answer at once', async () => {
    await using stack = new AsyncDisposableStack();
    const { meter } = electric(number);
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [meter] }));
    const reader = await open(number, { stack, line });
    expect((await reader.read(['energy'])).get('energy')?.quality).toBe('good');
    const twin = electric(number);
    for (let i = 0; i < 40; i++) twin.face.energy(0);
    line.add(twin.meter);
    for (let i = 0; i < 5; i++) expect((await reader.read(['energy'])).get('energy')?.quality).toBe('bad');
    expect(line.stats.collisions).toBeGreaterThan(0);
  });
});

describe('a DL/T 645 meter', () => {
  it('without blocks, with short frames, is read all the same', async () => {
    await using stack = new AsyncDisposableStack();
    const { meter } = electric(number, { lacks: (di: string) => di === '0201FF00', longest: 12 });
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [meter] }));
    const reader = await open(number, { stack, line });
    const names = ['energy', 'energy_peak', 'voltage_l1', 'voltage_l2', 'voltage_l3', 'current_l2', 'serial', 'power'];
    const values = await reader.read(names);
    expect(Object.fromEntries([...values].map(([name, { value }]) => [name, value]))).toEqual({
      energy: 0.01,
      energy_peak: 2_000.01,
      voltage_l1: 230.1,
      voltage_l2: 230.2,
      voltage_l3: 230.3,
      current_l2: -2,
      power: 0.46,
      serial: '202611220001',
    });
  });

  it('that bars its password is asked with a wrong one only once', async () => {
    await using stack = new AsyncDisposableStack();
    const { meter } = electric(number, { attempts: 2 });
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters: [meter] }));
    const buses = stack.use(createBuses({ clock, reconnect }));
    const driver = createDlt645Driver({ clock, profiles, buses });
    const tcp = { host, port: line.port, baud: 115_200 };
    const device = deviceOf('x/electric', { tcp, meter: number, password: '654321', timeout: '100ms' });
    for (let i = 0; i < 4; i++) {
      await using session = await driver.open(device, driver.config.parse(device.address), quiet(), never);
      const now = clock.now();
      const result = await session.write?.(
        {
          id: `0192a0b0-0000-7000-8000-00000000000${i}` as never,
          device: device.id,
          point: 'relay' as PointName,
          value: false,
          priority: 8,
          issued: now,
          expires: now + 10_000,
          until: null,
        },
        never,
      );
      expect(result).toMatchObject({ outcome: 'refused', message: expect.stringContaining('password') });
    }
    expect(meter.isLocked()).toBe(false);
    expect(meter.relay()).toBe('closed');
  });

  it('shares its line and connection with a CJ/T 188 meter, at the pace of 2,400 baud', async () => {
    await using stack = new AsyncDisposableStack();
    const water = createCjt188Meter({ clock, face: countingFlow(), type: 0x10, address: '78330011223344' });
    const meters = [electric(number).meter, water];
    const line = stack.use(await startMeterLine({ host, port: 0, baud: 2_400, meters }));
    const buses = stack.use(createBuses({ clock, reconnect }));
    const options = { clock, profiles, buses };
    const tcp = { host, port: line.port };
    const drivers = [createDlt645Driver(options), createCjt188Driver(options)] as const;
    const devices = [
      deviceOf('x/electric', { tcp, meter: number }, 'electric'),
      deviceOf('x/water', { tcp, meter: '78330011223344' }, 'water'),
    ] as const;
    const [one, two] = await Promise.all([
      drivers[0].open(devices[0], drivers[0].config.parse(devices[0].address), quiet(), never),
      drivers[1].open(devices[1], drivers[1].config.parse(devices[1].address), quiet(), never),
    ]);
    stack.use(one);
    stack.use(two);
    const started = performance.now();
    const all = await Promise.all([one.read(devices[0].points, never), two.read(devices[1].points, never)]);
    const took = performance.now() - started;
    expect(all.flat().map(({ quality }) => quality)).toEqual(all.flat().map(() => 'good'));
    console.info(`2,400 baud: ${all.flat().length} values in ${line.stats.frames} requests, ${Math.round(took)} ms`);
    expect(line.stats.connections).toBe(1);
    // Eight energies, voltages and currents in three blocks; power, serial number and relay; one for all of the water meter.
    expect(line.stats.frames).toBe(7);
    const units = (buses.health()[0]?.units ?? []).map(({ unit, requests, timeouts }) => [unit, requests, timeouts]);
    expect(units).toContainEqual([number, 6, 0]);
    expect(units).toContainEqual(['78330011223344', 1, 0]);
  }, 20_000);
});
