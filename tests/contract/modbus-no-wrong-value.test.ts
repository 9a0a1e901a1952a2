import modbusSerial from 'modbus-serial';
import { describe, expect, it } from 'vitest';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { SimFault, SimRequest, SimServer, SimUnit } from '#edge/simulators/modbus-server.ts';
import { startModbusServer } from '#edge/simulators/modbus-server.ts';

/*
 * 32 units behind one gateway; 2 % of the answers come late (after the timeout) or twice. Every answer carries the unit, the
 * address and the running number of its request, so that an answer to any other request is seen as what it is.
 */

const units = 32;
const ourReads = 15_000;
const bareReads = 4_000;
/** Late is after this, and within the late window below, ms. */
const timeout = 60;
const lateBy = 120;
/** A unit that did not answer is left alone for a while, as a poller does: who asks on at once hears only that it is held back, ms. */
const pauseAfterBad = 100;
const blocks = [0, 100] as const;

const profile = checkProfileShape({
  profile: 'numbered',
  name: { zh: '编号', en: 'Numbered' },
  kind: 'meter',
  protocol: 'modbus',
  bus: { gap: 0 },
  values: Object.fromEntries(
    blocks.flatMap((at) => [
      [`unit_${at}`, { at, as: 'u16' }],
      [`at_${at}`, { at: at + 1, as: 'u16' }],
      [`number_${at}`, { at: at + 2, as: 'u32' }],
    ]),
  ),
  test: [{ value: 'unit_0', hex: '0001', is: 1 }],
});

/** Two in a hundred, one of each kind, at places that only the seed knows. */
function someFaults(seed: number, count: { late: number; doubled: number }): (request: SimRequest) => SimFault | null {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const draw = state / 2 ** 32;
    if (draw < 0.01) {
      count.late++;
      return { kind: 'late', ms: lateBy };
    }
    if (draw < 0.02) {
      count.doubled++;
      // Mostly at once, as gateways do; sometimes into the next request or the one after it.
      return { kind: 'doubled', ms: (state >>> 8) % 3 === 0 ? (state >>> 12) % 12 : 0 };
    }
    return null;
  };
}

async function startNumbered(framing: 'mbap' | 'rtu', faults: { late: number; doubled: number }): Promise<SimServer> {
  const numbered = (unit: number): SimUnit => ({
    read: (_table, at, count) => {
      const image = Buffer.alloc(2 * count);
      image.writeUInt16BE(unit, 0);
      image.writeUInt16BE(at, 2);
      image.writeUInt32BE(server.stats.requests, 4);
      return image;
    },
    write: () => 1,
  });
  const all = new Map(Array.from({ length: units }, (_, i) => [i + 1, numbered(i + 1)]));
  const fault = someFaults(20_261_122, faults);
  const server = await startModbusServer({ host: '127.0.0.1', port: 0, framing, units: all, fault });
  return server;
}

function deviceOf(framing: 'mbap' | 'rtu', port: number, unit: number): Device {
  const way = framing === 'mbap' ? 'tcp' : 'rtuOverTcp';
  return {
    id: `meter-${unit}` as DeviceId,
    name: { zh: '表', en: 'Meter' },
    profile: 'meter/numbered',
    protocol: 'modbus',
    zone: 'zone' as ZoneId,
    points: pointsOf(profile, { fast: 1_000, normal: 1_000, slow: 1_000 }),
    address: { [way]: { host: '127.0.0.1', port }, unit, timeout: `${timeout}ms`, lateWindow: '500ms' },
  };
}

interface Tally {
  good: number;
  bad: number;
  wrong: number;
}

async function readThroughUs(framing: 'mbap' | 'rtu', server: SimServer, reads: number): Promise<Tally> {
  const tally: Tally = { good: 0, bad: 0, wrong: 0 };
  const signal = new AbortController().signal;
  const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
  await using driver = createModbusDriver({ clock: systemClock, profiles: new Map([['meter/numbered', profile]]) });
  let left = reads;
  const readUnit = async (unit: number) => {
    const device = deviceOf(framing, server.port, unit);
    await using session = await driver.open(device, driver.config.parse(device.address), sink, signal);
    const ofBlock = (at: number): Point[] => device.points.filter(({ name }) => name.endsWith(`_${at}`));
    for (let turn = 0; left > 0; turn++) {
      left--;
      const at = blocks[turn % 2] ?? 0;
      const before = server.stats.requests;
      const samples = await session.read(ofBlock(at), signal);
      const value = (name: string) => samples.find((sample) => sample.point === `${name}_${at}`)?.value;
      if (samples.some(({ quality }) => quality !== 'good')) {
        tally.bad++;
        await delay(pauseAfterBad, signal);
      } else if (value('unit') === unit && value('at') === at && Number(value('number')) > before) tally.good++;
      else tally.wrong++;
    }
  };
  await Promise.all(Array.from({ length: units }, (_, i) => readUnit(i + 1)));
  return tally;
}

async function readThroughBare(server: SimServer, reads: number): Promise<Tally> {
  const tally: Tally = { good: 0, bad: 0, wrong: 0 };
  const client = new modbusSerial.default();
  await client.connectTelnet('127.0.0.1', { port: server.port });
  client.setTimeout(timeout);
  try {
    for (let i = 0; i < reads; i++) {
      // Some blocks of a unit, then the next unit: what every poller does.
      const unit = (Math.floor(i / 4) % units) + 1;
      const at = blocks[i % 2] ?? 0;
      const before = server.stats.requests;
      client.setID(unit);
      try {
        const { data } = await client.readHoldingRegisters(at, 4);
        const number = (data[2] ?? 0) * 0x1_0000 + (data[3] ?? 0);
        if (data[0] === unit && data[1] === at && number > before) tally.good++;
        else tally.wrong++;
      } catch {
        tally.bad++;
      }
    }
  } finally {
    client.destroy(() => {});
  }
  return tally;
}

describe('32 units with 2 % of the answers late or doubled', () => {
  it('give no wrong value through our RTU over TCP, while bare modbus-serial delivers some', async () => {
    const faults = { late: 0, doubled: 0 };
    await using server = await startNumbered('rtu', faults);
    const ours = await readThroughUs('rtu', server, ourReads);
    const injected = { ...faults };
    const bare = await readThroughBare(server, bareReads);
    console.info(`ours: ${JSON.stringify(ours)} with ${JSON.stringify(injected)}; bare: ${JSON.stringify(bare)}`);
    expect(ours.good + ours.bad).toBe(ourReads);
    expect(ours.wrong).toBe(0);
    // Most of what is late is asked again, so nearly all is good; and the faults were really there.
    expect(ours.good).toBeGreaterThan(ourReads * 0.97);
    expect(injected.late).toBeGreaterThan(100);
    expect(injected.doubled).toBeGreaterThan(100);
    // The negative control: this test can see a wrong value.
    expect(bare.wrong).toBeGreaterThan(0);
  }, 240_000);

  it('give no wrong value through our Modbus TCP', async () => {
    const faults = { late: 0, doubled: 0 };
    await using server = await startNumbered('mbap', faults);
    const ours = await readThroughUs('mbap', server, 5_000);
    expect(ours.wrong).toBe(0);
    expect(ours.good).toBeGreaterThan(5_000 * 0.97);
    expect(faults.late + faults.doubled).toBeGreaterThan(50);
  }, 240_000);
});
