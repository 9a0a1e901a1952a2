import { describe, expect, it } from 'vitest';
import { Listeners } from '#edge/drivers/broadcast/listeners.ts';
import { decodeRtcp, encodeReport } from '#edge/drivers/broadcast/rtcp.ts';
import { ManualClock } from '#edge/runtime/clock.ts';

const sender = { ssrc: 0xdeadbeef, time: 1_795_394_273_500, rtp: 160_000, packets: 1_000, octets: 160_000 };

/** A receiver report with one block, as RFC 3550 section 6.4.2 draws it. */
function receiverReport(from: number, about: number, lost: number, highest: number): Buffer {
  const packet = Buffer.alloc(32);
  packet.set([0x81, 201, 0, 7]);
  packet.writeUInt32BE(from, 4);
  packet.writeUInt32BE(about, 8);
  packet.writeUInt8(Math.round(lost * 256) & 255, 12);
  packet.writeUInt32BE(highest, 16);
  return packet;
}

describe('a sender report', () => {
  it('says the wall clock and the RTP time of one moment, who sends, and how much', () => {
    const packet = encodeReport(sender, 'edge', false);
    expect(packet.length % 4).toBe(0);
    expect(packet.readUInt8(1)).toBe(200);
    expect(packet.readUInt16BE(2)).toBe(6);
    expect(packet.readUInt32BE(8) - 2_208_988_800).toBe(1_795_394_273);
    expect(packet.readUInt32BE(12) / 2 ** 32).toBeCloseTo(0.5, 6);
    expect([16, 20, 24].map((at) => packet.readUInt32BE(at))).toEqual([160_000, 1_000, 160_000]);
    // The name follows in a packet of its own.
    expect(packet.readUInt8(29)).toBe(202);
    expect(packet.toString('latin1', 38, 42)).toBe('edge');
  });

  it('ends with a good-bye when it is the last', () => {
    const packet = encodeReport(sender, 'edge', true);
    expect(decodeRtcp(packet)?.gone).toEqual([sender.ssrc]);
  });
});

describe('what receivers say', () => {
  it('is read, and what is broken or none of it is left', () => {
    const good = receiverReport(7, 9, 0.25, 500);
    expect(decodeRtcp(good)?.reports).toEqual([{ from: 7, about: 9, lost: 0.25, highest: 500 }]);
    for (let cut = 0; cut < good.length; cut++) expect(decodeRtcp(good.subarray(0, cut))?.reports ?? []).toEqual([]);
    expect(decodeRtcp(Buffer.alloc(172, 0x80))).toBeNull();
    // A count that promises more blocks than there are.
    const greedy = Buffer.from(good);
    greedy[0] = 0x9f;
    expect(decodeRtcp(greedy)?.reports).toHaveLength(1);
  });

  it('of our stream proves that it is heard; of another one nothing', () => {
    const clock = new ManualClock(0);
    const listeners = new Listeners(clock);
    listeners.begin(9);
    const take = (...args: Parameters<typeof receiverReport>) => {
      const heard = decodeRtcp(receiverReport(...args));
      if (heard !== null) listeners.take(heard);
    };
    take(7, 8, 0, 500);
    expect(listeners.verdict().state).toBe('unknown');
    take(7, 9, 0.02, 500);
    expect(listeners.verdict()).toEqual({
      state: 'heard',
      evidence: 'a receiver reports that it arrives (RTCP), 2 % lost',
    });
  });

  it('is missed within 5 s when it came every second or two, and when nothing more arrives there', () => {
    const clock = new ManualClock(0);
    const listeners = new Listeners(clock);
    const say = (highest: number, lost = 0) => {
      const heard = decodeRtcp(receiverReport(7, 9, lost, highest));
      if (heard !== null) listeners.take(heard);
    };
    listeners.begin(9);
    for (let second = 1; second <= 5; second++) {
      say(second * 50);
      clock.advance(1_000);
    }
    expect(listeners.verdict().state).toBe('heard');
    clock.advance(3_500);
    expect(listeners.verdict()).toMatchObject({
      state: 'failed',
      evidence: expect.stringContaining('has not reported for 5 s'),
    });
    listeners.begin(9);
    say(50);
    for (let second = 2; second <= 6; second++) {
      clock.advance(1_000);
      say(50, 1);
    }
    expect(listeners.verdict()).toMatchObject({
      state: 'failed',
      evidence: expect.stringContaining('nothing arrives'),
    });
  });

  it('of many in a group is counted, and a good-bye is believed', () => {
    const listeners = new Listeners(new ManualClock(0));
    listeners.begin(9);
    for (let i = 0; i < 400; i++) listeners.take({ reports: [{ from: i, about: 9, lost: 0, highest: 1 }], gone: [] });
    expect(listeners.verdict().evidence).toContain('256 receivers report');
    listeners.take({ reports: [], gone: [0, 1] });
    expect(listeners.verdict().evidence).toContain(
      '254 receivers report that it arrives (RTCP), 0 % lost; 2 no longer',
    );
  });
});
