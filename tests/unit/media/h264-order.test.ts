import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayReorder } from '#edge/media/h264-order.ts';
import { parameterSetOfInit } from '#edge/media/mp4-parameter-sets.ts';

/* Sets that x264 wrote, and sets written here bit by bit, by the letter of ITU-T H.264. */

const hex = (text: string) => Buffer.from(text, 'hex');

const ue = (value: number): string => {
  const bits = (value + 1).toString(2);
  return '0'.repeat(bits.length - 1) + bits;
};
const u = (value: number, count: number): string => value.toString(2).padStart(count, '0');

/** With start code emulation where it is wanted (7.4.1). */
function nal(bits: string): Buffer {
  const all = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0');
  const bytes = [0x67];
  for (let at = 0; at < all.length; at += 8) {
    const byte = Number.parseInt(all.slice(at, at + 8), 2);
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3);
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

const headOf = (profile: number) => u(profile, 8) + u(0, 8) + u(31, 8) + ue(0);
const sizes = ue(4) + u(0, 1) + ue(39) + ue(22) + u(1, 1) + u(1, 1) + u(0, 1);
const orderOf0 = ue(0) + ue(0) + ue(2);
const timing = u(1, 1) + u(0, 32) + u(1, 32) + u(1, 1);
const hrd = u(1, 1) + ue(1) + u(0, 8) + (ue(9) + ue(9) + u(0, 1)).repeat(2) + u(0, 20);
const restriction = (reorder: number) => u(1, 1) + u(1, 1) + ue(0) + ue(0) + ue(10) + ue(10) + ue(reorder) + ue(4);
const use = (end: string, buffering = '00') =>
  u(1, 1) + u(0, 1) + u(0, 1) + u(0, 1) + u(0, 1) + timing + buffering + u(0, 1) + end;

describe('a parameter set of H.264', () => {
  it.each([
    ['without B-frames', '6764000cacb202833f3e0220000003002000000641e28549', false],
    ['with two B-frames', '6764000cacd941419f9f011000000300100000030320f1429960', true],
    ['of the baseline profile', '6742c00cd901419f9f011000000300100000030320f142a480', false],
    ['of 4:2:2', '677a000cbcb202833f1b80880000030008000003019078a15240', false],
    ['of fields', '67640015ace4050cfc98088000000300800000190f8a1524', false],
    [
      'with colours, buffering and a ratio of its own',
      '6764000dacb202833f3ffe029a0280d404040500000300010000030032e02001e840007a13930c01e28549',
      false,
    ],
    [
      'with all that and three B-frames',
      '6764000dacd941419f9fff014d01406a020404800000030080000019301000f420003d09c98600f1429960',
      true,
    ],
  ])('as x264 writes it %s', (_name, set, expected) => {
    expect(mayReorder(hex(set))).toBe(expected);
  });

  it.each([
    ['says nothing of it', headOf(77) + orderOf0 + sizes + u(0, 1), true],
    ['says something else', headOf(77) + orderOf0 + sizes + use(u(0, 1)), true],
    ['says that none is moved', headOf(77) + orderOf0 + sizes + use(restriction(0)), false],
    ['says that one is moved', headOf(77) + orderOf0 + sizes + use(restriction(1)), true],
    ['says it behind buffering', headOf(77) + orderOf0 + sizes + use(restriction(0), `${hrd}0${u(0, 1)}`), false],
    [
      'counts in cycles',
      headOf(77) + ue(0) + ue(1) + u(0, 1) + ue(1) + ue(2) + ue(2) + ue(3) + ue(4) + sizes + u(0, 1),
      true,
    ],
    ['shows what comes as it comes', headOf(77) + ue(0) + ue(2) + sizes + u(0, 1), false],
    [
      'has scaling lists',
      headOf(100) +
        ue(1) +
        ue(0) +
        ue(0) +
        u(0, 1) +
        u(1, 1) +
        `1${ue(16)}` +
        '0'.repeat(7) +
        orderOf0 +
        sizes +
        use(restriction(0)),
      false,
    ],
  ])('that %s', (_name, bits, expected) => {
    expect(mayReorder(nal(bits))).toBe(expected);
  });

  it('that is cut off anywhere, or noise, never says for certain what it does not', () => {
    const whole = nal(headOf(77) + orderOf0 + sizes + use(restriction(0)));
    for (let length = 0; length < whole.length - 3; length++) expect(mayReorder(whole.subarray(0, length))).toBe(true);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof mayReorder(Buffer.from(bytes))).toBe('boolean');
        const found = parameterSetOfInit(Buffer.concat([Buffer.from('avcC'), bytes]));
        expect(found === null || found.length <= bytes.length).toBe(true);
      }),
    );
  });
});
