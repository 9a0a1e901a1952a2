import { describe, expect, test } from 'vitest';
import type { CounterRule } from '#edge/domain/device.ts';
import {
  acceptStep,
  type CounterState,
  type CounterVerdict,
  fitsBetween,
  noteSerial,
  rejectStep,
  startCounter,
  stepCounter,
} from '#edge/ingest/counter.ts';

const rule: CounterRule = { wrap: 1_000_000, maxRate: 120 };
const minute = 60_000;
const hour = 60 * minute;

/** A meter read once a minute. */
class Meter {
  state: CounterState;
  at = 0;
  readonly rule: CounterRule;

  constructor(first: number, its = rule) {
    this.rule = its;
    this.state = startCounter(first, 0, 0);
  }

  read(value: number, after = minute): CounterVerdict {
    this.at += after;
    const verdict = stepCounter(this.rule, this.state, { value, at: this.at, heard: this.at });
    this.state = verdict.state;
    return verdict;
  }

  reads(...values: readonly number[]): CounterVerdict[] {
    return values.map((value) => this.read(value));
  }
}

const believed = (verdicts: readonly CounterVerdict[]) => verdicts.map((v) => v.believed);
const values = (verdicts: readonly CounterVerdict[]) => verdicts.map((v) => v.value);
const news = (verdicts: readonly CounterVerdict[]) => verdicts.map((v) => v.news);

