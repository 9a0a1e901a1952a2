import { describe, expect, it } from 'vitest';
import { LaneSender, laneSenderLimits } from '#bridge/uplink/lane-sender.ts';

const open = (watermark = 0) => new LaneSender(1, watermark, 0, laneSenderLimits);

describe('go-back-N of a lane', () => {
  it('sends a window and then waits', () => {
    const lane = open(4);
    expect([lane.next, lane.room(16)]).toEqual([5, 16]);
    lane.sent(20, 0);
    expect(lane.room(16)).toBe(0);
    expect(lane.acknowledged(10, 1)).toBe('progress');
    expect(lane.room(16)).toBe(6);
    expect(lane.next).toBe(21);
  });

  it('keeps to the credit of the city', () => {
    const lane = open();
    expect(lane.room(4)).toBe(4);
    lane.sent(4, 0);
    expect(lane.room(4)).toBe(0);
  });

  it('sends again after 1.5 s without progress, then ever more slowly up to a minute', () => {
    const lane = open();
    let now = 0;
    const pauses: number[] = [];
    for (let round = 0; round < 9; round++) {
      lane.sent(16, now);
      const began = now;
      while (!lane.expire(now)) now += 100;
      pauses.push(now - began);
      expect(lane.next).toBe(1);
    }
    expect(pauses).toEqual([1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 60_000, 60_000, 60_000]);
    expect(lane.resent).toBe(9 * 16);
  });

  it('counts the time without progress from the last progress', () => {
    const lane = open();
    lane.sent(16, 0);
    lane.acknowledged(3, 1_400);
    expect(lane.expire(2_800)).toBe(false);
    expect(lane.expire(2_900)).toBe(true);
    expect(lane.next).toBe(4);
  });

  it('counts from the first frame of a window, not from an idle hour before', () => {
    const lane = open();
    lane.sent(1, 3_600_000);
    expect(lane.expire(3_601_000)).toBe(false);
  });

  it('does not go back for an acknowledgement that says nothing new', () => {
    const lane = open();
    lane.sent(5, 0);
    expect(lane.acknowledged(0, 10)).toBe('same');
    expect(lane.next).toBe(6);
  });

  it('goes back when a restored city says less than it had', () => {
    const lane = open(100);
    lane.sent(110, 0);
    expect(lane.acknowledged(40, 10)).toBe('back');
    expect(lane.next).toBe(41);
  });

  it('goes back to what the city misses', () => {
    const lane = open();
    lane.sent(16, 0);
    lane.missed(6, 10);
    expect([lane.watermark, lane.next, lane.resent]).toEqual([5, 6, 11]);
  });

  it('jumps over what the outbox no longer holds', () => {
    const lane = open();
    lane.sent(30, 0);
    expect(lane.acknowledged(30, 1)).toBe('progress');
    expect(lane.next).toBe(31);
  });
});
