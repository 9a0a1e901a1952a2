import { describe, expect, test } from 'vitest';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { DeliveryDesk } from '#edge/processes/core/delivery-desk.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { listeningSection } from '#edge/runtime/site-listening.ts';
import type { Batch } from '#edge/store/batch.ts';
import { BroadcastRoom, speakers } from './broadcast-room.ts';

/* A loudspeaker that says yes to everything, and a sensor in its room. */

const sensor = 'noise-1/sound_level' as PointRef;

class ListeningRoom implements Disposable {
  readonly room = new BroadcastRoom();
  readonly latest = new Map<PointRef, Reading>();
  readonly alarms: AlarmDecision[] = [];
  readonly kept = new Map<string, { state: string; proof: string; evidence: string; reason: string; heard: number }>();
  readonly desk: DeliveryDesk;
  /** What the sensor reads: the room by itself, and what its loudspeaker adds. */
  own = (n: number) => 38 + (n % 3);
  knob = 70;
  #n = 0;

  constructor() {
    const { room } = this;
    this.desk = new DeliveryDesk({
      desk: room.desk,
      commands: () => room.commands,
      ...{ latest: () => this.latest, clock: room.clock, log: silentLog, onChange: () => {}, every: null },
      listening: listeningSection.parse([{ point: sensor, speakers: ['speaker-0'] }]),
      reader: { broadcasts: () => [], deliveries: () => [] } as never,
      commit: ({ deliveries = [] }: Batch) => {
        for (const one of deliveries) this.kept.set(`${one.item} ${one.output}`, one);
      },
      decide: (decisions) => void this.alarms.push(...decisions),
    });
    this.desk.begin();
  }

  /** Half a second at a time; the sensor speaks each second. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      await this.room.pass(500);
      const isOn = this.room.desk.why(speakers[0]).reason === 'plays';
      if (this.#n++ % 2 === 0) {
        const level = Math.max(this.own(this.#n), isOn ? this.knob : 0);
        this.latest.set(sensor, { value: level, quality: 'good', receivedTime: this.room.clock.now() } as Reading);
      }
      this.desk.tick();
    }
  }

  play(clip = 'song'): HappeningId {
    return this.room.taken({ outputs: [speakers[0]], zones: [], clips: [clip] });
  }

  now(item: HappeningId) {
    return this.desk.deliveries(item)[0] ?? this.kept.get(`${item} ${speakers[0]}`);
  }

  [Symbol.dispose](): void {
    this.desk[Symbol.dispose]();
    this.room[Symbol.dispose]();
  }
}

describe('a loudspeaker with a sensor in its room', () => {
  test('is proved to be heard', async () => {
    using one = new ListeningRoom();
    await one.pass(60_000);
    const item = one.play();
    await one.pass(4_000);
    expect(one.now(item)).toMatchObject({ state: 'playing', proof: 'heard' });
    expect(one.now(item)?.evidence).toContain('sound level sensor noise-1: 70 dB(A)');
    expect(one.alarms).toEqual([]);
  });

  test('that is turned off at its own knob is named within 5 s, though it said yes; only its room takes that back', async () => {
    using one = new ListeningRoom();
    await one.pass(60_000);
    one.knob = 0;
    const first = one.play();
    await one.pass(5_000);
    expect(one.now(first)).toMatchObject({ state: 'missed', heard: 0 });
    expect(one.now(first)?.reason).toContain('not heard by sound level sensor noise-1');
    expect(one.alarms).toMatchObject([{ kind: 'raise', source: 'delivery:speaker-0' }]);
    expect(one.alarms[0]).toMatchObject({ message: { zh: expect.stringContaining('现场听不到声音') } });
    await one.pass(60_000);
    // The next sound is answered as well as the last: that mends nothing.
    const second = one.play();
    await one.pass(2_000);
    expect(one.alarms).toHaveLength(1);
    one.knob = 70;
    await one.pass(3_000);
    expect(one.now(second)).toMatchObject({ state: 'playing', proof: 'heard', reason: '' });
    expect(one.alarms[1]).toMatchObject({ kind: 'return', source: 'delivery:speaker-0' });
  });

  test('is never accused by a noisy class, nor by a sensor that has gone', async () => {
    using one = new ListeningRoom();
    one.own = (n) => 64 + (n % 7);
    await one.pass(60_000);
    one.knob = 0;
    const item = one.play();
    await one.pass(30_000);
    expect(one.now(item)).toMatchObject({ state: 'playing', proof: 'sent' });
    expect(one.now(item)?.evidence).toContain('cannot tell');
    await one.pass(60_000);
    one.own = (n) => 38 + (n % 3);
    await one.pass(360_000);
    one.latest.clear();
    const other = one.play();
    await one.room.pass(20_000);
    one.desk.tick();
    expect(one.now(other)).toMatchObject({ state: 'playing', proof: 'sent' });
    expect(one.alarms).toEqual([]);
  });
});
