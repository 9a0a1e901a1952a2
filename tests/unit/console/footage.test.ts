import { describe, expect, test } from 'vitest';
import { leastSpan, mostSpan, spans, viewIn, viewParts } from '../../../edge/web/console/pages/footage/address.ts';
import {
  covers,
  gapsBetween,
  nextStart,
  replaced,
  union,
  within,
} from '../../../edge/web/console/pages/footage/coverage.ts';
import { stepTowards } from '../../../edge/web/console/pages/footage/drift.ts';
import { eventMarks, grouped, type Mark, markBeside } from '../../../edge/web/console/pages/footage/marks.ts';
import { boxesOf, factsOf, pictureTimes, wholeEnd } from '../../../edge/web/console/pages/footage/mp4.ts';
import { type Picture, PictureQueue } from '../../../edge/web/console/pages/footage/picture-queue.ts';
import {
  followed,
  moved,
  pinched,
  placeOf,
  spanned,
  ticksOf,
  timeAt,
  zoomed,
} from '../../../edge/web/console/pages/footage/scale.ts';
import { rateBeside, StepClock } from '../../../edge/web/console/pages/footage/step-clock.ts';
import { whyNothing } from '../../../edge/web/console/pages/footage/why.ts';
import { nextPiece, outside, showable } from '../../../edge/web/console/pages/footage/window.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const t0 = 1_795_375_800_000;
const bounds = { least: leastSpan, most: mostSpan };

describe('the address', () => {
  test('carries cameras, moment, zoom and that it stands still, there and back', () => {
    const view = { cameras: ['gate', 'yard'], at: t0, span: 5 * minute, isStill: true };
    expect(viewIn(new URLSearchParams(viewParts(view)))).toEqual(view);
  });

  test('what makes no sense is left out: a fifth camera, one twice, names that are none, a zoom without end', () => {
    const given = new URLSearchParams({ cameras: 'a,b,a,../c,d,e,f', at: '-5', span: '1' });
    expect(viewIn(given)).toEqual({ cameras: ['a', 'b', 'd', 'e'], at: null, span: leastSpan, isStill: false });
    expect(viewIn(new URLSearchParams({ at: '99999999999999999999', span: '99999999999' }))).toEqual({
      cameras: [],
      at: null,
      span: mostSpan,
      isStill: false,
    });
    expect(viewIn(new URLSearchParams()).span).toBe(spans.hour);
  });
});

describe('the timeline’s scale', () => {
  const scale = { from: t0, span: hour, width: 600 };

  test('places and times are each other’s way back', () => {
    expect(timeAt(scale, 300)).toBe(t0 + hour / 2);
    expect(placeOf(scale, timeAt(scale, 123))).toBeCloseTo(123);
    expect(timeAt({ ...scale, width: 0 }, 50)).toBe(t0);
  });

  test('zooming keeps the moment under the pointer where it is, within a day and half a minute', () => {
    const held = timeAt(scale, 450);
    for (const factor of [0.5, 0.1, 1e-6, 4, 1e6]) {
      const next = zoomed(scale, factor, held, bounds);
      expect(placeOf(next, held)).toBeCloseTo(450);
      expect(next.span).toBeGreaterThanOrEqual(leastSpan);
      expect(next.span).toBeLessThanOrEqual(mostSpan);
    }
  });

  test('two fingers hold what lay between them, and cannot go beyond the bounds however close they come', () => {
    const next = pinched(scale, [200, 400], [100, 500], bounds);
    expect(next.span).toBe(hour / 2);
    expect(placeOf(next, timeAt(scale, 300))).toBeCloseTo(300);
    expect(pinched(scale, [200, 400], [300, 300], bounds).span).toBe(mostSpan);
  });

  test('another span keeps a moment in sight where it is, and brings one that is not into the middle', () => {
    const seen = t0 + hour / 4;
    expect(placeOf(spanned(scale, 5 * minute, seen), seen)).toBeCloseTo(150);
    expect(placeOf(spanned(scale, day, t0 - day), t0 - day)).toBeCloseTo(300);
    expect(moved(scale, 60).from).toBe(t0 - hour / 10);
  });

  test('its page is turned before the moment that plays leaves it, and not while it is seen', () => {
    expect(followed(scale, t0 + hour / 2)).toBe(null);
    const next = followed(scale, t0 + hour * 0.95);
    expect(placeOf(next ?? scale, t0 + hour * 0.95)).toBeCloseTo(72);
    expect(followed(scale, t0 - 1)).not.toBe(null);
  });

  test('lines lie on whole steps of the campus’s clock, never closer than their names are long', () => {
    const midnight = t0 - (t0 % day) + 30 * minute; // a zone half an hour off
    for (const span of [30_000, 5 * minute, hour, 6 * hour, day]) {
      const { step, ticks } = ticksOf({ from: t0 + 1, span, width: 600 }, midnight);
      const named = ticks.filter(({ isNamed }) => isNamed);
      expect((step / span) * 600).toBeGreaterThanOrEqual(84);
      expect(named.length).toBeGreaterThanOrEqual(1);
      for (const { time } of named) expect((time - midnight) % step).toBe(0);
      expect(ticks.length).toBeLessThan(80);
    }
  });
});

