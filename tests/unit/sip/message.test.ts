import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNameAddress, parseUri, parseVia, sameAddress, tagOf } from '#edge/drivers/sip/address.ts';
import { parseRtp } from '#edge/drivers/sip/media.ts';
import { headerOf, limits, listOf, parseDatagram } from '#edge/drivers/sip/message.ts';
import { readReports } from '#edge/drivers/sip/rtcp.ts';
import { answerDirection, parseDescription } from '#edge/drivers/sip/sdp.ts';
import { StreamCutter } from '#edge/drivers/sip/stream-wire.ts';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { order, patience, pointOf, startRig } from './rig.ts';

const head = [
  'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
  'From: <sip:a@b>;tag=1',
  'To: <sip:c@d>;tag=2',
  'Call-ID: x',
  'CSeq: 1 INVITE',
];
const message = (lines: readonly string[], body = '', first = 'SIP/2.0 200 OK') =>
  Buffer.from([first, ...lines, '', body].join('\r\n'), 'latin1');
const whyNot = (bytes: Buffer) => {
  const parsed = parseDatagram(bytes);
  return parsed.kind === 'garbage' ? parsed.why : null;
};

describe('a message of SIP', () => {
  it('is read with short names, folded lines and lists', () => {
    const short = [
      'v: SIP/2.0/UDP a;branch=z9hG4bK1',
      'f: "A, <B>" <sip:a@b>',
      ' ;tag=1',
      't: <sip:c@d>',
      'i: x',
      'CSeq: 1 INVITE',
    ];
    const parsed = parseDatagram(
      message([...short, 'Record-Route: <sip:p1;lr>, <sip:p2;lr>', 'Record-Route: <sip:p3>']),
    );
    if (parsed.kind === 'garbage') throw new Error(parsed.why);
    expect(tagOf(headerOf(parsed, 'from'))).toBe('1');
    expect(listOf(parsed, 'record-route')).toEqual(['<sip:p1;lr>', '<sip:p2;lr>', '<sip:p3>']);
  });

  it.each([
    ['a length larger than the datagram', message([...head, 'Content-Length: 5'], 'v=0'), 'cut-off'],
    ['a length that is no number', message([...head, 'Content-Length: -1']), 'length'],
    ['two lengths', message([...head, 'Content-Length: 0', 'l: 3'], 'v=0'), 'two-content-length'],
    ['two Call-IDs', message([...head, 'i: y']), 'two-call-id'],
    ['too many headers', message([...head, ...Array.from({ length: 100 }, () => 'X: y')]), 'many-headers'],
    ['a header that is too long', message([...head, `X: ${'y'.repeat(5_000)}`]), 'long-header'],
    [
      'a header folded without end',
      message([...head, 'X: y', ...Array.from({ length: 200 }, () => ` ${'z'.repeat(60)}`)]),
      'long-header',
    ],
    ['no end of its head', Buffer.alloc(65_000, 'a'), 'no-end-of-head'],
    ['no CSeq', message(head.slice(0, 4)), 'no-cseq'],
    ['a CSeq of another method', message(head, '', 'BYE sip:a@b SIP/2.0'), 'cseq'],
    ['a control character', message([...head, 'X: a\u0000b']), 'control-character'],
    ['nothing of SIP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'start-line'],
  ])('with %s is garbage', (_what, bytes, why) => {
    expect(whyNot(bytes)).toBe(why);
  });

  it('leaves out what comes behind its length', () => {
    const parsed = parseDatagram(message([...head, 'Content-Length: 3'], 'v=0 and more'));
    expect(parsed.kind === 'response' ? parsed.body.toString() : '').toBe('v=0');
  });

  it('is cut out of a stream, wherever that is broken', () => {
    const bytes = Buffer.concat([
      message([...head, 'Content-Length: 3'], 'v=0'),
      message([...head, 'Content-Length: 0']),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), (cuts) => {
        const cutter = new StreamCutter();
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const found = places.slice(1).flatMap((end, i) => cutter.take(bytes.subarray(places[i], end)));
        expect(found.map(({ kind }) => kind)).toEqual(['response', 'response']);
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

describe('whatever comes', () => {
  const whole = message(
    [...head, 'Contact: <sip:c@127.0.0.1>', 'Content-Length: 60'],
    'v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nc=IN IP4 1.2.3.4\r\nm=audio 5004 RTP/AVP 8',
  );
  /** Good messages with bytes changed, cut out and doubled, and plain noise. */
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }).map((found) => Buffer.from(found)),
    fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(3)), { minLength: 1, maxLength: 12 })
      .map((changes) =>
        changes.reduce((sum, [at, value, kind]) => {
          const place = at % Math.max(1, sum.length);
          if (kind === 0) return Buffer.concat([sum.subarray(0, place), sum.subarray(place + (value % 9))]);
          if (kind === 1)
            return Buffer.concat([
              sum.subarray(0, place),
              sum.subarray(Math.max(0, place - value), place),
              sum.subarray(place),
            ]);
          const copy = Buffer.from(sum);
          if (copy.length > 0) copy[place] = value;
          return copy;
        }, whole),
      ),
  );

  it.each([8, 80, 808])('nothing throws, hangs or grows (seed %i)', (seed) => {
    fc.assert(
      fc.property(bytes, (found) => {
        const parsed = parseDatagram(found);
        if (parsed.kind !== 'garbage') {
          expect(parsed.headers.length).toBeLessThanOrEqual(limits.headers);
          expect(parsed.body.length).toBeLessThanOrEqual(limits.body);
          for (const [, value] of parsed.headers) {
            parseNameAddress(value);
            parseVia(value);
            parseUri(value);
          }
        }
        parseDescription(found);
        parseRtp(found);
        readReports(found, 1);
        new StreamCutter().take(found);
      }),
      { seed, numRuns: 1_500 },
    );
  });

  it('no text takes a parser long', () => {
    const started = performance.now();
    for (const text of [
      '"'.repeat(4_000),
      `"${'\\'.repeat(4_000)}`,
      '<'.repeat(4_000),
      ';a='.repeat(1_300),
      ' '.repeat(4_000),
    ]) {
      parseNameAddress(text);
      parseVia(`SIP/2.0/UDP ${text}`);
      parseUri(`sip:${text}`);
      tagOf(`<sip:a@b>${text}`);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('a call goes on while its own speaker is flooded with garbage by another', async () => {
    await using speaker = await startSipSpeaker({ host: '127.0.0.1' });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri });
    await session.write(order('tones'));
    const port = Number(/Contact: <sip:campus@127.0.0.1:(\d+)>/.exec(speaker.heard().lastInvite)?.[1]);
    await using stranger = createSocket('udp4');
    for (let i = 0; i < 400; i++) stranger.send(i % 2 === 0 ? whole : Buffer.alloc(1_000, i), port, '127.0.0.1');
    await expect
      .poll(() => session.heard.counted('garbage') + session.heard.counted('flood'), patience)
      .toBeGreaterThan(50);
    const before = speaker.heard().packets;
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(before + 10);
    expect(await pointOf(session, 'call')).toBe('connected');
    await session.write(order(''));
    await expect.poll(() => speaker.heard().byes, patience).toBe(1);
  });
});

describe('a description of sound', () => {
  const sdp = (...lines: string[]) =>
    parseDescription(Buffer.from(['v=0', 'o=- 1 1 IN IP4 10.0.0.9', ...lines].join('\r\n')));

  it.each([
    ['a group', ['c=IN IP4 224.0.1.1', 'm=audio 5004 RTP/AVP 8'], 'no single machine'],
    ['a port of other services', ['c=IN IP4 10.0.0.9', 'm=audio 53 RTP/AVP 8'], 'port 53'],
    ['encrypted sound', ['c=IN IP4 10.0.0.9', 'm=audio 5004 RTP/SAVP 8'], 'no plain audio'],
    ['refused sound', ['c=IN IP4 10.0.0.9', 'm=audio 0 RTP/AVP 8'], 'no plain audio'],
    ['a name', ['c=IN IP4 victim.example', 'm=audio 5004 RTP/AVP 8'], 'where its sound'],
  ])('with %s is refused', (_what, lines, words) => {
    expect(sdp(...lines)).toContain(words);
  });

  it('on hold is silence, in both ways to say it', () => {
    expect(sdp('c=IN IP4 0.0.0.0', 'm=audio 5004 RTP/AVP 8')).toMatchObject({ direction: 'inactive' });
    expect(sdp('c=IN IP4 10.0.0.9', 'm=audio 5004 RTP/AVP 8', 'a=sendonly')).toMatchObject({ direction: 'sendonly' });
    expect(answerDirection('sendonly', 'sendrecv')).toBe('recvonly');
    expect(answerDirection('inactive', 'sendrecv')).toBe('inactive');
  });
});

it('one address is one address, however it is written', () => {
  expect(sameAddress('::1', '0:0:0:0:0:0:0:1')).toBe(true);
  expect(sameAddress('::ffff:10.0.0.1', '10.0.0.1')).toBe(true);
  expect(sameAddress('fe80::1%eth0', 'fe80::1')).toBe(true);
  expect(sameAddress('10.0.0.1', '10.0.0.10')).toBe(false);
});
