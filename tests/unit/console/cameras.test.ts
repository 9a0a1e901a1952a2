import { describe, expect, test } from 'vitest';
import { gapsOf, type LedgerBucket, ledgerOf } from '../../../edge/web/console/pages/cameras/ledger.ts';
import { between, byKey, newMask, settled, yamlOf } from '../../../edge/web/console/pages/cameras/masks.ts';

const minute = 60_000;
const from = 1_795_375_800_000;

function bucket(index: number, mean: number | null, goodSeconds = 60): LedgerBucket {
  return { t: from + index * minute, mean, goodSeconds };
}

describe('the listening ledger', () => {
  test('only a minute that was good and true is listened to; what is not told is a gap', () => {
    const { spans, share } = ledgerOf(
      [bucket(0, 1), bucket(1, 1), bucket(2, 0), bucket(4, 1)],
      from,
      from + 5 * minute,
      minute,
    );
    expect(spans).toEqual([
      { kind: 'listened', from, to: from + 2 * minute },
      { kind: 'gap', from: from + 2 * minute, to: from + 4 * minute },
      { kind: 'listened', from: from + 4 * minute, to: from + 5 * minute },
    ]);
    expect(share).toBeCloseTo(3 / 5);
  });

  test('a minute of bad quality is a gap though the last value was true', () => {
    const { spans, share } = ledgerOf([bucket(0, 1), bucket(1, null, 0)], from, from + 2 * minute, minute);
    expect(spans.map(({ kind }) => kind)).toEqual(['listened', 'gap']);
    expect(share).toBeCloseTo(0.5);
  });

  test('a minute half listened to is told as that, and counts as half', () => {
    const { spans, share } = ledgerOf([bucket(0, 1), bucket(1, 0.5)], from, from + 2 * minute, minute);
    expect(spans.map(({ kind }) => kind)).toEqual(['listened', 'partly']);
    expect(share).toBeCloseTo(0.75);
  });

  test('before the camera was known nothing was missed, and nothing counts', () => {
    const { spans, share, knownFrom } = ledgerOf(
      [bucket(2, 1, 15), bucket(3, 1, 30)],
      from,
      from + 3.5 * minute,
      minute,
    );
    expect(knownFrom).toBe(from + 2.75 * minute);
    expect(spans).toEqual([
      { kind: 'before', from, to: from + 2.75 * minute },
      { kind: 'listened', from: from + 2.75 * minute, to: from + 3.5 * minute },
    ]);
    expect(share).toBe(1);
  });

  test('of a camera that was never heard of there is no share', () => {
    expect(ledgerOf([], from, from + minute, minute)).toEqual({
      spans: [{ kind: 'before', from, to: from + minute }],
      share: null,
      knownFrom: null,
    });
  });

  test('gaps that touch are one, the longest first', () => {
    const at = (index: number) => from + index * minute;
    expect(
      gapsOf([
        { kind: 'gap', from: at(0), to: at(1) },
        { kind: 'listened', from: at(1), to: at(2) },
        { kind: 'partly', from: at(2), to: at(3) },
        { kind: 'gap', from: at(3), to: at(6) },
        { kind: 'before', from: at(6), to: at(9) },
      ]),
    ).toEqual([
      { from: at(2), to: at(6) },
      { from: at(0), to: at(1) },
    ]);
  });
});

describe('masks that are drawn', () => {
  test('two corners make a box within the picture, whichever comes first', () => {
    expect(between({ x: 0.5, y: 0.9 }, { x: 0.2, y: 0.4 })).toEqual({ x: 0.2, y: 0.4, width: 0.3, height: 0.5 });
    expect(between({ x: -3, y: 0.5 }, { x: 0.1, y: 7 })).toEqual({ x: 0, y: 0.5, width: 0.1, height: 0.5 });
  });

  test('a slip of the hand draws nothing', () => {
    expect(between({ x: 0.5, y: 0.5 }, { x: 0.51, y: 0.9 })).toBeNull();
  });

  test('arrows move it and with Shift change its size, never out of the picture', () => {
    expect(byKey(newMask, 'ArrowLeft', false)).toMatchObject({ x: 0.39, width: 0.2 });
    expect(byKey(newMask, 'ArrowDown', true)).toMatchObject({ y: 0.4, height: 0.21 });
    const atEdge = settled({ x: 0.9, y: 0.9, width: 0.1, height: 0.1 });
    expect(byKey(atEdge, 'ArrowRight', false)).toEqual(atEdge);
    expect(byKey(atEdge, 'ArrowRight', true)).toEqual(atEdge);
    expect(byKey(newMask, 'a', false)).toBeNull();
  });

  test('what is to be copied is a piece of the site file', () => {
    expect(yamlOf('camera-gate', [{ x: 0.1, y: 0.2, width: 0.3, height: 0.4 }])).toBe(
      'cameras:\n  byCamera:\n    camera-gate:\n      masks:\n        - {x: 0.1, y: 0.2, width: 0.3, height: 0.4}',
    );
    expect(yamlOf('camera-gate', [])).toMatch(/masks: \[\]$/);
  });
});
