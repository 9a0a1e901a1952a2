import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ZoneId } from '#edge/domain/ids.ts';
import { Countdown, countClipsOf } from '#edge/processes/core/emergency-countdown.ts';
import { nextCount } from '#edge/rules/sound-countdown.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { emergencySection } from '#edge/runtime/site-emergency.ts';
import { SoundRoom } from './countdown-room.ts';
import { duty } from './emergency-room.ts';

/* The seconds that are left, on a real desk of emergencies over a real arbiter of sound: what is heard in which second. */

const perSecond = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [String(i + 1), `n${i + 1}`]));

describe('which clips come next', () => {
  const length = (clip: string) => (clip.startsWith('long') ? 1_500 : 1_000);
  const clips = countClipsOf({ 60: 'n60', 30: 'n30', ...perSecond });

  test('numbers that follow each other are one run, others stand alone', () => {
    expect(nextCount(clips, length, 75_000)).toMatchObject({ from: 60, to: 60, left: 60_000, clips: ['n60'] });
    expect(nextCount(clips, length, 59_999)).toMatchObject({ from: 30, to: 30 });
    expect(nextCount(clips, length, 10_400)).toMatchObject({
      ...{ from: 10, to: 1, left: 10_000, length: 10_000 },
      clips: ['n10', 'n9', 'n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1'],
    });
    expect(nextCount(clips, length, 4_900)).toMatchObject({ from: 4, to: 1 });
    expect(nextCount(clips, length, 900)).toBeNull();
  });

  test('what takes longer than a second is not followed at once, and what nobody knows the length of is left out', () => {
    const slow = countClipsOf({ 3: 'long3', 2: 'long2', 1: 'n1' });
    expect(nextCount(slow, length, 3_000)).toMatchObject({ from: 3, to: 3, length: 1_500 });
    expect(nextCount(countClipsOf({ 5: 'x' }), () => null, 9_000)).toBeNull();
  });

  test('a minute of numbers fits the orders of loudspeakers', () => {
    const all = countClipsOf(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i + 1}`, `count-${i + 1}`])));
    let [left, said] = [60_000, 0];
    for (let run = nextCount(all, length, left); run !== null; run = nextCount(all, length, left)) {
      expect(run.clips.join('+').length).toBeLessThanOrEqual(140);
      said += run.clips.length;
      left = run.left - run.length;
    }
    expect(said).toBe(60);
  });
});

describe('an earthquake', () => {
  let room: SoundRoom;
  let countdown: Countdown;
  const hall = 'hall' as ZoneId;

  beforeEach(() => {
    room = new SoundRoom();
    countdown = start({ 20: 'n20', ...perSecond });
  });
  afterEach(() => {
    countdown[Symbol.dispose]();
    room[Symbol.dispose]();
  });

  function start(clips: Readonly<Record<string, string>>): Countdown {
    return new Countdown({
      ...{ clips: countClipsOf(clips), sound: room.sound, emergencies: room.desk, clock: room.clock, log: silentLog },
      isDriven: true,
    });
  }

  /** A terminal says that the waves are here in so many seconds. */
  function quake(seconds: number, event = 'q'): string {
    const arrival = room.clock.now() + seconds * 1_000;
    const { emergency } = room.desk.begin({
      ...{
        kind: 'earthquake',
        drill: false,
        zones: 'all',
        why: 'a test',
        by: 'token:terminal',
        from: '',
        sounds: true,
      },
      origin: { kind: 'terminal', device: 't', event, arrival, intensity: 7, magnitude: null, place: '' },
    });
    countdown.hear(emergency.id, arrival);
    return emergency.id;
  }

  /** What is heard in each of the coming seconds, 50 ms after it began. */
  function listen(seconds: number): string[] {
    const heard: string[] = [];
    for (let i = 0; i < seconds; i++) {
      room.pass(50, () => countdown.tick());
      heard.push(room.heard(hall));
      room.pass(950, () => countdown.tick());
    }
    return heard;
  }

  test('is counted to the second in the midst of what its plan says, which goes on afterwards', () => {
    quake(24);
    const heard = listen(27);
    // 24 and 23 left: the words of the plan, 10 s long at most half of the time; then nothing before 10.
    expect(heard.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => 'quake'));
    expect(heard.slice(14, 24)).toEqual(['n10', 'n9', 'n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1']);
    expect(heard.slice(24)).toEqual(['quake', 'quake', 'quake']);
  });

  test('says a number that stands alone, and the plan again behind it', () => {
    quake(40);
    const heard = listen(24);
    expect(heard[20]).toBe('n20');
    expect([heard[19], heard[21], heard[23]]).toEqual(['quake', 'quake', 'quake']);
  });

  test('that is seconds away leaves half of them to the words', () => {
    quake(6);
    expect(listen(7)).toEqual(['quake', 'quake', 'quake', 'n3', 'n2', 'n1', 'quake']);
  });

  test('said again every second it is counted once; said to be nearer it is counted anew, never to a wrong number', () => {
    const id = quake(30);
    const arrival = room.clock.now() + 30_000;
    for (let i = 0; i < 22; i++) {
      countdown.hear(id, arrival + (i % 3) * 100 - 100);
      listen(1);
    }
    expect(listen(1)).toEqual(['n8']);
    const before = room.plays;
    countdown.hear(id, arrival);
    expect(room.plays).toBe(before);
    // 6 s are left by now; a newer word says 4.
    countdown.hear(id, arrival - 3_000);
    expect(listen(5)).toEqual(['n4', 'n3', 'n2', 'n1', 'quake']);
  });

  test('that is taken back, cleared or silenced is not counted any further', () => {
    quake(14);
    listen(8);
    room.desk.endOf(({ kind }) => kind === 'terminal', 'token:terminal', 'taken back');
    expect(listen(4)).toEqual(['', '', '', '']);
    const second = quake(14, 'r');
    listen(8);
    room.desk.sounds(second, false, 'listening', duty);
    expect(listen(4)).toEqual(['', '', '', '']);
    room.desk.clear(second, 'over', duty);
    expect(room.waiting(hall)).toEqual([]);
  });

  test('does not take the word from an intruder, and gives way to a fire', () => {
    room.desk.begin({
      ...{ kind: 'intrusion', drill: false, zones: 'all', why: '', by: 'person:lin', from: '', sounds: true },
      origin: { kind: 'person' },
    });
    quake(12);
    expect(new Set(listen(13))).toEqual(new Set(['intruder']));
    room.desk.begin({
      ...{ kind: 'fire', drill: false, zones: 'all', why: '', by: 'person:lin', from: '', sounds: true },
      origin: { kind: 'person' },
    });
    quake(12, 'r');
    expect(new Set(listen(13))).toEqual(new Set(['fire']));
  });

  test('without clips for it is what its plan says, and nothing else', () => {
    countdown[Symbol.dispose]();
    countdown = start({});
    quake(12);
    expect(new Set(listen(14))).toEqual(new Set(['quake']));
    expect(room.plays).toBe(1);
  });

  test('after another process took over is counted on with the same arrival', () => {
    quake(24);
    listen(4);
    countdown[Symbol.dispose]();
    countdown = start({ 20: 'n20', ...perSecond });
    const heard = listen(20);
    expect(heard.slice(10, 20)).toEqual(['n10', 'n9', 'n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1']);
  });
});

test('a site says its clips by seconds, and a mistake says where', () => {
  expect(emergencySection.parse({ earthquake: { countdown: { 10: 'n10' } } }).earthquake.countdown).toEqual({
    10: 'n10',
  });
  for (const wrong of ['-1', '010', '1.5', '301', 'ten'])
    expect(() => emergencySection.parse({ earthquake: { countdown: { [wrong]: 'n10' } } })).toThrow(/0 to 300/);
});
