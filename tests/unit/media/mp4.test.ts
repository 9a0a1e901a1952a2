import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fragment } from '#edge/media/hub.ts';
import { boxesIn } from '#edge/media/mp4-boxes.ts';
import { readFragment } from '#edge/media/mp4-fragment.ts';
import { type Mp4Track, readInit } from '#edge/media/mp4-init.ts';
import { Mp4Splitter } from '#edge/media/mp4-splitter.ts';

/* Boxes built by hand, by the letter of ISO/IEC 14496-12: no muxer is asked what it thinks a box looks like. */

const u32 = (...words: number[]) =>
  Buffer.concat(words.map((word) => Buffer.from([word >>> 24, word >>> 16, word >>> 8, word])));
const u16 = (word: number) => Buffer.from([word >>> 8, word]);

function box(type: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
}

const avcC = box('avcC', Buffer.from([1, 0x64, 0, 0x1f, 0xff, 0xe0, 0]));
/** Main profile, level 3.1, compatibility flags of profiles 1 and 2. */
const hvcC = box('hvcC', Buffer.from([1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd]));

function sampleEntry(type: string, config: Buffer): Buffer {
  return box(type, Buffer.alloc(24), u16(640), u16(360), Buffer.alloc(50), config);
}

function initOf(entry: Buffer, { handler = 'vide', timescale = 90_000, trexFlags = 0 } = {}): Buffer {
  const stsd = box('stsd', u32(0, 1), entry);
  const trak = box(
    'trak',
    box('tkhd', u32(0, 0, 0, 1), Buffer.alloc(68)),
    box(
      'mdia',
      box('mdhd', u32(0, 0, 0, timescale, 0, 0)),
      box('hdlr', u32(0, 0), Buffer.from(handler), Buffer.alloc(13)),
      box('minf', box('stbl', stsd)),
    ),
  );
  const mvex = box('mvex', box('trex', u32(0, 1, 1, 3_600, 0, trexFlags)));
  return Buffer.concat([
    box('ftyp', Buffer.from('iso5'), u32(512)),
    box('moov', box('mvhd', Buffer.alloc(100)), trak, mvex),
  ]);
}

function fragmentOf(time: number, { key = true, bytes = 20, duration = 3_600 } = {}): Buffer {
  const traf = box(
    'traf',
    box('tfhd', u32(0x02_00_20, 1, key ? 0x02_00_00_00 : 0x01_01_00_00)),
    box('tfdt', u32(0x01_00_00_00, 0, time)),
    box('trun', u32(0x03_01, 1, 100, duration, bytes)),
  );
  return Buffer.concat([box('moof', box('mfhd', u32(0, 1)), traf), box('mdat', Buffer.alloc(bytes, 7))]);
}

function split(chunks: readonly Buffer[]): { tracks: Mp4Track[]; fragments: Fragment[] } {
  const tracks: Mp4Track[] = [];
  const fragments: Fragment[] = [];
  const splitter = new Mp4Splitter({
    init: (_bytes, track) => void tracks.push(track),
    fragment: (fragment) => void fragments.push(fragment),
  });
  for (const [index, chunk] of chunks.entries()) splitter.push(chunk, 1_000 + index);
  return { tracks, fragments };
}

describe('an init segment', () => {
  it('says codec, size and timescale of H.264', () => {
    expect(readInit(initOf(sampleEntry('avc1', avcC)))).toEqual({
      id: 1,
      codec: 'avc1.64001f',
      width: 640,
      height: 360,
      timescale: 90_000,
      defaultFlags: 0,
      defaultDuration: 3_600,
    });
  });

  it('spells H.265 as browsers ask for it', () => {
    expect(readInit(initOf(sampleEntry('hvc1', hvcC))).codec).toBe('hvc1.1.6.L93.90');
  });

  it.each([
    ['sound only', initOf(sampleEntry('mp4a', avcC), { handler: 'soun' }), /no picture track/],
    ['a codec nobody knows', initOf(sampleEntry('vp09', avcC)), /vp09 is neither/],
    ['a timescale of 0', initOf(sampleEntry('avc1', avcC), { timescale: 0 }), /timescale is 0/],
    ['no moov', box('ftyp'), /no moov/],
    ['nothing', Buffer.alloc(0), /no moov/],
  ])('with %s is refused in words', (_name, bytes, message) => {
    expect(() => readInit(bytes)).toThrow(message);
  });
});

