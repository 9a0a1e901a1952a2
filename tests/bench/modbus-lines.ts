import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { Script } from './rig.ts';

/* Serial lines behind a serial server: how much of what the line can carry is carried, and what dead meters cost the living. */

const units = 16;
const registers = 60;
const think = 10;
/** Until the dead are known as such, ms. */
const settling = 15_000;
/** A dead meter is polled so often. */
const poll = 1_000;

const profile: Profile = checkProfileShape({
  profile: 'sixty',
  name: { zh: '六十', en: 'Sixty' },
  kind: 'meter',
  protocol: 'modbus',
  values: Object.fromEntries(Array.from({ length: registers }, (_, at) => [`v${at}`, { at, as: 'u16' }])),
  test: [{ value: 'v0', hex: '0001', is: 1 }],
});

/** One request of 8 bytes, its answer, two silences and the meter's own time, ms (facts of RTU physics). */
function transaction(baud: number): number {
  const character = 10_000 / baud;
  return (8 + 5 + 2 * registers) * character + 2 * 3.5 * character + think;
}

interface Swept {
  /** Blocks a second of the living. */
  readonly rate: number;
  readonly wrong: number;
}

/** Every living meter is read again as soon as it has answered; the dead ones are polled. */
async function sweep(port: number, baud: number, dead: readonly number[], warm: number, ms: number): Promise<Swept> {
  const { signal } = new AbortController();
  const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
  await using driver = createModbusDriver({ clock: systemClock, profiles: new Map([['meter/sixty', profile]]) });
  const points = pointsOf(profile, { fast: 1, normal: 1, slow: 1 });
  const began = performance.now();
  /** When each answer was there. From the first to the last the line was never idle, before and after it may be. */
  const answered: number[] = [];
  let wrong = 0;
  const readOne = async (unit: number) => {
    const device: Device = {
      id: `meter-${unit}` as DeviceId,
      name: { zh: '表', en: 'Meter' },
      profile: 'meter/sixty',
      protocol: 'modbus',
      zone: 'zone' as ZoneId,
      points,
      // Sixteen requests wait in one queue: the time of one request begins when it is sent.
      address: { rtuOverTcp: { host: '127.0.0.1', port, baud }, unit },
    };
    await using session = await driver.open(device, driver.config.parse(device.address), sink, signal);
    while (performance.now() - began < warm + ms) {
      const samples = await session.read(points, signal);
      const isGood = samples.every(({ quality }) => quality === 'good');
      const now = performance.now();
      if (isGood && now - began >= warm) answered.push(now);
      if (isGood && samples.some(({ value }, i) => i > 0 && value !== i)) wrong++;
      if (dead.includes(unit)) await delay(poll);
    }
  };
  await Promise.all(Array.from({ length: units }, (_, i) => readOne(i + 1)));
  const [first = 0] = answered;
  return { rate: (1000 * (answered.length - 1)) / ((answered.at(-1) ?? 0) - first), wrong };
}

async function open(gateway: Script, baud: number, dead: readonly number[]): Promise<number> {
  const { port } = await gateway.ask({ baud, dead });
  return Number(port);
}

export async function runLines({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using gateway = new Script('modbus-gateway.ts');
  const lines: BenchLine[] = [];
  const rates = new Map<number, number>();
  for (const baud of [9_600, 19_200]) {
    say(`  ${baud} baud ...`);
    const cycle = units * transaction(baud);
    // The first sweep listens to each meter for a second one with the same id, as one in five minutes does.
    const { rate, wrong } = await sweep(await open(gateway, baud, []), baud, [], 3 * cycle, (quick ? 3 : 6) * cycle);
    rates.set(baud, rate);
    lines.push({
      bench: 'modbus',
      what: `line carried, ${units} meters at ${baud}`,
      ours: { value: rate, unit: '/s' },
      other: { value: 1000 / transaction(baud), unit: '/s', name: 'what the line can carry' },
      goal: { of: 'ratio', atLeast: 0.95 },
      note: `RTU over TCP through a serial server that carries what it gets in its order and drops nothing; ${registers} registers a block, ${think} ms in the meter; ${wrong} wrong values`,
    });
  }
  const dead = [4, 9, 14];
  say('  3 of 16 dead ...');
  const baud = 9_600;
  const cycle = units * transaction(baud);
  const port = await open(gateway, baud, dead);
  const { rate } = await sweep(port, baud, dead, settling, (quick ? 4 : 8) * cycle);
  lines.push({
    bench: 'modbus',
    what: 'a sweep of the living, 3 of 16 dead',
    ours: { value: (1000 * (units - dead.length)) / rate, unit: 'ms' },
    other: { value: (1000 * (units - dead.length)) / (rates.get(baud) ?? 0), unit: 'ms', name: 'nobody dead' },
    goal: { of: 'ratio', atMost: 1.1 },
    note: `${baud} baud, as above; 13 meters read round and round while 3 that never answer are polled every ${poll / 1000} s; after the first ${settling / 1000} s, in which it is found out that they are dead`,
  });
  return lines;
}
