import { describe, expect, it } from 'vitest';
import { decodeWav, layOutWav } from '#edge/media/wav.ts';
import { dominantTone, levelOf } from '#edge/simulators/tone.ts';

const never = new AbortController().signal;

interface Shape {
  tag: number;
  bits: number;
  channels: number;
  rate: number;
}

/** A WAV file whose samples a function writes; every field can be falsified by the caller afterwards. */
function wavFile(
  { tag, bits, channels, rate }: Shape,
  frames: number,
  put: (b: Buffer, at: number, i: number) => void,
) {
  const width = bits / 8;
  const file = Buffer.alloc(44 + frames * channels * width);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(tag, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * channels * width, 28);
  file.writeUInt16LE(channels * width, 32);
  file.writeUInt16LE(bits, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(file.length - 44, 40);
  for (let i = 0; i < frames * channels; i++) put(file, 44 + i * width, Math.floor(i / channels));
  return file;
}

const sine = (hertz: number, rate: number, i: number) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate);
const mono16 = (hertz: number, rate: number, seconds = 1) =>
  wavFile({ tag: 1, bits: 16, channels: 1, rate }, Math.round(rate * seconds), (b, at, i) => {
    b.writeInt16LE(Math.round(32_767 * sine(hertz, rate, i)), at);
  });
/** The middle, away from the edges of the filter. */
const middle = (pcm: Int16Array) => pcm.subarray(2000, 6000);