describe('a fragment', () => {
  const track = readInit(initOf(sampleEntry('avc1', avcC)));

  it('says its time in ms and whether it begins with a key frame', () => {
    expect(readFragment(fragmentOf(180_000), track)).toEqual({ time: 2_000, duration: 40, isKey: true, samples: 1 });
    expect(readFragment(fragmentOf(183_600, { key: false }), track)).toMatchObject({ time: 2_040, isKey: false });
  });

  it('without flags of its own has those of the track', () => {
    const bare = box('moof', box('traf', box('tfhd', u32(0, 1)), box('trun', u32(0, 3))));
    expect(readFragment(bare, track)).toEqual({ time: 0, duration: 120, isKey: true, samples: 3 });
    const nonSync = readInit(initOf(sampleEntry('avc1', avcC), { trexFlags: 0x01_01_00_00 }));
    expect(readFragment(bare, nonSync)).toMatchObject({ isKey: false });
  });

  it('of another track is nobody’s', () => {
    expect(readFragment(box('moof', box('traf', box('tfhd', u32(0, 9)), box('trun', u32(0, 3)))), track)).toBeNull();
  });

  it('that counts more samples than it has bytes is refused without reading on', () => {
    const hostile = box('moof', box('traf', box('tfhd', u32(0, 1)), box('trun', u32(0x01_00, 50_000, 1))));
    expect(() => readFragment(hostile, track)).toThrow(/ends too early/);
    const huge = box('moof', box('traf', box('tfhd', u32(0, 1)), box('trun', u32(0, 0xff_ff_ff_ff))));
    expect(() => readFragment(huge, track)).toThrow(/run of 4294967295/);
  });
});

describe('the cutting of a stream', () => {
  const init = initOf(sampleEntry('avc1', avcC));
  const stream = Buffer.concat([
    init,
    fragmentOf(0),
    box('styp', Buffer.alloc(4)),
    fragmentOf(3_600, { key: false, bytes: 70_000 }),
    fragmentOf(7_200, { key: false }),
  ]);

  it('gives the same parts however the bytes are cut', () => {
    const whole = split([stream]).fragments.map(({ bytes, time }) => ({ bytes, time }));
    expect(whole.map(({ time }) => time)).toEqual([0, 40, 80]);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
        const cut = split(chunks).fragments.map(({ bytes, time }) => ({ bytes, time }));
        expect(cut).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('stamps a fragment with the time of its first byte', () => {
    const first = init.length + fragmentOf(0).length;
    const { fragments } = split([
      stream.subarray(0, first - 1),
      stream.subarray(first - 1, first),
      stream.subarray(first),
    ]);
    expect(fragments.map(({ arrived }) => arrived)).toEqual([1_000, 1_002, 1_002]);
  });

  it.each([
    ['a box of 3 bytes', Buffer.concat([init, u32(3), Buffer.from('moof')])],
    ['a box of 2 GB', Buffer.concat([init, u32(0x7f_ff_ff_ff), Buffer.from('mdat')])],
    ['a moof of 1 MB', Buffer.concat([init, u32(1_000_000), Buffer.from('moof')])],
    ['a 64-bit size beyond all', Buffer.concat([init, u32(1), Buffer.from('mdat'), u32(0xff_ff_ff_ff, 0xff_ff_ff_ff)])],
    ['a kind that is no text', Buffer.concat([init, u32(100), Buffer.from([0, 1, 2, 3])])],
    ['pictures before their init', fragmentOf(0)],
  ])('ends at %s, and holds nothing for it', (_name, bytes) => {
    expect(() => split([bytes])).toThrow(expect.objectContaining({ code: 'MP4_INVALID' }));
  });

  it('never does anything but take or refuse garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.nat(init.length - 1), (garbage, at) => {
        const spoiled = Buffer.concat([init.subarray(0, at), garbage, init.subarray(at)]);
        try {
          boxesIn(spoiled);
          readInit(spoiled);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MP4_INVALID' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
