import { describe, expect, inject, test } from 'vitest';
import { random } from '../fixtures/store/site.ts';
import { openCounterRoom } from '../unit/processes/counter-room.ts';

/*
 * A meter whose truth is known, counted in steps of its last digit, and everything that happens to it on a campus. Whatever
 * comes of it, each day's sum is what lies between the last believed reads of two days, to the last digit that the meter shows;
 * and the city, which hears minutes, comes to the same.
 */

const minute = 60_000;
const hour = 60 * minute;
const isVerifying = inject('kills') !== undefined;
const patience = isVerifying ? 1_200_000 : 240_000;

interface Register {
  readonly name: string;
  /** One step of the last digit, kW.h; and how many steps there are before it starts again. */
  readonly step: number;
  readonly steps: number;
  readonly show: (steps: number) => number;
  /** Most steps in five minutes. */
  readonly fastest: number;
}

const registers: readonly Register[] = [
  { name: '16 bits', step: 0.01, steps: 2 ** 16, show: (n) => n / 100, fastest: 500 },
  { name: '32 bits of W.h', step: 0.001, steps: 2 ** 32, show: (n) => n / 1000, fastest: 9_000 },
  { name: 'eight BCD digits', step: 0.01, steps: 1e8, show: (n) => n / 100, fastest: 900 },
  { name: 'six BCD digits', step: 0.1, steps: 1e6, show: (n) => n / 10, fastest: 90 },
  // Above 524,288 it has steps of 1/16, and below finer ones that this meter does not use.
  { name: 'a float of 32 bits', step: 1 / 16, steps: 16e6, show: (n) => Math.fround(n / 16), fastest: 160 },
];

/** Four days around the end of summer time in Berlin: of 24, 24, 25 and 24 hours; and around its beginning. */
const weeks = {
  autumn: [22, 23, 24, 25]
    .map((day) => Date.UTC(2026, 9, day, day === 25 + 1 ? 23 : 22))
    .concat(Date.UTC(2026, 9, 26, 23)),
  spring: [
    Date.UTC(2026, 2, 26, 23),
    Date.UTC(2026, 2, 27, 23),
    Date.UTC(2026, 2, 28, 23),
    Date.UTC(2026, 2, 29, 22),
    Date.UTC(2026, 2, 30, 22),
  ],
};

/** A read that the campus is to believe: when, and what had been counted by then. */
interface Believed {
  readonly t: number;
  readonly counted: number;
}

/** What each day counted, in steps, from what was believed. */
function expected(reads: readonly Believed[], bounds: readonly number[]): number[] {
  // Of two reads of one time the later arrival counts.
  const byTime = new Map(reads.map((read) => [read.t, read.counted]));
  const sorted = [...byTime].sort(([a], [b]) => a - b);
  const until = (end: number) => sorted.findLast(([t]) => t < end)?.[1] ?? sorted[0]?.[1] ?? 0;
  return bounds.slice(0, -1).map((from, i) => until(bounds[i + 1] ?? 0) - until(from));
}

type Trouble = 'spikes' | 'zeros' | 'swaps' | 'kills' | 'away' | 'backlog' | 'clock';

