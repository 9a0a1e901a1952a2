import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { FrameReader, packetTypes, readPublish } from '#edge/bus/frames.ts';

const publish = (topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 1) =>
  generate({ cmd: 'publish', topic, payload, qos, dup: false, retain: true, messageId: 7 });

function readAll(reader: FrameReader, cap = 1_000_000): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = reader.next(cap); frame !== null; frame = reader.next(cap)) frames.push(frame.bytes);
  return frames;
}

describe('frame reader', () => {
  test('gives the same packets however the bytes are cut', () => {
    const packets = [
      publish('a', 'x'),
      publish('教室/温度', Buffer.alloc(40_000, 1), 0),
      generate({ cmd: 'pingreq' }),
      publish('b', ''),
    ];
    const stream = Buffer.concat(packets);
    for (const size of [1, 2, 3, 7, 1_000, 39_999, stream.length]) {
      const reader = new FrameReader();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.push(Buffer.from(stream.subarray(at, at + size)));
        found.push(...readAll(reader).map((bytes) => Buffer.from(bytes)));
      }
      expect(found).toEqual(packets);
      expect(reader.pending).toBe(0);
    }
  });

  test('a packet sent byte by byte costs no more than its own size', () => {
    const reader = new FrameReader();
    const bytes = publish('a', Buffer.alloc(200_000));
    const began = performance.now();
    for (const byte of bytes) reader.push(Buffer.from([byte]));
    expect(readAll(reader)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('a claim is refused from its header alone', () => {
    const reader = new FrameReader();
    reader.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    expect(reader.isReady(1_000)).toBe(true);
    expect(reader.next(1_000)).toBeNull();
    expect(reader.fault).toEqual({
      code: 'frame-too-large',
      message: 'a packet of 268435460 bytes was announced; at most 1000 are taken',
    });
    reader.push(Buffer.alloc(10_000));
    expect(reader.pending).toBe(0);
  });

  test('a packet of exactly the cap is taken', () => {
    const bytes = publish('a', Buffer.alloc(100));
    const reader = new FrameReader();
    reader.push(bytes);
    expect(reader.next(bytes.length)?.bytes).toEqual(bytes);
  });

  test.each([
    [
      'CONNECT with its reserved flag',
      [0x10, 13, 0, 4, 77, 81, 84, 84, 4, 3, 0, 9, 0, 1, 97],
      'CONNECT has its reserved flag set',
    ],
    ['a will of QoS 3', [0x10, 13, 0, 4, 77, 81, 84, 84, 4, 0x1c, 0, 9, 0, 1, 97], 'CONNECT has a last will of QoS 3'],
    [
      'will flags without a will',
      [0x10, 13, 0, 4, 77, 81, 84, 84, 4, 0x22, 0, 9, 0, 1, 97],
      'CONNECT describes a last will',
    ],
    ['a password flag without one', [0x10, 13, 0, 4, 77, 81, 84, 84, 4, 0x42, 0, 9, 0, 1, 97], 'CONNECT is cut off'],
    [
      'bytes behind CONNECT',
      [0x10, 14, 0, 4, 77, 81, 84, 84, 4, 2, 0, 9, 0, 1, 97, 0],
      'CONNECT has bytes behind its end',
    ],
    ['SUBSCRIBE with id 0', [0x82, 6, 0, 0, 0, 1, 97, 0], 'SUBSCRIBE has packet id 0'],
    ['SUBSCRIBE of nothing', [0x82, 2, 0, 1], 'SUBSCRIBE names no filter'],
    ['SUBSCRIBE at QoS 3', [0x82, 6, 0, 1, 0, 1, 97, 3], 'SUBSCRIBE asks for a QoS above 2'],
    ['SUBSCRIBE without its flags', [0x80, 6, 0, 1, 0, 1, 97, 0], 'SUBSCRIBE has wrong flags'],
    ['PUBACK of id 0', [0x40, 2, 0, 0], 'an acknowledgement has packet id 0'],
    ['PUBREL without its flags', [0x60, 2, 0, 1], 'PUBREL has wrong flags'],
    ['PINGREQ with a body', [0xc0, 1, 0], 'PINGREQ or DISCONNECT has flags or a body'],
    ['CONNACK from a client', [0x20, 2, 0, 0], 'packet type 2 is not one that a client sends'],
    ['a NUL in a topic', [0x30, 4, 0, 2, 97, 0], 'PUBLISH has a topic that is cut off or not UTF-8'],
    ['an empty topic', [0x30, 3, 0, 0, 1], 'PUBLISH has an empty topic'],
    ['DUP at QoS 0', [0x38, 3, 0, 1, 97], 'PUBLISH has DUP set at QoS 0'],
  ])('%s is malformed', (_name, bytes, message) => {
    const reader = new FrameReader();
    reader.push(Buffer.from(bytes));
    expect(reader.next(1_000)).toBeNull();
    expect(reader.fault?.code).toBe('malformed-packet');
    expect(reader.fault?.message).toContain(message);
  });

  test('what mqtt-packet makes is let through and read alike', () => {
    const reader = new FrameReader();
    const will = { topic: 'a/b', payload: Buffer.from([0xff, 0]), qos: 1 as const, retain: true };
    reader.push(
      Buffer.concat([
        generate({
          cmd: 'connect',
          clientId: 'c',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          keepalive: 5,
          username: '王',
          password: Buffer.from([1, 0, 255]),
          will,
        }),
        generate({
          cmd: 'connect',
          clientId: 'c',
          protocolId: 'MQIsdp',
          protocolVersion: 3,
          clean: true,
          keepalive: 5,
        }),
        generate({
          cmd: 'subscribe',
          messageId: 1,
          subscriptions: [
            { topic: 'a', qos: 2 },
            { topic: 'b/#', qos: 0 },
          ],
        }),
        generate({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a', 'b/#'] }),
        generate({ cmd: 'pubrel', messageId: 3 }),
        publish('t/教', 'payload', 2),
        publish('q', 'zero', 0),
        generate({ cmd: 'disconnect' }),
      ]),
    );
    const frames: Buffer[] = readAll(reader);
    expect(reader.fault).toBeNull();
    expect(frames.map((bytes) => (bytes[0] ?? 0) >> 4)).toEqual([1, 1, 8, 10, 6, 3, 3, packetTypes.disconnect]);
    expect(readPublish(frames[5] ?? Buffer.alloc(0))).toEqual({
      topic: 't/教',
      payload: Buffer.from('payload'),
      qos: 2,
      retain: true,
      messageId: 7,
    });
    expect(readPublish(frames[6] ?? Buffer.alloc(0))).toMatchObject({ topic: 'q', qos: 0, messageId: 0 });
  });
});
