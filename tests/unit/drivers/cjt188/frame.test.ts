import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controls, encodeFrame, framesIn, isAnswerTo } from '#edge/drivers/cjt188/frame.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const all = (raw: Buffer) => [...framesIn(raw)].map(({ frame }) => frame);

describe('a CJ/T 188 frame', () => {
  it('is written as the published examples are', () => {
    const read = { type: 0x10, address: '78330011223344', control: controls.read, data: bytes('1F 90 00') };
    expect(encodeFrame(read, 0)).toEqual(bytes('68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16'));
    const anybody = { type: 0x10, address: 'AAAAAAAAAAAAAA', control: controls.read, data: bytes('90 1F 01') };
    expect(encodeFrame(anybody, 3)).toEqual(bytes('FE FE FE 68 10 AA AA AA AA AA AA AA 01 03 90 1F 01 D2 16'));
    const heat = { type: 0x20, address: '00000040314132', control: controls.read, data: bytes('90 1F 01') };
    expect(encodeFrame(heat, 0)).toEqual(bytes('68 20 32 41 31 40 00 00 00 01 03 90 1F 01 20 16'));
    const open = { type: 0x10, address: '00000805000001', control: 0x2a, data: bytes('A0 17 00 55') };
    expect(encodeFrame(open, 3)).toEqual(bytes('FE FE FE 68 10 01 00 00 05 08 00 00 2A 04 A0 17 00 55 C0 16'));
  });

  it('is read as the published examples say', () => {
    expect(all(bytes('FE FE FE 68 10 01 00 00 05 08 00 00 AA 05 A0 17 00 01 FF EC 16'))).toEqual([
      { type: 0x10, address: '00000805000001', control: 0xaa, data: bytes('A0 17 00 01 FF') },
    ]);
  });

  it('is not taken from the widely copied sample whose checksum is wrong', () => {
    const sample =
      'FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84';
    expect(all(bytes(`${sample} 08 16`))).toEqual([]);
    expect(all(bytes(`${sample} 13 16`))).toHaveLength(1);
  });

  it('is not taken with one bit turned or cut short', () => {
    const good = bytes('68 10 01 00 00 05 08 00 00 AA 05 A0 17 00 01 FF EC 16');
    for (let i = 0; i < good.length; i++) {
      const spoiled = Buffer.from(good);
      spoiled[i] = (good[i] ?? 0) ^ 0x01;
      expect(all(spoiled), `byte ${i}`).toEqual([]);
      expect(all(good.subarray(0, i)), `${i} bytes`).toEqual([]);
    }
  });

  it('is found behind noise and comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0xfe, 0x68, 0x16, 0x00, 0x10, 0x81), { maxLength: 40 }),
        fc.stringMatching(/^[0-9]{14}$/),
        fc.uint8Array({ maxLength: 100 }),
        (noise, address, data) => {
          const frame = { type: 0x20, address, control: 0x81, data: Buffer.from(data) };
          const raw = Buffer.concat([Buffer.from(noise), encodeFrame(frame, 2), bytes('00 16')]);
          expect(all(raw).find((one) => one.address === address && one.type === 0x20)).toEqual(frame);
        },
      ),
    );
  });

  it('answers a question only with its function code or its refusal', () => {
    const frame = (control: number) => ({ type: 0x10, address: '78330011223344', control, data: Buffer.alloc(0) });
    const answers = (control: number) => isAnswerTo(controls.read, frame(control));
    expect([0x81, 0xc1].map(answers)).toEqual([true, true]);
    expect([0x01, 0x84, 0x83, 0xc4].map(answers)).toEqual([false, false, false, false]);
  });
});
