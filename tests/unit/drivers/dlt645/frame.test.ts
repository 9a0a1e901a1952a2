import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controls, encodeFrame, framesIn, identifierBytes, isAnswerTo } from '#edge/drivers/dlt645/frame.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const all = (raw: Buffer) => [...framesIn(raw)].map(({ frame }) => frame);

/** Published exchanges whose checksums were recomputed. */
const energy = {
  asked: '68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16',
  answered: '68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16',
};
const voltage = {
  asked: '68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16',
  answered: '68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16',
};

describe('a DL/T 645 frame', () => {
  it('is written as the published examples are', () => {
    const read = (address: string, di: string) =>
      encodeFrame({ address, control: controls.read, data: identifierBytes(di) }, 0);
    expect(read('000102030425', '00010000')).toEqual(bytes(energy.asked));
    expect(read('000000000161', '02010100')).toEqual(bytes(voltage.asked));
    const waking = encodeFrame({ address: 'AAAAAAAAAAAA', control: 0x13, data: Buffer.alloc(0) }, 4);
    expect(waking.toString('hex')).toBe('fefefefe68aaaaaaaaaaaa681300df16');
  });

  it('is read as the published examples say', () => {
    expect(all(bytes(energy.answered))).toEqual([
      { address: '000102030425', control: 0x91, data: bytes('00 00 01 00 42 06 12 00') },
    ]);
    expect(all(bytes(voltage.answered))).toEqual([
      { address: '000000000161', control: 0x91, data: bytes('00 01 01 02 01 10') },
    ]);
  });

  it('is not taken with a wrong checksum, cut short, or with another end', () => {
    const good = bytes(voltage.answered);
    for (let i = 0; i < good.length; i++) {
      const spoiled = Buffer.from(good);
      spoiled[i] = (good[i] ?? 0) ^ 0x01;
      expect(all(spoiled), `byte ${i}`).toEqual([]);
      expect(all(good.subarray(0, i)), `${i} bytes`).toEqual([]);
    }
  });

  it('is found behind noise, whatever it looks like, and what follows it is left', () => {
    const frame = bytes(energy.answered);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0xfe, 0x68, 0x16, 0x00, 0x91, 0x04), { maxLength: 40 }),
        fc.uint8Array({ maxLength: 20 }),
        (noise, tail) => {
          const raw = Buffer.concat([Buffer.from(noise), frame, Buffer.from(tail)]);
          const found = [...framesIn(raw)].find(({ frame: one }) => one.address === '000102030425');
          expect(found?.frame.data).toEqual(bytes('00 00 01 00 42 06 12 00'));
          expect(found?.consumed).toBe(noise.length + frame.length);
        },
      ),
    );
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9]{12}$/),
        fc.nat(255),
        fc.uint8Array({ maxLength: 200 }),
        (address, control, data) => {
          const frame = { address, control, data: Buffer.from(data) };
          expect(all(encodeFrame(frame, 4))[0]).toEqual(frame);
        },
      ),
    );
  });

  it('answers a question only with its function code, refused or with more to follow', () => {
    const frame = (control: number) => ({ address: '000000000161', control, data: Buffer.alloc(0) });
    expect([0x91, 0xb1, 0xd1].map((control) => isAnswerTo(controls.read, frame(control)))).toEqual([true, true, true]);
    // The echo of our own question (two-wire adapters), another function, and a function of the master.
    expect([0x11, 0x93, 0x92, 0x51].map((control) => isAnswerTo(controls.read, frame(control)))).toEqual(
      Array(4).fill(false),
    );
  });
});
