import { describe, expect, test } from 'vitest';
import type { Quality, Reason } from '#edge/domain/reading.ts';
import { decodeBlock, decodeColumns, encodeBlock } from '#edge/store/codec.ts';
import { inOrder, type StoredSample, sampleCode, toStored } from '#edge/store/sample.ts';
import { signals } from '../../fixtures/store/signals.ts';
import { random, reading, start } from '../../fixtures/store/site.ts';

const good = sampleCode('number', 'good', undefined);
const numbers = (values: readonly number[]): StoredSample[] =>
  values.map((value, i) => ({ t: start + i * 1_000, d: 0, value, code: good }));

function expectExact(samples: readonly StoredSample[]): void {
  const back = decodeBlock(encodeBlock(samples));
  expect(back.length).toBe(samples.length);
  samples.forEach((sample, i) => {
    const other = back[i];
    const same =
      other !== undefined &&
      other.t === sample.t &&
      other.d === sample.d &&
      other.code === sample.code &&
      Object.is(other.value, sample.value);
    if (!same) expect(other, `sample ${i}`).toEqual(sample);
  });
}

describe('a block', () => {
  test('gives back float64 values bit for bit, whatever they are', () => {
    expectExact(numbers([0, -0, 1, -1, 0.1, 0.2, 0.1 + 0.2, 1e300, -1e-300, 5e-324, Number.MAX_VALUE]));
    expectExact(numbers([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]));
    expectExact(numbers([2 ** 53, 2 ** 53 - 1, -(2 ** 53), 2 ** 50, -(2 ** 50), 2 ** 49 + 1]));
    expectExact(numbers([Math.PI, Math.fround(Math.PI), Math.fround(230.1), 230.1]));
    expectExact(numbers([Math.fround(230.1), Math.fround(229.9), Math.fround(-0.3)]));
    expectExact([]);
  });

  test('gives back 400 random mixtures of kinds, qualities, times and values', () => {
    const next = random(7);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    const bits = new DataView(new ArrayBuffer(8));
    const anyNumber = () => {
      bits.setUint32(0, next() * 2 ** 32);
      bits.setUint32(4, next() * 2 ** 32);
      return bits.getFloat64(0);
    };
    const makers: (() => number)[] = [
      anyNumber,
      () => Math.round(next() * 1e4) / 10,
      () => Math.fround(Math.round(next() * 1e4) / 100),
      () => Math.fround(next()),
      () => Math.round((next() - 0.5) * 2 ** 52),
      () => 42,
    ];
    const qualities: Quality[] = ['good', 'uncertain', 'bad'];
    const reasons: (Reason | undefined)[] = [undefined, 'held', 'clock', 'last-usable-value', 'no-communication'];
    for (let round = 0; round < 400; round++) {
      const make = pick(makers);
      let t = Math.floor(next() * 2 ** 41);
      const samples = Array.from({ length: Math.floor(next() * 60) }, (): StoredSample => {
        t += 1 + Math.floor(next() * pick([1, 20, 10_000]));
        const d = Math.floor((next() - 0.2) * pick([0, 10, 1e9]));
        const kind = pick(['none', 'number', 'number', 'number', 'boolean', 'text'] as const);
        const value = {
          none: null,
          number: make(),
          boolean: Number(next() < 0.5),
          text: `值 ${Math.floor(next() * 3)}`,
        }[kind];
        return { t, d, value, code: sampleCode(kind, pick(qualities), pick(reasons)) };
      });
      expectExact(samples);
    }
  });

  test('gives the same columns before and after a larger block was decoded', () => {
    const few = encodeBlock(numbers([1.5, 2.5, -3.5]));
    const many = encodeBlock(numbers(Array.from({ length: 5_000 }, (_, i) => i / 8)));
    const valuesOf = (block: Uint8Array) => {
      const { count, values } = decodeColumns(block);
      return Array.from(values.slice(0, count));
    };
    expect(valuesOf(few)).toEqual([1.5, 2.5, -3.5]);
    expect(valuesOf(many).at(-1)).toBe(4_999 / 8);
    expect(valuesOf(few)).toEqual([1.5, 2.5, -3.5]);
  });

  test('whose count was damaged is an error, not an array of that size', () => {
    const block = encodeBlock(numbers([1, 2, 3]));
    expect(block[0], 'three samples are not worth deflate').toBe(0);
    const damaged = Uint8Array.from([0, 0xff, 0xff, 0xff, 0x7f, ...block.subarray(2)]);
    expect(() => decodeBlock(damaged)).toThrowError(expect.objectContaining({ code: 'STORE_BAD_BLOCK' }));
  });

  test('that is damaged is an error with a code, not a wrong value or an endless loop', () => {
    const whole = encodeBlock(numbers(Array.from({ length: 50 }, (_, i) => Math.sin(i))));
    for (const bytes of [new Uint8Array(), whole.subarray(0, 20), whole.map((b, i) => (i === 0 ? 9 : b))]) {
      expect(() => decodeBlock(bytes)).toThrowError(expect.objectContaining({ code: 'STORE_BAD_BLOCK' }));
    }
  });

  test('takes at most 3 bytes a sample for a campus with the received times kept', () => {
    const next = random(11);
    const lines: string[] = [];
    let bytes = 0;
    let count = 0;
    for (const signal of signals(next)) {
      const samples: StoredSample[] = [];
      for (let t = 0; t < 3_600_000; t += signal.step) {
        samples.push(toStored(reading('d/p', start + t + Math.floor(next() * 15), signal.next())));
      }
      const block = encodeBlock(samples);
      expectExact(samples);
      lines.push(`${signal.name} ${(block.length / samples.length).toFixed(2)}`);
      bytes += block.length;
      count += samples.length;
    }
    console.info(`bytes a sample in blocks: ${lines.join(', ')}; all ${(bytes / count).toFixed(2)}`);
    expect(bytes / count).toBeLessThan(3);
  });
});

describe('a stored sample', () => {
  test('lies at its source time when fresh, and at its received time when only kept', () => {
    const fresh = toStored(reading('d/p', start, 1, { receivedTime: start + 300 }));
    const kept = toStored(
      reading('d/p', start, 1, { receivedTime: start + 90_000, quality: 'bad', reason: 'no-communication' }),
    );
    expect([fresh.t, fresh.d]).toEqual([start, 300]);
    expect([kept.t, kept.d]).toEqual([start + 90_000, -90_000]);
  });

  test('counts once when it was sent twice, and the later arrival wins over another value for the same time', () => {
    const [a, b, c] = numbers([1, 2, 3]);
    if (a === undefined || b === undefined || c === undefined) throw new Error('three samples');
    expect(inOrder([b, a, b, { ...a, value: 9 }, c]).map((s) => s.value)).toEqual([9, 2, 3]);
  });
});
