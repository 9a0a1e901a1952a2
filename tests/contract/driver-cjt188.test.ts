import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import type { Driver, Sink } from '#edge/drivers/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { createDlt645Meter } from '#edge/simulators/meter-dlt645.ts';
import { faultMix, faultOf, meterFaultKinds } from '#edge/simulators/meter-faults.ts';
import { startMeterLine } from '#edge/simulators/meter-line.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';
import { breakOnce, countingFace, countingFlow, deviceOf, host, profiles } from './meter-rig.ts';

/* Our CJ/T 188-2004 driver and a slave that was written apart from it, from the published frames alone; and a serial port for both. */

const clock = systemClock;
const never = new AbortController().signal;
const waterNumber = '78330011223344';
const heatNumber = '00000040314132';
const reconnect = { first: 20, cap: 200 };
const quiet: Sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };

const waterMeter = (address: string, diOrder: '901F' | '1F90' = '1F90') => {
  const face = countingFlow();
  return { face, meter: createCjt188Meter({ clock, face, type: 0x10, address, diOrder }) };
};

const heatMeter = () =>
  createCjt188Meter({
    clock,
    type: 0x20,
    address: heatNumber,
    diOrder: '901F',
    heatUnit: 'GJ',
    face: {
      volume: () => 1_034,
      settled: () => 0,
      heat: () => ({ energy: 200, settled: 100, power: 1_250, flow: 53, supply: 6_535, return: 4_566, hours: 1_234 }),
    },
  });

async function rigFor(path: string, meter: string): Promise<DriverRig> {
  const stack = new AsyncDisposableStack();
  const meters = [waterMeter(waterNumber).meter, ...(path === 'x/heat' ? [heatMeter()] : [])];
  const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters }));
  const buses = stack.use(createBuses({ clock, reconnect }));
  const driver = createCjt188Driver({ clock, profiles, buses });
  const tcp = { host, port: line.port, baud: 115_200 };
  const address = { tcp, meter, timeout: '100ms', lateWindow: '50ms' };
  return {
    driver,
    device: deviceOf(path, address),
    // Port 1 of the loopback: nobody listens there.
    nowhere: { ...address, tcp: { ...tcp, port: 1 } },
    wrong: { address: { ...address, meter: 'A1' }, key: 'address.meter' },
    outage: { begin: async () => line.cut(true), end: async () => line.cut(false) },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describeDriver('cjt188 (water, number given)', () => rigFor('x/water', waterNumber));
describeDriver('cjt188 (water, whoever is there)', () => rigFor('x/water', 'AAAAAAAAAAAAAA'));
describeDriver('cjt188 (heat)', () => rigFor('x/heat', heatNumber));

describe('a CJ/T 188 meter', () => {
  it('of heat is read in the units that the profile wants', async () => {
    await using rig = await rigFor('x/heat', heatNumber);
    const { driver, device } = rig;
    await using session = await driver.open(device, driver.config.parse(device.address), quiet, never);
    const samples = await session.read(device.points, never);
    expect(Object.fromEntries(samples.map(({ point, value }) => [point, value]))).toEqual({
      heat: 555.555555556,
      volume: 10.34,
      supply: 65.35,
      return: 45.66,
      hours: 1_234,
    });
  });

  it('that knows the identifier the other way round only says nothing, and nothing is made up', async () => {
    await using stack = new AsyncDisposableStack();
    const line = stack.use(
      await startMeterLine({ host, port: 0, baud: null, meters: [waterMeter(waterNumber, '901F').meter] }),
    );
    const buses = stack.use(createBuses({ clock, reconnect }));
    const driver = createCjt188Driver({ clock, profiles, buses });
    const tcp = { host, port: line.port, baud: 115_200 };
    const device = deviceOf('x/water', { tcp, meter: waterNumber, timeout: '50ms', lateWindow: '20ms' });
    await using session = await driver.open(device, driver.config.parse(device.address), quiet, never);
    const samples = await session.read(device.points, never);
    expect(samples.map(({ value, quality }) => [value, quality])).toEqual(samples.map(() => [null, 'bad']));
  });
});

describe('a CJ/T 188 meter on a bad line', () => {
  const kinds = meterFaultKinds.filter((kind) => kind !== 'half-open');

  it('is read again soon after each fault, and gives no wrong value in 600 reads with 8 % of all kinds mixed', async () => {
    await using stack = new AsyncDisposableStack();
    const water = [waterMeter(waterNumber), waterMeter('78330011223355')] as const;
    const meters = water.map(({ meter }) => meter);
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters, seed: 20_261_122 }));
    const buses = stack.use(createBuses({ clock, reconnect }));
    const driver = createCjt188Driver({ clock, profiles, buses });
    const tcp = { host, port: line.port, baud: 115_200 };
    const tally = { good: 0, bad: 0, wrong: 0 };
    const reader = async ({ face, meter }: (typeof water)[number]) => {
      const device = deviceOf('x/water', { tcp, meter: meter.name, timeout: '60ms', lateWindow: '60ms' }, meter.name);
      const session = stack.use(await driver.open(device, driver.config.parse(device.address), quiet, never));
      const points = device.points.filter(({ name }) => name === 'volume');
      return async () => {
        const before = face.count;
        const [sample] = await session.read(points, never);
        const shown = Math.round(Number(sample?.value) * 100);
        if (sample?.quality !== 'good') tally.bad++;
        else if (shown > before && shown <= face.count) tally.good++;
        else tally.wrong++;
        // A silent meter is not asked: let time pass.
        if (sample?.quality !== 'good') await nextTurn();
        return sample?.quality;
      };
    };
    const [read, readOther] = await Promise.all([reader(water[0]), reader(water[1])]);
    for (const kind of kinds) {
      breakOnce(line, faultOf(kind, kind === 'late' ? 90 : 20));
      const started = performance.now();
      await expect.poll(read, { timeout: 10_000, interval: 1 }).toBe('good');
      await expect.poll(async () => line.stats.faults[kind] ?? read(), { timeout: 5_000 }).toBe(1);
      await expect.poll(read, { timeout: 10_000, interval: 1 }).toBe('good');
      console.info(`cjt188 after ${kind}: good again in ${Math.round(performance.now() - started)} ms`);
    }
    line.fault(faultMix({ seed: 188, share: 0.08, kinds, ms: 50 }));
    const deadline = clock.monotonic() + 40_000;
    const many = async (one: () => Promise<unknown>) => {
      for (let good = 0; good < 300 && clock.monotonic() < deadline; ) if ((await one()) === 'good') good++;
    };
    await Promise.all([many(read), many(readOther)]);
    const faults = Object.values(line.stats.faults).reduce((sum, one) => sum + one, 0);
    console.info(`cjt188: ${JSON.stringify(tally)} with ${faults} faults`);
    expect(tally.wrong).toBe(0);
    expect(tally.good).toBeGreaterThanOrEqual(600);
    expect(faults).toBeGreaterThan(40);
  }, 60_000);
});

