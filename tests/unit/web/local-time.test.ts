import { describe, expect, test } from 'vitest';
import { createLocalTime } from '#edge/web/local-time.ts';

const hour = 3_600_000;
const at = (iso: string) => Date.parse(iso);

describe('in Shanghai', () => {
  const local = createLocalTime('Asia/Shanghai');

  test('the day begins at 16:00 UTC of the day before', () => {
    expect(local.dayStart(at('2026-11-22T15:59:59.999Z'))).toBe(at('2026-11-21T16:00:00Z'));
    expect(local.dayStart(at('2026-11-22T16:00:00Z'))).toBe(at('2026-11-22T16:00:00Z'));
  });

  test('times carry their offset, and dates their day of the week', () => {
    expect(local.iso(at('2026-11-22T16:00:00.005Z'))).toBe('2026-11-23T00:00:00.005+08:00');
    expect(local.date(at('2026-11-22T15:00:00Z'))).toEqual({ date: '2026-11-22', day: 7 });
    expect(local.date(at('2026-11-22T16:00:00Z'))).toEqual({ date: '2026-11-23', day: 1 });
  });
});

describe('where clocks change', () => {
  const local = createLocalTime('Europe/Berlin');

  test('the day of the change has 23 or 25 hours', () => {
    const spring = at('2026-03-29T12:00:00Z');
    expect(local.dayStart(spring)).toBe(at('2026-03-28T23:00:00Z'));
    expect(local.dayStart(spring + 24 * hour) - local.dayStart(spring)).toBe(23 * hour);
    const autumn = at('2026-10-25T12:00:00Z');
    expect(local.dayStart(autumn)).toBe(at('2026-10-24T22:00:00Z'));
    expect(local.dayStart(autumn + 24 * hour) - local.dayStart(autumn)).toBe(25 * hour);
  });

  test('the offset is that of the instant, whichever was asked before', () => {
    expect(local.iso(at('2026-10-25T00:30:00Z'))).toBe('2026-10-25T02:30:00.000+02:00');
    expect(local.iso(at('2026-10-25T01:30:00Z'))).toBe('2026-10-25T02:30:00.000+01:00');
    expect(local.iso(at('2026-10-25T00:30:00Z'))).toBe('2026-10-25T02:30:00.000+02:00');
  });
});

test('west of Greenwich and between the hours', () => {
  expect(createLocalTime('America/St_Johns').iso(at('2026-01-01T00:00:00Z'))).toBe('2025-12-31T20:30:00.000-03:30');
  expect(createLocalTime('UTC').iso(0)).toBe('1970-01-01T00:00:00.000+00:00');
});
