import { describe, expect, it } from 'vitest';
import { toWire } from '#bridge/contract/bodies.ts';
import { decodeFrame, encodeFrame, type FrameHeader, maxFrameBytes, maxHeaderBytes } from '#bridge/contract/frame.ts';
import { readAnswer, readHello, readWill } from '#bridge/contract/messages.ts';
import { campusFilters, parseUpTopic, shardOf, upTopic, willTopic } from '#bridge/contract/topics.ts';
import { WireError } from '#bridge/contract/wire-error.ts';

const header: FrameHeader = {
  v: 1,
  c: '3144012345',
  l: 'event',
  e: 1,
  s: 7,
  t0: 1_000,
  t1: 2_000,
  n: 1,
  ct: 'json',
  min: 3,
};
const raw = (json: unknown, body = ''): Buffer => {
  const head = Buffer.from(JSON.stringify(json));
  const length = Buffer.alloc(2);
  length.writeUInt16LE(head.length);
  return Buffer.concat([length, head, Buffer.from(body)]);
};
const failure = (act: () => unknown): { code: string; message: string } => {
  try {
    act();
  } catch (error) {
    if (error instanceof WireError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
};

/** Same numbers on every run: a fuzz that fails must fail again. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('frame', () => {
  it('comes back as it went', () => {
    const body = Buffer.from([0, 255, 128, 1]);
    const read = decodeFrame(encodeFrame({ header, body }));
    expect(read.header).toEqual(header);
    expect(Buffer.compare(read.body, body)).toBe(0);
  });

  it('is the same bytes whatever the order of the header keys was', () => {
    const turned = Object.fromEntries(Object.entries(header).reverse()) as FrameHeader;
    const body = Buffer.from('{}');
    expect(encodeFrame({ header: turned, body }).equals(encodeFrame({ header, body }))).toBe(true);
  });

  it('ignores header keys that a newer edge has added', () => {
    expect(decodeFrame(raw({ ...header, later: { a: 1 } })).header).toEqual(header);
  });

  it.each([
    ['a version of the future', raw({ ...header, v: 2 }), 'WIRE_VERSION', 'v: version 2'],
    ['no version', raw({ ...header, v: undefined }), 'WIRE_HEADER', 'v:'],
    ['a campus that is none', raw({ ...header, c: '12' }), 'WIRE_HEADER', 'c: must be 10 digits'],
    ['a sequence of zero', raw({ ...header, s: 0 }), 'WIRE_HEADER', 's:'],
    ['a fractional epoch', raw({ ...header, e: 1.5 }), 'WIRE_HEADER', 'e:'],
    ['times in the wrong order', raw({ ...header, t1: 1 }), 'WIRE_HEADER', 't1: must not be before t0'],
    ['min above s', raw({ ...header, min: 8 }), 'WIRE_HEADER', 'min: must not be above s'],
    ['a header that is no JSON', Buffer.from([3, 0, 1, 2, 3]), 'WIRE_HEADER', 'is not UTF-8 JSON'],
    ['a header cut short', Buffer.from([200, 0, 1]), 'WIRE_TRUNCATED', '200 bytes announced, 1 came'],
    ['nothing', Buffer.alloc(0), 'WIRE_TRUNCATED', '0 bytes'],
    ['a header above its cap', Buffer.alloc(9_000, 255), 'WIRE_TOO_LARGE', `at most ${maxHeaderBytes}`],
    ['a frame above its cap', Buffer.alloc(maxFrameBytes + 1), 'WIRE_TOO_LARGE', `at most ${maxFrameBytes}`],
  ])('refuses %s, naming it', (_, bytes, code, part) => {
    const { code: said, message } = failure(() => decodeFrame(bytes));
    expect(said).toBe(code);
    expect(message).toContain(part);
  });

  it('does not encode what a decoder would refuse', () => {
    expect(failure(() => encodeFrame({ header: { ...header, s: -1 }, body: Buffer.alloc(0) })).code).toBe(
      'WIRE_HEADER',
    );
    const large = Buffer.alloc(maxFrameBytes);
    expect(failure(() => encodeFrame({ header, body: large })).code).toBe('WIRE_TOO_LARGE');
  });

  it('throws nothing but coded errors for 10,000 random and damaged inputs', () => {
    const random = generator(7);
    const good = encodeFrame({ header, body: Buffer.from('{"a":1}') });
    let refused = 0;
    for (let round = 0; round < 10_000; round++) {
      const bytes = round % 2 === 0 ? Buffer.alloc(Math.floor(random() * 300)) : Buffer.from(good);
      const damage = round % 2 === 0 ? bytes.length : 1 + Math.floor(random() * 4);
      for (let i = 0; i < damage; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      for (const read of [decodeFrame, readHello, readAnswer, readWill]) {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(30_000);
  });

  it('throws nothing but coded errors for any JSON as a body', () => {
    const values = [
      null,
      0,
      '',
      [],
      {},
      { rows: 1 },
      { rows: [null] },
      { data: [] },
      JSON.parse('{"__proto__":{"a":1}}'),
    ];
    for (const value of values) {
      for (const lane of ['alarm', 'event', 'agg1m', 'health'] as const) {
        expect(failure(() => toWire(lane, value)).code).toBe('WIRE_BODY');
      }
    }
  });
});

describe('city topics', () => {
  it('put a campus into the shard that FNV-1a gives, for ever', () => {
    // Computed once by hand from the published FNV-1a test vectors' algorithm; a change would move every campus.
    expect(['3144012345', '3151000001', '2144000777'].map(shardOf)).toEqual([
      shardFnv('3144012345'),
      shardFnv('3151000001'),
      shardFnv('2144000777'),
    ]);
    expect(shardOf('')).toBe(0x811c9dc5 % 64);
    expect(shardOf('foobar')).toBe(0xbf9cf968 % 64);
  });

  it('come back as they went', () => {
    const address = { shard: shardOf('3144012345'), campus: '3144012345' };
    expect(parseUpTopic(upTopic(address, 'agg1m'))).toEqual({ ...address, kind: 'lane', lane: 'agg1m' });
    expect(parseUpTopic(upTopic(address, 'hello'))).toEqual({ ...address, kind: 'hello' });
    expect(parseUpTopic(willTopic(address))).toEqual({ ...address, kind: 'will' });
  });

  it('refuse another shard, another tree and anything longer', () => {
    const shard = shardOf('3144012345');
    expect(parseUpTopic(`cc/1/${(shard + 1) % 64}/3144012345/u/event`)).toBeNull();
    expect(parseUpTopic(`cc/2/${shard}/3144012345/u/event`)).toBeNull();
    expect(parseUpTopic(`cc/1/${shard}/3144012345/u/event/more`)).toBeNull();
    expect(parseUpTopic(`cc/1/${shard}/3144012345/d/ack`)).toBeNull();
  });

  it('grant a campus only what carries its own id', () => {
    const { publish, subscribe } = campusFilters({ shard: 5, campus: '3144012345' });
    expect([...publish, ...subscribe].every((filter) => filter.startsWith('cc/1/5/3144012345/'))).toBe(true);
  });
});

/** FNV-1a written a second time, with big integers. */
function shardFnv(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(hash % 64n);
}