describe('where there is footage', () => {
  const ranges = [
    { from: 0, to: 10_000 },
    { from: 20_000, to: 30_000 },
  ];

  test('of several cameras it is what any has, and seams of a moment are no gaps', () => {
    expect(union([ranges, [{ from: 9_000, to: 15_000 }], [{ from: 16_000, to: 19_000 }]])).toEqual([
      { from: 0, to: 30_000 },
    ]);
    expect(union([[], []])).toEqual([]);
    expect(union([[{ from: 5, to: 5 }]])).toEqual([]);
  });

  test('a moment in a gap has a next start; after the last there is none', () => {
    expect(covers(ranges, 9_999)).toBe(true);
    expect(covers(ranges, 10_000)).toBe(false);
    expect(nextStart(ranges, 12_000)).toBe(20_000);
    expect(nextStart(ranges, 30_000)).toBe(null);
    expect(gapsBetween(ranges, { from: 5_000, to: 40_000 })).toEqual([
      { from: 10_000, to: 20_000 },
      { from: 30_000, to: 40_000 },
    ]);
    expect(within(ranges, { from: 5_000, to: 21_000 })).toEqual([
      { from: 5_000, to: 10_000 },
      { from: 20_000, to: 21_000 },
    ]);
  });

  test('a newer answer takes the place of what it is of: also where footage has gone', () => {
    expect(replaced(ranges, [{ from: 25_000, to: 42_000 }], { from: 22_000, to: 50_000 })).toEqual([
      { from: 0, to: 10_000 },
      { from: 20_000, to: 22_000 },
      { from: 25_000, to: 42_000 },
    ]);
    expect(replaced(ranges, [], { from: 0, to: 15_000 })).toEqual([{ from: 20_000, to: 30_000 }]);
  });
});

describe('why there is nothing', () => {
  const recording = { mode: 'continuous', state: 'recording', since: t0 - hour, oldest: t0 - day } as const;
  const why = (time: number, change: object = {}, deaf: { from: number; to: number }[] = []) =>
    whyNothing({ time, now: t0, recording: { ...recording, ...change }, deaf });

  test('is told by what is known, the surest first', () => {
    expect(why(t0 + hour)).toBe('future');
    expect(why(t0 - 1_000)).toBe('future');
    expect(why(t0 - 2 * day)).toBe('let-go');
    expect(why(t0 - minute, { mode: 'off' })).toBe('off');
    expect(why(t0 - minute, { oldest: null })).toBe('never');
    expect(why(t0 - minute, { state: 'stopped' })).toBe('stopped');
    expect(why(t0 - minute, { state: 'waiting', oldest: null })).toBe('waiting');
    expect(why(t0 - minute, { mode: 'event' })).toBe('no-event');
    expect(why(t0 - 2 * hour, {}, [{ from: t0 - 3 * hour, to: t0 - hour }])).toBe('unheard');
    expect(why(t0 - 2 * hour)).toBe('unknown');
  });

  test('a disk that is full now does not explain what was missing before it was', () => {
    expect(why(t0 - 2 * hour, { state: 'stopped' })).toBe('unknown');
  });

  test('who has no right to know of the recording is told nothing of it', () => {
    expect(whyNothing({ time: t0 - hour, now: t0, recording: null, deaf: [] })).toBe('unknown');
  });
});