describe('the gate of counters', () => {
  test('believes what a meter can do by counting', () => {
    expect(values(new Meter(100).reads(101, 102.5))).toEqual([101, 102.5]);
  });

  test('never takes a lower reading as its base: three agreeing reads open one step', () => {
    const verdicts = new Meter(53_700).reads(12, 12.1, 12.2, 12.3);
    expect(values(verdicts)).toEqual([53_700, 53_700, 53_700, 53_700]);
    expect(news(verdicts)).toEqual([null, null, 'opened', null]);
    expect(verdicts.at(-1)?.state.step).toMatchObject({ kind: 'swap', from: { value: 53_700 }, course: { agreed: 4 } });
  });

  test('forgets a single spike, up or down', () => {
    expect(values(new Meter(53_700).reads(0, 53_700.5, 99_999, 53_701))).toEqual([53_700, 53_700.5, 53_700.5, 53_701]);
  });

  test('holds leaps that do not agree, and after twenty calls a person all the same', () => {
    const meter = new Meter(100);
    const verdicts = Array.from({ length: 25 }, (_, i) =>
      meter.read(i % 2 === 0 ? 90_000 - i * 700 : 12_000 + i * 900),
    );
    expect(believed(verdicts).every((one) => !one)).toBe(true);
    expect(news(verdicts).filter((one) => one === 'opened')).toHaveLength(1);
    expect(meter.read(100.5)).toMatchObject({ believed: true, news: 'returned' });
  });

  test.each([
    ['16 bits of W.h', 65.536, 0.001],
    ['32 bits of W.h', 4_294_967.296, 0.001],
    ['six digits', 1_000_000, 0.1],
    ['BCD of DL/T 645', 1_000_000, 0.01],
    ['a float that wraps at a million', 1_000_000, 0.0625],
  ])('lets a register of %s start again at its wrap', (_, wrap, quantum) => {
    const rate = { wrap, maxRate: 10 };
    expect(new Meter(wrap - quantum, rate).read(quantum)).toMatchObject({ value: quantum, believed: true });
    expect(new Meter(wrap * 0.8, rate).read(quantum).believed).toBe(false);
    expect(new Meter(wrap * 0.999, rate).read(wrap * 0.09).believed).toBe(wrap * 0.1 < 0.2);
  });

  test('takes exactly 0 for a rollover only once three reads agree, and never where none was due', () => {
    expect(believed(new Meter(999_999.5).reads(0, 0, 0, 0.5))).toEqual([false, false, true, true]);
    expect(believed(new Meter(999_999.5).reads(0, 0.5))).toEqual([false, true]);
    const verdicts = new Meter(5_000).reads(0, 0, 0, 0, 0.4, 5_000.2);
    expect(news(verdicts)).toEqual([null, null, 'opened', null, 'changed', 'returned']);
    expect(verdicts[2]?.state.step?.kind).toBe('reset');
    expect(verdicts[4]?.state.step?.kind).toBe('swap');
  });

  test('does not come to believe a course by waiting long enough', () => {
    const meter = new Meter(100);
    meter.reads(400, 400.1, 400.2);
    for (let i = 0; i < 30; i++) expect(meter.read(401 + i / 10, hour).believed).toBe(false);
    expect(meter.state.step?.course.agreed).toBe(33);
  });

  test('goes on with a course through zeros and single strays, and takes another that stays', () => {
    const meter = new Meter(5_000);
    meter.reads(10, 10.1, 10.2);
    expect(meter.reads(77_777, 10.3, 0, 0, 0, 0, 10.4).map((v) => v.isOnCourse)).toEqual([
      ...[false, true, false, false, false, false, true],
    ]);
    const other = meter.reads(300, 300.1, 300.2, 300.3);
    expect(news(other)).toEqual([null, null, 'changed', null]);
    expect(other[2]?.adopted.map(({ value }) => value)).toEqual([300, 300.1]);
    expect(meter.state.step?.course.first.value).toBe(300);
  });

  test('counts on from the course that is accepted, and stays where it is when it is rejected', () => {
    const swapped = new Meter(5_000);
    swapped.reads(1, 1.1, 1.2);
    swapped.state = acceptStep(swapped.state);
    expect(values(swapped.reads(1.3, 1.4))).toEqual([1.3, 1.4]);
    const broken = new Meter(5_000);
    broken.reads(1, 1.1, 1.2);
    broken.state = rejectStep(broken.state);
    expect(news(broken.reads(1.3, 1.4, 1.5, 5_000.4, 5_000.5))).toEqual([null, null, null, null, null]);
    expect(broken.state.base.value).toBe(5_000.5);
    expect(broken.state.step).toBeNull();
  });

  test('holds a meter whose serial number changed, whatever it shows, until the old one is back', () => {
    const meter = new Meter(100);
    meter.state = noteSerial(meter.state, { before: 'a1', after: 'b2' }).state;
    expect(news(meter.reads(100.1, 100.2, 100.3))).toEqual([null, null, 'opened']);
    expect(meter.state.step).toMatchObject({
      kind: 'swap',
      serial: { before: 'a1', after: 'b2' },
      from: { value: 100 },
    });
    const back = noteSerial(meter.state, { before: 'b2', after: 'a1' });
    expect(back.news).toBe('changed');
    meter.state = back.state;
    expect(meter.read(100).believed).toBe(true);
  });

  test('allows for the time that passed on either clock, and an hour to a register that stood still', () => {
    const meter = new Meter(100);
    expect(meter.read(200, hour).believed).toBe(true);
    expect(new Meter(100).read(300, hour).believed).toBe(false);
    const still = new Meter(100);
    for (let i = 0; i < 10; i++) still.read(100, hour);
    expect(still.read(220).believed).toBe(true);
    expect(still.read(380).believed).toBe(false);
    // Set back by an hour within the five minutes in which it rose by 9.
    const state = startCounter(100, 10 * hour, 0);
    const back = { value: 109, at: 9 * hour + 5 * minute };
    expect(stepCounter(rule, state, { ...back, heard: 5 * minute }).believed).toBe(true);
    expect(stepCounter(rule, state, { ...back, value: 150, heard: 5 * minute }).believed).toBe(false);
    expect(stepCounter(rule, startCounter(100, 10 * hour), { ...back, heard: 0 }).believed).toBe(true);
  });

  test('takes every rise, however small, and no dip of a float for a step back', () => {
    expect(stepCounter({ maxRate: 1 }, startCounter(1000, 0), { value: 1001, at: 1000, heard: 1000 }).believed).toBe(
      true,
    );
    expect(new Meter(16_384.002).read(16_384.001)).toMatchObject({ believed: true, value: 16_384.002 });
    expect(new Meter(900_000.01).read(900_000.02).value).toBe(900_000.02);
    // Steps of 16 W.h above 131,072 kW.h.
    expect(believed(new Meter(131_072, { maxRate: 0.001 }).reads(131_072.015625, 131_072.03125))).toEqual([true, true]);
  });

  test('fits a late read between its neighbours only', () => {
    const at = (value: number, time: number) => ({ value, at: time, heard: null });
    expect(fitsBetween(rule, at(100, 0), at(200, 2 * hour), at(150, hour))).toBe(true);
    expect(fitsBetween(rule, at(100, 0), at(200, 2 * hour), at(99, hour))).toBe(false);
    expect(fitsBetween(rule, at(100, 0), at(200, 2 * hour), at(201, hour))).toBe(false);
    expect(fitsBetween(rule, at(999_990, 0), at(20, 2 * hour), at(5, hour))).toBe(true);
    expect(fitsBetween(rule, null, at(20, 2 * hour), at(5, hour))).toBe(true);
  });
});