describe('a WAV file', () => {
  it.each([
    ['8-bit', { tag: 1, bits: 8 }, (b: Buffer, at: number, v: number) => b.writeUInt8(Math.round(128 + 127 * v), at)],
    [
      '24-bit',
      { tag: 1, bits: 24 },
      (b: Buffer, at: number, v: number) => b.writeIntLE(Math.round(0x7fffff * v), at, 3),
    ],
    [
      '32-bit',
      { tag: 1, bits: 32 },
      (b: Buffer, at: number, v: number) => b.writeInt32LE(Math.round(0x7fffffff * v), at),
    ],
    ['float', { tag: 3, bits: 32 }, (b: Buffer, at: number, v: number) => b.writeFloatLE(v, at)],
    ['double', { tag: 3, bits: 64 }, (b: Buffer, at: number, v: number) => b.writeDoubleLE(v, at)],
  ])('of %s stereo at 44.1 kHz becomes the same tone at 8 kHz mono', async (_name, format, put) => {
    const file = wavFile({ ...format, channels: 2, rate: 44_100 }, 44_100, (b, at, i) =>
      put(b, at, sine(1000, 44_100, i)),
    );
    const pcm = await decodeWav(file, never);
    expect(pcm.length).toBe(8000);
    expect(dominantTone(middle(pcm), 8000)).toBe(1000);
    // A sine of half scale is 9 dB down.
    expect(levelOf(middle(pcm))).toBeCloseTo(-9.03, 0);
  });

  it.each([4000, 8000, 11_025, 16_000, 22_050, 44_101, 48_000, 192_000])(
    'at %i Hz keeps a tone of the pass band within 0.3 dB',
    async (rate) => {
      const pcm = await decodeWav(mono16(1000, rate), never);
      expect(pcm.length).toBe(8000);
      expect(dominantTone(middle(pcm), 8000)).toBe(1000);
      expect(Math.abs(levelOf(middle(pcm)) + 9.03)).toBeLessThan(0.3);
    },
  );

  it('loses what 8 kHz cannot carry instead of folding it back', async () => {
    const pcm = await decodeWav(mono16(7000, 44_100), never);
    expect(levelOf(middle(pcm))).toBeLessThan(-65);
  });

  it('of an extensible format with an odd chunk before the data is understood', async () => {
    const plain = mono16(440, 8000);
    const fmt = Buffer.alloc(48);
    fmt.write('fmt ', 0, 'latin1');
    fmt.writeUInt32LE(40, 4);
    plain.copy(fmt, 8, 20, 36);
    fmt.writeUInt16LE(0xfffe, 8);
    fmt.writeUInt16LE(1, 32);
    const odd = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const pcm = await decodeWav(Buffer.concat([plain.subarray(0, 12), fmt, odd, plain.subarray(36)]), never);
    expect(dominantTone(middle(pcm), 8000)).toBe(440);
  });

  it('written to a pipe, with unknown lengths, is read to its end', () => {
    const file = mono16(440, 8000);
    file.writeUInt32LE(0xffffffff, 40);
    expect(layOutWav(file).length).toBe(16_000);
  });

  const falsified = (change: (file: Buffer) => number) => (file: Buffer) => {
    change(file);
    return file;
  };
  const damaged: [string, (file: Buffer) => Buffer, string][] = [
    ['empty', () => Buffer.alloc(0), 'at byte 0: the file ends inside the RIFF header'],
    ['a picture', () => Buffer.from('\x89PNG\r\n\x1a\n rest of it'), 'at byte 0: expected "RIFF"'],
    ['an AVI', falsified((f) => f.write('AVI ', 8, 'latin1')), 'at byte 8: expected "WAVE", found "AVI "'],
    ['truncated', (f) => f.subarray(0, 1000), 'at byte 36: the data chunk claims 16000 bytes, but only 956 are there'],
    ['cut in its header', (f) => f.subarray(0, 30), 'at byte 12: the "fmt " chunk claims 16 bytes, but only 10'],
    ['without a data chunk', (f) => f.subarray(0, 36), 'at byte 36: there is no data chunk'],
    [
      'with data first',
      (f) => Buffer.concat([f.subarray(0, 12), f.subarray(36)]),
      'at byte 12: the data chunk comes before',
    ],
    ['MP3 inside', falsified((f) => f.writeUInt16LE(0x55, 20)), 'at byte 20: format 85 with 16 bits is not PCM'],
    ['of 6 channels', falsified((f) => f.writeUInt16LE(6, 22)), 'at byte 22: 6 channels'],
    ['of 0 Hz', falsified((f) => f.writeUInt32LE(0, 24)), 'at byte 24: a rate of 0 Hz'],
    ['of 4 GHz', falsified((f) => f.writeUInt32LE(0xffffffff, 24)), 'at byte 24: a rate of 4294967295 Hz'],
    ['with a false block align', falsified((f) => f.writeUInt16LE(0, 32)), 'at byte 32: a block align of 0'],
    [
      'with half a sample',
      falsified((f) => f.writeUInt32LE(15_999, 40)),
      'at byte 36: 15999 bytes of data are not a whole',
    ],
    ['without sound', falsified((f) => f.writeUInt32LE(0, 40)), 'at byte 36: the data chunk is empty'],
    [
      'with a chunk of 4 GB',
      falsified((f) => f.write('junk\xf0\xff\xff\xff', 12, 'latin1')),
      'at byte 12: the "junk" chunk',
    ],
  ];
  it.each(damaged)('that is %s is refused by name and place', (_name, damage, message) => {
    expect(() => layOutWav(damage(mono16(440, 8000)))).toThrow(message);
  });

  it('with a float that is not a number names its byte', async () => {
    const file = wavFile({ tag: 3, bits: 32, channels: 1, rate: 8000 }, 100, (b, at, i) => {
      b.writeFloatLE(i === 7 ? Number.NaN : 0, at);
    });
    await expect(decodeWav(file, never)).rejects.toThrow('at byte 72: a sample is not a number');
  });

  it('that lasts too long is refused before it is decoded', async () => {
    await expect(decodeWav(mono16(440, 8000, 3), never, { seconds: 2 })).rejects.toMatchObject({
      code: 'WAV_TOO_LONG',
    });
  });

  it('whose decoding is aborted stops', async () => {
    await expect(decodeWav(mono16(440, 44_100, 5), AbortSignal.abort(new Error('stopping')))).rejects.toThrow(
      'stopping',
    );
  });

  it('of random bytes never does anything but decode or say WAV_INVALID', async () => {
    let refused = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const file = mono16(440, 8000, 0.05);
      // A linear congruential generator: the same damage in every run.
      let state = seed * 7919;
      for (let i = 0; i < 6; i++) {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        file[state % 44] = (state >> 8) & 0xff;
      }
      try {
        expect((await decodeWav(file, never)).length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^WAV_/) });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});