describe('the clock', () => {
  test('goes on at its rate, stands while it is held, and loses nothing at a change', () => {
    const clock = new StepClock(t0);
    expect(clock.timeAt(5_000)).toBe(t0);
    clock.run(true, 5_000);
    expect(clock.timeAt(6_000)).toBe(t0 + 1_000);
    clock.setRate(16, 6_000);
    expect(clock.timeAt(7_000)).toBe(t0 + 17_000);
    clock.run(false, 7_000);
    expect(clock.timeAt(90_000)).toBe(t0 + 17_000);
    clock.run(true, 90_000);
    clock.setRate(0.25, 90_000);
    expect(clock.timeAt(94_000)).toBe(t0 + 18_000);
    clock.set(t0, 94_000);
    expect(clock.timeAt(94_000)).toBe(t0);
  });

  test('its rates end at a quarter and at sixteen', () => {
    expect(rateBeside(1, 1)).toBe(2);
    expect(rateBeside(16, 1)).toBe(16);
    expect(rateBeside(0.25, -1)).toBe(0.25);
  });
});

describe('keeping in step', () => {
  test('a little late is caught up by a nudge, more than 250 ms by a jump', () => {
    expect(stepTowards({ wanted: 10, shown: 10.01, rate: 1 })).toEqual({ kind: 'play', rate: 1 });
    const late = stepTowards({ wanted: 10.1, shown: 10, rate: 1 });
    expect(late).toMatchObject({ kind: 'play' });
    expect('rate' in late && late.rate).toBeGreaterThan(1.05);
    expect(stepTowards({ wanted: 10.3, shown: 10, rate: 1 }).kind).toBe('seek');
    expect(stepTowards({ wanted: 9.7, shown: 10, rate: 1 }).kind).toBe('seek');
  });

  test('at sixteen times, a quarter of a second of what people see is four of the footage', () => {
    expect(stepTowards({ wanted: 13, shown: 10, rate: 16 }).kind).toBe('play');
    expect(stepTowards({ wanted: 15, shown: 10, rate: 16 }).kind).toBe('seek');
  });

  test('followed for a while, a picture that runs 5 % slow stays within a tenth of a second', () => {
    let [wanted, shown, rate] = [0, 0, 1];
    for (let turn = 0; turn < 200; turn++) {
      wanted += 0.1;
      shown += 0.1 * rate * 0.95;
      const step = stepTowards({ wanted, shown, rate: 1 });
      if (step.kind === 'seek') shown = step.to;
      else rate = step.rate;
    }
    expect(Math.abs(wanted - shown)).toBeLessThan(0.1);
  });
});

describe('what is held for playing', () => {
  const pieces = Array.from({ length: 20 }, (_, index) => ({
    id: String(index),
    from: index * 30_000,
    to: (index + 1) * 30_000,
  }));

  test('the file of the moment comes first, then a minute ahead and no more', () => {
    const held = new Set<string>();
    const order: string[] = [];
    for (;;) {
      const next = nextPiece(pieces, 100_000, ({ id }) => !held.has(id));
      if (next === null) break;
      held.add(next.id);
      order.push(next.id);
    }
    expect(order).toEqual(['3', '4', '5']);
  });

  test('played for ten minutes, what is held stays within two minutes and a half', () => {
    let held: typeof pieces = [];
    let most = 0;
    for (let time = 0; time < 600_000; time += 100) {
      const next = nextPiece(pieces, time, ({ id }) => !held.some((one) => one.id === id));
      if (next !== null) held.push(next);
      const far = outside(held, time);
      held = held.filter((one) => !far.includes(one));
      most = Math.max(most, held.length);
    }
    expect(most).toBeLessThanOrEqual(5);
  });

  test('a place in the seam before a picture is shown by that picture, one in a gap by none', () => {
    const buffered = [
      { start: 0, end: 10 },
      { start: 10.6, end: 20 },
    ];
    expect(showable(buffered, 5, 0.9)).toBe(5);
    expect(showable(buffered, 10.2, 0.9)).toBe(10.6);
    expect(showable(buffered, 25, 0.9)).toBe(null);
    expect(showable([{ start: 3, end: 4 }], 1, 0.9)).toBe(null);
  });
});