const python = 'python3';
const isMissing =
  process.platform !== 'linux' || spawnSync(python, ['-c', 'import pty'], { timeout: 20_000 }).status !== 0;
if (isMissing) console.warn('SKIPPED: no pseudo terminals here (needs Linux and python3)');
const script = new URL('../fixtures/modbus/pty_bridge.py', import.meta.url).pathname;

async function startTerminal(port: number): Promise<AsyncDisposable & { path: string; unplug(): void }> {
  const child = spawn(python, [script, host, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const path = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the bridge ended with ${code}`)));
  });
  return {
    path,
    unplug: () => child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await end;
    },
  };
}

describe.skipIf(isMissing)('a serial port with a DL/T 645 and a CJ/T 188 meter', () => {
  it('is shared by both, 2400 8E1 as they come, and both say so when it is unplugged', async () => {
    await using stack = new AsyncDisposableStack();
    const electric = createDlt645Meter({ clock, face: countingFace(), address: '000000000161', model: 'M1' });
    const meters = [electric, waterMeter(waterNumber).meter];
    const line = stack.use(await startMeterLine({ host, port: 0, baud: null, meters }));
    const terminal = stack.use(await startTerminal(line.port));
    const buses = stack.use(createBuses({ clock, reconnect }));
    const timing = { timeout: '200ms', lateWindow: '50ms' };
    const open = async (driver: Driver<unknown>, path: string, meter: string) => {
      const device = deviceOf(path, { serial: { path: terminal.path }, meter, ...timing }, path.slice(2));
      const session = stack.use(await driver.open(device, driver.config.parse(device.address), quiet, never));
      return async () => [...new Set((await session.read(device.points, never)).map(({ quality }) => quality))];
    };
    const options = { clock, profiles, buses };
    const readElectric = await open(createDlt645Driver(options), 'x/electric', '161');
    const readWater = await open(createCjt188Driver(options), 'x/water', waterNumber);
    const patience = { timeout: 10_000 };
    await expect.poll(readElectric, patience).toEqual(['good']);
    await expect.poll(readWater, patience).toEqual(['good']);
    expect(buses.health().map(({ label, state }) => [label, state])).toEqual([
      [`${terminal.path} at 2400 8E1`, 'connected'],
    ]);
    terminal.unplug();
    await expect.poll(readElectric, patience).toEqual(['bad']);
    await expect.poll(readWater, patience).toEqual(['bad']);
  }, 30_000);

  it('refuses a second meter with other settings, naming the first', async () => {
    await using buses = createBuses({ clock });
    const options = { clock, profiles, buses };
    const electric = createDlt645Driver(options);
    const water = createCjt188Driver(options);
    const serial = { path: '/dev/tty-nobody' };
    const one = deviceOf('x/electric', { serial: { ...serial, baud: 9_600 }, meter: '161' }, 'first');
    const two = deviceOf('x/water', { serial, meter: '1' }, 'second');
    await using session = await electric.open(one, electric.config.parse(one.address), quiet, never);
    await expect(water.open(two, water.config.parse(two.address), quiet, never)).rejects.toThrow(
      /first uses \/dev\/tty-nobody at 9600 8E1, this one \/dev\/tty-nobody at 2400 8E1/,
    );
    expect(session.write).toBeDefined();
  });
});
