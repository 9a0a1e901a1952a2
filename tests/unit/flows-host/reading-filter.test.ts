import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import type { Quality, Reading, Value } from '#edge/domain/reading.ts';
import { ReadingFilter, type ReadingFilterOptions } from '#edge/flows-host/reading-filter.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

let clock: ManualClock;
let sent: unknown[];
const open: ReadingFilter[] = [];
beforeEach(() => {
  clock = new ManualClock(1_800_000_000_000);
  sent = [];
});
afterEach(() => {
  for (const filter of open.splice(0)) filter[Symbol.dispose]();
});

const filterOf = (more: Partial<ReadingFilterOptions>) => {
  const send = ({ value, quality }: Reading) => void sent.push(quality === 'good' ? value : quality);
  const filter = new ReadingFilter({ delta: 0, period: 0, qualityChanges: false, clock, send, ...more });
  open.push(filter);
  return filter;
};
const reading = (value: Value, quality: Quality = 'good', ref = 'm/power'): Reading => ({
  ref: ref as PointRef,
  device: 'm' as DeviceId,
  point: 'power' as PointName,
  value,
  unit: 'W',
  quality,
  sourceTime: 0,
  receivedTime: 0,
});

describe('the filter of readings', () => {
  it('lets every good reading through while nothing is asked of it', () => {
    const filter = filterOf({});
    for (const value of [1, 1, 2]) filter.take(reading(value));
    filter.take(reading(3, 'uncertain'));
    expect(sent).toEqual([1, 1, 2]);
  });

  it('waits until a number has moved by its least change, slowly or at once', () => {
    const filter = filterOf({ delta: 10 });
    for (const value of [100, 104, 108, 109.9, 110, 101, 99]) filter.take(reading(value));
    expect(sent).toEqual([100, 110, 99]);
  });

  it('says of what is no number each change', () => {
    const filter = filterOf({ delta: 1 });
    for (const value of [true, true, false, 'a', 'a']) filter.take(reading(value));
    expect(sent).toEqual([true, false, 'a']);
  });

  it('says at most one of a point in a period, and then the last one that was withheld', () => {
    const filter = filterOf({ period: 60_000 });
    for (const value of [1, 2, 3]) filter.take(reading(value));
    filter.take(reading(7, 'good', 'm/other'));
    expect(sent).toEqual([1, 7]);
    clock.advance(60_000);
    filter.release();
    expect(sent).toEqual([1, 7, 3]);
    filter.take(reading(4));
    expect(sent).toEqual([1, 7, 3]);
    clock.advance(60_000);
    filter.take(reading(5));
    filter.release();
    expect(sent).toEqual([1, 7, 3, 5]);
  });

  it('says what it withheld by itself when the time has come', async () => {
    const filter = filterOf({ period: 30, clock: { now: () => 0, monotonic: () => performance.now() } });
    for (const value of [1, 2]) filter.take(reading(value));
    expect(sent).toEqual([1]);
    await vi.waitFor(() => expect(sent).toEqual([1, 2]), { timeout: 5_000 });
  });

  it('forgets a movement that went back before it could be said', () => {
    const filter = filterOf({ delta: 5, period: 1_000 });
    for (const value of [10, 20, 11]) filter.take(reading(value));
    clock.advance(1_000);
    filter.release();
    expect(sent).toEqual([10]);
  });

  it('says changes of quality when it is asked to, once each', () => {
    const filter = filterOf({ delta: 100, qualityChanges: true });
    expect(filter.take(reading(1))).toBe(false);
    expect(filter.take(reading(1, 'bad'))).toBe(true);
    filter.take(reading(1, 'bad'));
    expect(filter.take(reading(1))).toBe(true);
    expect(sent).toEqual([1, 'bad', 1]);
  });

  it('turns 10,000 readings a second of a noisy meter into one message a minute', () => {
    const filter = filterOf({ delta: 50, period: 60_000 });
    for (let i = 0; i < 100_000; i++) {
      clock.advance(0.1);
      filter.take(reading(1_000 + 100 * Math.sin(i)));
    }
    expect(sent).toHaveLength(1);
  });
});