describe('marks', () => {
  const mark = (id: string, time: number): Mark => ({
    ...{ id, kind: 'event', time, to: time, types: ['person'], cameras: ['gate'], class: null },
  });

  test('what repeats while it goes on is one mark; when it has ended the next is another', () => {
    const event = (id: string, time: number, active?: boolean) => ({
      id,
      type: 'person',
      device: 'gate',
      time,
      active,
    });
    const marks = eventMarks([
      event('a', 0, true),
      event('b', 5_000, true),
      event('c', 9_000, false),
      event('d', 12_000, true),
      event('e', 13_000),
    ]);
    expect(marks.map(({ id, time, to }) => [id, time, to])).toEqual([
      ['a', 0, 9_000],
      ['d', 12_000, 13_000],
    ]);
  });

  test('an end whose begin is not known is no mark, and momentary ones are each their own', () => {
    const pulse = (id: string, time: number) => ({ id, type: 'line_cross', device: 'gate', time });
    expect(
      eventMarks([{ ...pulse('end', 1), active: false }, pulse('x', 2), pulse('y', 3)]).map(({ id }) => id),
    ).toEqual(['x', 'y']);
  });

  test('those that would lie over each other are one, and a thousand cost no more than their place', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => mark(String(index), t0 + index * 1_000));
    const groups = grouped(many, { from: t0, span: 1_000_000, width: 600 }, 20);
    expect(groups.length).toBeLessThanOrEqual(30);
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  });

  test('whoever is at one goes to the next one, not to the same again', () => {
    const marks = [mark('a', 1_000), mark('b', 5_000), mark('c', 9_000)];
    expect(markBeside(marks, 5_300, 1)?.id).toBe('c');
    expect(markBeside(marks, 5_300, -1)?.id).toBe('a');
    expect(markBeside(marks, 9_000, 1)).toBe(null);
  });
});

