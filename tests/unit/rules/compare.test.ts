import { describe, expect, it } from 'vitest';
import { createGlob } from '#edge/domain/glob.ts';
import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import type { Comparison } from '#edge/domain/rule.ts';
import { compare } from '#edge/rules/compare.ts';
import { ref } from './small-campus.ts';

function reading(value: Value | null, quality: Quality = 'good', reason?: Reason): Reading {
  const name = ref('meter-main/current_l1');
  const [device, point] = ['meter-main' as Reading['device'], 'current_l1' as Reading['point']];
  const base = { ref: name, device, point, value, unit: 'A', quality, sourceTime: 0, receivedTime: 0 };
  return reason === undefined ? base : { ...base, reason };
}

/** The verdicts along a series of values, each leaning on the one before. */
function along(test: Comparison, values: readonly number[]): (boolean | null)[] {
  let before = false;
  return values.map((value) => {
    const verdict = compare(test, reading(value), before);
    before = verdict ?? before;
    return verdict;
  });
}

describe('a comparison', () => {
  it('above a limit is over only the hysteresis below it', () => {
    expect(along({ above: 100, hysteresis: 5 }, [100, 100.1, 99, 95.1, 95, 99, 101])).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('below a limit is over only the hysteresis above it', () => {
    expect(along({ below: 18, hysteresis: 1 }, [18, 17.9, 18.5, 19, 18.5])).toEqual([false, true, true, false, false]);
  });

  it('without hysteresis is what it says', () => {
    expect(along({ above: 100 }, [101, 100, 101])).toEqual([true, false, true]);
  });

  it('of equality never takes 1 for true', () => {
    expect(compare({ is: true }, reading(1), false)).toBe(false);
    expect(compare({ is: 'open' }, reading('open'), false)).toBe(true);
  });

  it('has no verdict on what is bad, stale, missing or no number, and has one on what was heard with a doubt', () => {
    for (const none of [
      reading(120, 'bad', 'device-failure'),
      reading(120, 'uncertain', 'last-usable-value'),
      reading(null),
      reading('120'),
      reading(Number.NaN),
    ]) {
      expect(compare({ above: 100 }, none, true)).toBeNull();
    }
    for (const doubt of ['out-of-range', 'not-accurate', 'clock'] as const) {
      expect(compare({ above: 100 }, reading(120, 'uncertain', doubt), false), doubt).toBe(true);
    }
  });
});

describe('a glob', () => {
  it('stays within its segment and takes nothing else for a wildcard', () => {
    expect(createGlob('smoke-*/smoke').test('smoke-101/smoke')).toBe(true);
    expect(createGlob('*').test('smoke-101/smoke')).toBe(false);
    expect(createGlob('*/*').test('smoke-101/smoke')).toBe(true);
    expect(createGlob('smoke.101/*').test('smoke-101/smoke')).toBe(false);
    expect(createGlob('relay-1/relay_1').test('relay-1/relay_12')).toBe(false);
  });
});