async function live(seed: number, register: Register, bounds: readonly number[], troubles: readonly Trouble[]) {
  const dice = random(seed);
  const may = (trouble: Trouble, chance: number) => troubles.includes(trouble) && dice() < chance;
  const [start = 0] = bounds;
  const end = bounds.at(-1) ?? 0;
  const { step, steps, show, fastest } = register;
  const counter = { wrap: steps * step, maxRate: fastest * step * 12 * 1.05 };
  await using room = await openCounterRoom({ start: start + 1 + Math.floor(dice() * minute), counter });
  const { clock } = room;
  // Near its end, so that it starts again within these days.
  let offset = steps - Math.floor(dice() * Math.min(steps, fastest * 300));
  let counted = 0;
  const believed: Believed[] = [];
  let waiting: Promise<void>[] = [];
  let skew = 0;
  const settle = async () => {
    await Promise.all(waiting);
    waiting = [];
  };
  const pass = (ms: number) => {
    clock.advance(ms);
    // Idle nights, busy days.
    const load = dice() < 0.3 ? 0 : dice();
    counted += Math.floor((ms / (5 * minute)) * fastest * load);
  };
  const shown = () => show((offset + counted) % steps);
  const read = (t: number = clock.now()) => {
    waiting.push(room.hear({ energy: shown() }, t));
    believed.push({ t, counted });
  };
  const wrong = (value: number) => {
    waiting.push(room.hear({ energy: value }, clock.now()));
    pass(minute);
  };
  read();
  await settle();
  // The campus has stood for a while: its minutes have a beginning.
  await room.store.summarise(clock.now() + minute);
  while (clock.now() < end - 2 * hour) {
    pass(5 * minute + Math.floor(dice() * 1_000));
    const now = (offset + counted) % steps;
    // A register that has just started again shows what a swap and zeros show: they are tried elsewhere.
    const isCalm = now > steps * 0.02 && now < steps * 0.98;
    if (may('spikes', 0.03)) {
      const height = Math.floor(steps * (0.2 + 0.5 * dice()));
      for (let i = 0; i < 1 + Math.floor(dice() * 5); i++) wrong(show((now + height) % steps));
    } else if (isCalm && may('zeros', 0.02)) {
      for (let i = 0; i < 1 + Math.floor(dice() * 6); i++) wrong(0);
    } else if (isCalm && may('swaps', 0.006)) {
      await settle();
      await swap();
    } else if (may('kills', 0.005)) {
      await settle();
      await room.kill();
      pass(Math.floor(dice() * 20 * minute));
    } else if (may('away', 0.02)) pass(Math.floor(dice() * (steps > 1e6 ? 9 * hour : 20 * minute)));
    else if (may('backlog', 0.01)) await backlog();
    else if (may('clock', 0.015)) {
      const jump = Math.floor((dice() - 0.5) * 3 * hour);
      skew += jump;
      clock.step(jump);
      pass(minute);
    }
    read();
    if (waiting.length >= 40) {
      await settle();
      await room.store.summarise(clock.now() - 5_000);
      if (dice() < 0.3) await room.store.maintain(clock.now());
    }
  }

  /** Another meter, which shows anything at all; it is decided reads or hours later, perhaps after a kill. */
  async function swap(): Promise<void> {
    const before = believed.at(-1)?.counted ?? 0;
    counted += Math.floor(dice() * fastest);
    // Neither near the old one nor near its own end.
    const fresh = Math.floor(steps * (0.05 + 0.3 * dice()));
    const old = (offset + counted) % steps;
    const first = Math.abs(fresh - old) < steps * 0.04 ? fresh + Math.floor(steps * 0.1) : fresh;
    offset = (first - counted + 2 * steps) % steps;
    const atFirst = counted;
    const reads = 3 + Math.floor(dice() * 60);
    const killAt = may('kills', 0.5) ? Math.floor(dice() * reads) : -1;
    for (let i = 0; i < reads; i++) {
      read();
      if (i === killAt && i > 3) {
        await settle();
        await room.kill(minute);
      }
      pass(5 * minute);
    }
    await settle();
    const [held] = room.desk.held();
    if (held === undefined) throw new Error(`seed ${seed}: the swap from ${show(old)} to ${show(first)} was not seen`);
    await room.decide(held, 'accept', Number(((atFirst - before) * step).toFixed(6)));
  }

  /** Core is away while the drivers' rings fill; what they kept comes at once, with its own times. */
  async function backlog(): Promise<void> {
    await settle();
    const kept: (() => void)[] = [];
    for (let i = 0; i < 5 + Math.floor(dice() * 100); i++) {
      pass(5 * minute);
      const [t, value, sum] = [clock.now(), shown(), counted];
      kept.push(() => {
        waiting.push(room.hear({ energy: value }, t));
        believed.push({ t, counted: sum });
      });
    }
    if (dice() < 0.3) await room.kill();
    // Sometimes the minutes are closed before it comes.
    if (dice() < 0.5) await room.store.summarise(clock.now() - 5_000);
    for (const hear of kept) hear();
    await settle();
  }

  await settle();
  clock.advance(20 * minute);
  for (let i = 0; i < 60; i++) await room.store.summarise(clock.now());
  const { history, city } = room.days(bounds);
  const inSteps = (sums: readonly (number | null)[]) =>
    sums.map((sum) => (sum === null ? null : Math.round(sum / step)));
  const truth = expected(believed, bounds);
  return {
    truth,
    history: inSteps(history.map((sum) => sum ?? 0)),
    city: inSteps(city),
    // How far floats are from the steps that they stand for: the last digit must be beyond doubt.
    noise: Math.max(...history.map((sum) => Math.abs((sum ?? 0) / step - Math.round((sum ?? 0) / step)))),
    held: room.desk.held().length,
    skew,
  };
}

/** Each trouble with two of the registers, so that all come to all in time; `npm run verify` lives every one ten times. */
const lives = (troubles: readonly Trouble[], most = 2) =>
  registers
    .map((register, r) => ({ register, r }))
    .filter((_, r) => isVerifying || (r + troubles.length * 2) % registers.length < most)
    .flatMap(({ register, r }) =>
      Array.from({ length: isVerifying ? 10 : 1 }, (_, i) => ({ register, seed: 100 * r + i + troubles.length * 7 })),
    );

async function check(troubles: readonly Trouble[], most?: number): Promise<void> {
  for (const { register, seed } of lives(troubles, most)) {
    const bounds = seed % 2 === 0 ? weeks.autumn : weeks.spring;
    const { truth, history, city, noise, held } = await live(seed, register, bounds, troubles);
    const what = `${register.name}, seed ${seed}, ${troubles.join(' and ')}`;
    expect(history, `history: ${what}`).toEqual(truth);
    expect(city, `city: ${what}`).toEqual(truth);
    expect(noise, what).toBeLessThan(0.01);
    expect(held, what).toBe(0);
  }
}

describe("the sum of each day is the meter's own, to its last digit, at home and in the city", () => {
  test('over rollovers of every width, and days of 23 and 25 hours', () => check([], 5), patience);
  test('with spikes and the zeros of a failing supply', () => check(['spikes', 'zeros']), patience);
  test('with meters swapped and accepted later', () => check(['swaps']), patience);
  test('with kills, outages and backlogs', () => check(['kills', 'away', 'backlog']), patience);
  test('with clocks that are set', () => check(['clock']), patience);
  test(
    'with all of it but the clocks',
    () => check(['spikes', 'zeros', 'swaps', 'kills', 'away', 'backlog']),
    patience,
  );
});