describe('what a player reads of an MP4', () => {
  const box = (type: string, ...parts: (readonly number[])[]): number[] => {
    const body = parts.flat();
    const size = body.length + 8;
    return [
      size >>> 24,
      (size >> 16) & 255,
      (size >> 8) & 255,
      size & 255,
      ...[...type].map((c) => c.charCodeAt(0)),
      ...body,
    ];
  };
  const zeros = (count: number) => Array<number>(count).fill(0);
  const view = (bytes: readonly number[]) => new DataView(Uint8Array.from(bytes).buffer);
  const init = (entry: number[]) =>
    box(
      'moov',
      box(
        'trak',
        box(
          'mdia',
          box('mdhd', [0, 0, 0, 0], zeros(8), [0, 1, 0x5f, 0x90], zeros(8)),
          box('minf', box('stbl', box('stsd', [0, 0, 0, 0, 0, 0, 0, 1], entry))),
        ),
      ),
    );

  test('names H.264 and H.265 as browsers want it', () => {
    const avc = init(box('avc1', zeros(78), box('avcC', [1, 0x64, 0x00, 0x1f, 0xff])));
    expect(factsOf(view(avc))).toEqual({ codec: 'avc1.64001f', timescale: 90_000 });
    // Main profile, compatible with 1 and 2, main tier, level 3.1, progressive and frame-only.
    const hvcC = [1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93];
    const hevc = init(box('hvc1', zeros(78), box('hvcC', hvcC)));
    expect(factsOf(view(hevc))?.codec).toBe('hvc1.1.6.L93.90');
  });

  test('waits for what is not whole, and does not stumble over nonsense', () => {
    const whole = [...box('ftyp', zeros(8)), ...init(box('avc1', zeros(78), box('avcC', [1, 0x64, 0, 0x1f])))];
    expect(factsOf(view(whole.slice(0, -3)))).toBe(null);
    expect(wholeEnd(view(whole.slice(0, -3)))).toBe(16);
    expect(wholeEnd(view(whole))).toBe(whole.length);
    expect(boxesOf(view([0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8]))).toEqual([]);
    expect(factsOf(view(zeros(64)))).toBe(null);
    expect(factsOf(view(init(box('vp09', zeros(78)))))).toBe(null);
  });

  test('knows when each picture begins: one to a fragment, or many that say how long they last', () => {
    const word = (value: number) => [(value >>> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255];
    const fragment = (begin: number, header: number[], run: number[]) => [
      ...box('moof', box('traf', box('tfhd', header), box('tfdt', word(0), word(begin)), box('trun', run))),
      ...box('mdat', [1, 2, 3]),
    ];
    const single = [...word(0x000001), ...word(1), ...word(99)];
    const one = [0, 3_600, 7_200].flatMap((begin) => fragment(begin, [...word(0x020000), ...word(1)], single));
    expect(pictureTimes(view(one), 90_000)).toEqual([0, 0.04, 0.08]);
    const said = [...word(0x000101), ...word(2), ...word(99), ...word(9_000), ...word(4_500)];
    expect(pictureTimes(view(fragment(90_000, [...word(0x020000), ...word(1)], said)), 90_000)).toEqual([1, 1.1]);
    const usual = [...word(0x020008), ...word(1), ...word(18_000)];
    const three = [...word(0x000201), ...word(3), ...word(99), ...word(1), ...word(2), ...word(3)];
    expect(pictureTimes(view(fragment(0, usual, three)), 90_000)).toEqual([0, 0.2, 0.4]);
    const lying = [...word(0x000101), ...word(4_000_000), ...word(99), ...word(9_000)];
    expect(pictureTimes(view(fragment(0, usual, lying)), 90_000)).toEqual([0]);
  });
});

describe('pictures under a hand', () => {
  test('two are asked for at once, one of a place, and of many wishes of a place only the last', async () => {
    const asked: number[] = [];
    const open: (() => void)[] = [];
    let most = 0;
    let running = 0;
    using queue = new PictureQueue(async ({ at }) => {
      asked.push(at);
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return { blob: new Blob(), time: at };
    });
    const got: (number | undefined)[] = [];
    const done = (picture: Picture | null) => got.push(picture?.time);
    for (let at = 0; at < 50; at++) {
      for (const camera of ['a', 'b', 'c'])
        queue.ask(camera, { camera, at: at + camera.charCodeAt(0) * 1_000, width: 1 }, done);
    }
    expect(asked).toEqual([97_000, 98_000]);
    while (open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(most).toBe(2);
    expect(asked.toSorted()).toEqual([97_000, 98_000, 97_049, 98_049, 99_049].toSorted());
    expect(got.length).toBe(5);
  });

  test('what cannot be had is said as nothing, and the next wish has its turn', async () => {
    using queue = new PictureQueue(async ({ at }) => {
      if (at === 1) throw new Error('a gap');
      return { blob: new Blob(), time: at };
    });
    const first = new Promise((resolve) => queue.ask('a', { camera: 'a', at: 1, width: 1 }, resolve));
    expect(await first).toBe(null);
    const second = new Promise<Picture | null>((resolve) => queue.ask('a', { camera: 'a', at: 2, width: 1 }, resolve));
    expect((await second)?.time).toBe(2);
    expect(queue.busy).toBe(0);
  });
});
