import { describe, expect, it } from 'vitest';
import type { SoundClass } from '#edge/domain/broadcast.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { SoundStep } from '#edge/rules/sound.ts';
import { drillWord, Hall, idOf, room, rooms, tenOClock } from './sound-hall.ts';

const siren = { kind: 'clips', clips: ['siren', 'fire-zh'], loop: true } as const;
const lockdown = { kind: 'clips', clips: ['lockdown'], loop: true } as const;
const outside = { id: 'night', outputs: rooms(2), most: 20, from: 0, until: null, reason: 'night' };

describe('a restart in the middle', () => {
  it('goes on with the right messages at the right places, word for word', () => {
    const hall = new Hall();
    hall.put({ class: 'exam', outputs: [room(3)], length: 600_000 });
    const page = hall.put({ class: 'page', outputs: [room(1)], length: 20_000 });
    hall.pass(7_000);
    const danger = hall.put({ class: 'danger', source: lockdown, outputs: rooms(2), length: null });
    hall.pass(60_000);
    const fire = hall.put({ class: 'fire', source: siren, outputs: [room(1)], length: null });
    const before = hall.arbiter.orders();
    const again = hall.reborn(2_500);
    const { orders, happenings } = again.step();
    expect(orders).toEqual(before);
    // Nothing began anew, and nobody is told so.
    expect(happenings).toEqual([]);
    expect(rooms(3).map((output) => again.heard(output))).toEqual(['fire 2.5', 'danger 62.5', 'exam 69.5']);
    again.stop(fire);
    expect(again.heard(room(1))).toBe('danger 62.5');
    again.stop(danger);
    expect(again.heard(room(1))).toBe('page 0');
    expect(again.story(page)).toEqual(['restarted turn']);
  });

  it('says of what was over meanwhile that nobody was there, and begins what its turn it is', () => {
    const hall = new Hall();
    const first = hall.put({ class: 'page', length: 5_000 });
    const second = hall.put({ class: 'page', length: 5_000 });
    const third = hall.put({ class: 'programme', length: 5_000, patience: tenOClock + 3_000 });
    const again = hall.reborn(10_000);
    again.step();
    expect(again.heard()).toBe('page 0');
    expect([first, second, third].map((id) => again.story(id))).toEqual([
      ['ended while-away'],
      ['begun turn'],
      ['expired while-away'],
    ]);
  });

  it('does not let an emergency expire by a clock that nobody vouches for, whichever way that is wrong', () => {
    for (const now of [0, tenOClock + 400 * 86_400_000]) {
      const hall = new Hall();
      const fire = hall.put({ class: 'fire', source: siren, length: null, until: tenOClock + 600_000 });
      const page = hall.put({ class: 'page', length: 5_000 });
      hall.pass(60_000);
      const again = hall.reborn(0, { now, isUnsure: true });
      again.pass(500_000);
      expect(again.arbiter.emergencies()).toEqual([fire]);
      expect(again.arbiter.whyItem(page, again.time)?.state).toBe('waiting');
      again.pass(40_000);
      expect(again.story(fire)).toEqual(['expired until']);
      expect(again.heard()).toBe('page 0');
    }
  });

  it('takes a clock that is behind what was stored for one that was put back, and no sound back to its beginning', () => {
    const hall = new Hall();
    hall.put({ class: 'programme', outputs: [room(1)], length: 600_000 });
    hall.put({ class: 'exam', outputs: [room(2)], length: 600_000 });
    hall.pass(60_000);
    const again = hall.reborn(-3_600_000);
    again.step();
    expect(rooms(2).map((output) => again.heard(output))).toEqual(['programme 60', 'exam 60']);
  });

  it('remembers who had taken back his asking, and who came first, in whatever order the documents come', () => {
    const hall = new Hall();
    const wish = { class: 'fire', source: siren, length: null } as const;
    const first = hall.put(wish);
    const second = hall.item(wish).id;
    hall.arbiter.put(hall.item({ ...wish, id: second }), hall.time);
    hall.stop(first);
    const pages = [hall.put({ class: 'page' }), hall.put({ class: 'page' })];
    const again = new Hall({}, hall.time);
    again.arbiter.restore([...hall.arbiter.snapshot()].reverse(), again.time);
    again.step();
    expect(again.arbiter.why(room(1), again.time).waiting.map(({ item }) => item)).toEqual(pages);
    again.stop(second);
    expect(again.arbiter.emergencies()).toEqual([]);
    expect(again.arbiter.orders().get(room(1))?.item).toBe(pages[0]);
  });

  it('takes each of the stored items or says which it could not take', () => {
    const hall = new Hall();
    hall.put({ class: 'page', drill: true });
    hall.put({ class: 'exam' });
    const stored = hall.arbiter.snapshot();
    const bare = new Hall({ drillWord: null });
    expect(bare.arbiter.restore(stored, bare.time)).toEqual([stored[0]?.item.id]);
    const small = new Hall({ mostItems: 1 });
    expect(small.arbiter.restore(stored, small.time)).toEqual([stored[1]?.item.id]);
  });

  it('puts documents of two moments right: two that say they play on one loudspeaker', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', length: 60_000 });
    const older = hall.arbiter.stored(page);
    hall.pass(1_000);
    const fire = hall.put({ class: 'fire', source: siren, length: null });
    const newer = hall.arbiter.stored(fire);
    if (older === null || newer === null) throw new Error('both are at work');
    const again = new Hall({}, { ...hall.time, monotonic: 5 });
    again.arbiter.restore([newer, older], again.time);
    again.step();
    expect(again.heard()).toBe('fire 0');
    expect(again.story(page)).toEqual(['preempted stronger']);
    again.stop(fire);
    expect(again.heard()).toBe('page 0');
  });
});

describe('a step of the wall clock', () => {
  it('neither ends an emergency nor sends a loudspeaker a new order', () => {
    for (const ms of [3_600_000, -3_600_000, 365 * 86_400_000]) {
      const hall = new Hall();
      const fire = hall.put({
        class: 'fire',
        source: siren,
        outputs: rooms(3),
        length: null,
        until: tenOClock + 600_000,
      });
      hall.put({ class: 'background', source: lockdown, outputs: [room(4)], length: null });
      hall.pass(10_000);
      hall.time = { ...hall.time, now: hall.time.now + ms };
      expect(hall.step().orders.size).toBe(0);
      hall.pass(580_000);
      expect(hall.arbiter.emergencies()).toEqual([fire]);
      hall.pass(10_000);
      expect(hall.story(fire)).toEqual(['begun turn', 'expired until']);
      expect(hall.heard(room(4))).toBe('background 600');
    }
  });

  it('keeps a room that joins later in step: its order says the beginning by the new clock', () => {
    const hall = new Hall();
    hall.put({ class: 'programme', outputs: rooms(2), length: 100_000 });
    hall.put({ class: 'page', outputs: [room(2)], length: 20_000 });
    hall.set(3_600_000);
    hall.pass(20_000);
    expect(rooms(2).map((output) => hall.heard(output))).toEqual(['programme 20', 'programme 20']);
    const order = hall.arbiter.orders().get(room(2))?.order;
    expect(hall.time.now - (order?.since ?? 0)).toBe(20_000);
  });

  it('moves what people planned by the clock: a lesson begins, quiet rooms and caps end', () => {
    const hall = new Hall();
    const until = tenOClock + 1_800_000;
    hall.arbiter.quiet([{ id: 'q', kind: 'exam', outputs: [room(2)], from: 0, until, reason: 'exam' }], hall.time);
    hall.arbiter.levels({ classes: {}, places: new Map(), caps: [{ ...outside, until }] }, hall.time);
    const music = hall.put({ class: 'programme', outputs: [room(1)], length: null, until });
    const rest = hall.put({ class: 'background', source: lockdown, outputs: rooms(2), length: null });
    expect(hall.heard(room(2))).toBe(null);
    hall.set(1_800_000);
    expect(hall.story(music)).toEqual(['begun turn', 'expired until']);
    expect(rooms(2).map((output) => hall.arbiter.orders().get(output)?.item)).toEqual([rest, rest]);
    expect(hall.arbiter.orders().get(room(1))?.order.level).toBe(100);
  });

  it('that is not known does not refuse an emergency, and its time left is reckoned from when it was asked for', () => {
    const hall = new Hall({}, { now: tenOClock + 86_400_000, monotonic: 5, isUnsure: true });
    const wish = { since: tenOClock, until: tenOClock + 60_000, length: null } as const;
    const fire = hall.put({ class: 'fire', source: siren, ...wish });
    expect(hall.arbiter.put(hall.item({ class: 'page', ...wish }), hall.time).refusal).toEqual({ code: 'over' });
    hall.pass(59_999);
    expect(hall.arbiter.emergencies()).toEqual([fire]);
    hall.pass(1);
    expect(hall.story(fire)).toEqual(['begun turn', 'expired until']);
  });

  it('takes slewing for what it is', () => {
    const hall = new Hall();
    const music = hall.put({ class: 'programme', length: null, until: tenOClock + 10_000 });
    for (let i = 0; i < 100; i++) {
      hall.time = { ...hall.time, now: hall.time.now + 4 };
      hall.pass(50);
    }
    expect(hall.story(music)).toEqual(['begun turn']);
  });
});

describe('bounds', () => {
  it('refuses what does not fit, with a word', () => {
    const hall = new Hall({ mostItems: 3, mostOnOutput: 2, mostOutputs: 4 });
    const refusal = (wish: Parameters<Hall['item']>[0]) => hall.arbiter.put(hall.item(wish), hall.time).refusal;
    expect(refusal({ class: 'page', outputs: rooms(5) })).toEqual({ code: 'too-many-outputs', most: 4 });
    hall.put({ class: 'page', outputs: rooms(4) });
    hall.put({ class: 'bell', outputs: [room(1)] });
    expect(refusal({ class: 'exercise', outputs: [room(1)] })).toEqual({ code: 'queue-full', most: 2 });
    const some = hall.arbiter.put(hall.item({ class: 'exercise', outputs: rooms(2) }), hall.time);
    expect(some).toMatchObject({ outcome: 'taken', refusedOn: [room(1)] });
    hall.step();
    const dropped = hall.happenings.find(({ kind }) => kind === 'dropped');
    expect(dropped).toMatchObject({ item: some.item, reason: 'queue-full', outputs: [room(1)] });
    expect(refusal({ class: 'programme', outputs: [room(3)] })).toEqual({ code: 'too-many-items', most: 3 });
    expect(refusal({ class: 'page', outputs: [] })).toEqual({ code: 'no-outputs' });
    expect(refusal({ class: 'page', until: tenOClock })).toEqual({ code: 'over' });
    const what = (wish: Parameters<Hall['item']>[0]) => refusal(wish);
    expect(what({ class: 'page', level: 101 })).toEqual({ code: 'bad-item', what: 'level' });
    expect(what({ class: 'page', length: 0 })).toEqual({ code: 'bad-item', what: 'length' });
    expect(what({ class: 'page', patience: Number.NaN })).toEqual({ code: 'bad-item', what: 'patience' });
    const clips = Array.from({ length: 30 }, (_, i) => `a-long-name-${i}`);
    expect(what({ class: 'page', source: { kind: 'clips', clips, loop: false } })).toEqual({
      code: 'bad-item',
      what: 'source',
    });
    expect(what({ class: 'page', source: { kind: 'clips', clips: [], loop: false } })).toEqual({
      code: 'bad-item',
      what: 'source',
    });
    expect(hall.arbiter.counters).toMatchObject({ items: 3, outputs: 4, refused: 10, displaced: 0 });
  });

  it('makes room for an emergency, and for a stronger one even among emergencies', () => {
    const hall = new Hall({ mostItems: 2, mostOnOutput: 2 });
    const music = hall.put({ class: 'programme' });
    const page = hall.put({ class: 'page' });
    const storm = hall.put({ class: 'warning', length: null });
    expect(hall.story(music).at(-1)).toBe('dropped displaced');
    const danger = hall.put({ class: 'danger', length: null });
    expect(hall.story(page).at(-1)).toBe('dropped displaced');
    const fire = hall.put({ class: 'fire', length: null });
    expect(hall.story(storm).at(-1)).toBe('dropped displaced');
    expect(hall.arbiter.emergencies()).toEqual([danger, fire]);
    expect(hall.arbiter.put(hall.item({ class: 'danger' }), hall.time).refusal).toEqual({
      code: 'queue-full',
      most: 2,
    });
    expect(hall.arbiter.put(hall.item({ class: 'danger', outputs: [room(2)] }), hall.time).refusal).toEqual({
      code: 'too-many-items',
      most: 2,
    });
    expect(hall.arbiter.counters.displaced).toBe(3);
  });

  it('is not filled by an input that says the same emergency again and again', () => {
    const hall = new Hall();
    const wish = { class: 'fire', source: siren, outputs: rooms(2), length: null } as const;
    const outcomes = Array.from({ length: 1_000 }, (_, i) => {
      const until = tenOClock + 60_000 + i;
      return hall.arbiter.put(hall.item({ ...wish, until }), hall.time);
    });
    hall.step();
    expect(hall.arbiter.counters.items).toBe(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'joined').length).toBe(31);
    expect(outcomes.at(-1)?.refusal).toEqual({ code: 'too-many-askers', most: 32 });
    // It lasts as long as the last of them said.
    hall.pass(60_998);
    expect(hall.arbiter.emergencies().length).toBe(1);
    hall.pass(1);
    expect(hall.arbiter.emergencies()).toEqual([]);
    // None of those who asked for it makes it sound again.
    const again = hall.arbiter.put(hall.item({ ...wish, id: idOf(20) }), hall.time);
    expect(again.refusal).toEqual({ code: 'ended-before' });
  });

  it('bounds quiet rooms and caps and says which it left out', () => {
    const hall = new Hall();
    const windows = Array.from({ length: 260 }, (_, i) => ({
      ...outside,
      id: `w${i}`,
      kind: 'exam' as const,
      from: i,
    }));
    expect(hall.arbiter.quiet(windows, hall.time)).toEqual(['w256', 'w257', 'w258', 'w259']);
    expect(hall.arbiter.levels({ classes: {}, places: new Map(), caps: windows }, hall.time).length).toBe(4);
  });
});

describe('the end', () => {
  it('is that it was played through, when its time is over in the same moment', () => {
    const hall = new Hall();
    const until = tenOClock + 10_000;
    const page = hall.put({ class: 'page', outputs: rooms(3), length: 10_000, until, patience: until });
    const music = hall.put({ class: 'programme', outputs: [room(4)], length: 10_000, until });
    hall.pass(10_000);
    expect(hall.story(page)).toEqual(['begun turn', 'ended length']);
    expect(hall.story(music)).toEqual(['begun turn', 'ended length']);
    // Told too late, it is still said in the order in which it was over.
    const late = hall.put({ class: 'page', length: 5_000, until: hall.time.now + 6_000 });
    const later = hall.put({ class: 'page', outputs: [room(2)], length: 5_000, until: hall.time.now + 4_000 });
    hall.time = { now: hall.time.now + 20_000, monotonic: hall.time.monotonic + 20_000 };
    hall.step();
    expect([hall.story(late).at(-1), hall.story(later).at(-1)]).toEqual(['ended length', 'expired until']);
    // And not as more of it than there is.
    const position = (id: typeof late) => hall.happenings.findLast(({ item }) => item === id)?.position;
    expect(position(late)).toBe(5_000);
  });
});

describe('the same wish twice', () => {
  it('is refused from another input, and from the same one while the first is not over', () => {
    const hall = new Hall();
    const wish = { class: 'bell', source: { kind: 'clips', clips: ['bell'], loop: false }, length: 5_000 } as const;
    const answer = (by: string) => {
      const { refusal } = hall.arbiter.put(hall.item({ ...wish, by }), hall.time);
      hall.step();
      return refusal;
    };
    const first = hall.put({ ...wish, by: 'schedule:bell' });
    const duplicate = { code: 'duplicate', of: first };
    expect([answer('person:a'), answer('schedule:bell')]).toEqual([duplicate, duplicate]);
    hall.pass(5_000);
    expect(answer('person:a')).toEqual(duplicate);
    expect(answer('schedule:bell')).toBe(null);
    hall.pass(31_000);
    expect(answer('person:a')).toBe(null);
    expect(hall.arbiter.counters.duplicates).toBe(3);
    expect(hall.arbiter.put(hall.item({ ...wish, id: first }), hall.time).refusal).toEqual({ code: 'ended-before' });
  });
});

describe('exercises', () => {
  it('say so in front of every message, whatever way they came, and last longer by it', () => {
    const hall = new Hall();
    const source = { kind: 'clips', clips: ['siren', 'fire-zh', 'fire-en'], loop: false } as const;
    const id = hall.put({ class: 'fire', source, length: 40_000, drill: true });
    const word = drillWord.clip;
    const order = hall.arbiter.orders().get(room(1))?.order;
    expect(order?.source).toEqual({ ...source, clips: ['siren', word, 'fire-zh', word, 'fire-en'] });
    hall.pass(43_999);
    expect(hall.heard()).toBe('fire 44');
    hall.pass(1);
    expect(hall.story(id)).toEqual(['begun turn', 'ended length']);
    const bare = new Hall({ drillWord: null });
    const refused = bare.arbiter.put(bare.item({ class: 'fire', source: siren, drill: true }), bare.time);
    expect(refused.refusal).toEqual({ code: 'no-drill-word' });
  });
});

describe('answers', () => {
  it('tells of a loudspeaker what it did lately, newest first, also when it is silent', () => {
    const hall = new Hall();
    expect(hall.arbiter.why(room(9), hall.time)).toMatchObject({ reason: 'nothing-asked', playing: null, recent: [] });
    expect(hall.arbiter.counters.outputs).toBe(0);
    hall.put({ class: 'page', length: 1_000 });
    hall.pass(1_000);
    const { reason, recent } = hall.arbiter.why(room(1), hall.time);
    expect(reason).toBe('nothing-asked');
    expect(recent.map(({ kind, at }) => [kind, at])).toEqual([
      ['ended', tenOClock + 1_000],
      ['begun', tenOClock],
    ]);
    hall.outside({ output: room(1), isSilence: true });
    expect(hall.arbiter.why(room(1), hall.time).reason).toBe('silenced-outside');
    expect(hall.arbiter.whyItem(idOf(999), hall.time)).toBe(null);
  });

  it('names a cap only when it makes it softer', () => {
    const hall = new Hall();
    hall.arbiter.levels({ classes: { bell: 20, page: 21 }, places: new Map(), caps: [outside] }, hall.time);
    hall.put({ class: 'bell', outputs: [room(1)] });
    hall.put({ class: 'page', outputs: [room(2)] });
    const levels = rooms(2).map((output) => hall.arbiter.why(output, hall.time).level);
    expect(levels.map((level) => [level?.level, level?.cap?.id])).toEqual([
      [20, undefined],
      [20, 'night'],
    ]);
  });

  it('knows a loudspeaker that plays inaudibly', () => {
    const hall = new Hall();
    hall.arbiter.levels({ classes: {}, places: new Map(), caps: [{ ...outside, most: 0 }] }, hall.time);
    hall.put({ class: 'background', length: null });
    expect(hall.arbiter.why(room(1), hall.time)).toMatchObject({
      reason: 'level-zero',
      level: { level: 0, from: 'class' },
    });
  });

  it('stops an item in some rooms only, and tells which documents changed and which may go', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', outputs: rooms(3), length: 10_000 });
    const said = { by: 'person:a', why: 'not here' };
    expect(hall.arbiter.stop(page, { ...said, outputs: [room(1)] }, hall.time).outcome).toBe('stopped');
    expect(hall.step()).toMatchObject({
      changed: [page],
      gone: [],
      happenings: [{ kind: 'stopped', outputs: [room(1)], said }],
    });
    expect(rooms(3).map((output) => hall.heard(output))).toEqual([null, 'page 0', 'page 0']);
    expect(hall.arbiter.stored(page)?.parts).toMatchObject([{ state: 'playing', outputs: [room(2), room(3)] }]);
    hall.stop(page);
    expect(hall.arbiter.stored(page)).toBe(null);
    expect(hall.arbiter.snapshot()).toEqual([]);
    expect(hall.arbiter.stop(page, said, hall.time).outcome).toBe('unknown');
  });
});

describe('a large campus', () => {
  it('costs by what changes: 1,000 loudspeakers with 100 items', () => {
    const all = rooms(1_000);
    const hall = new Hall({ mostOnOutput: 128 });
    const classes: [SoundClass, number][] = [
      ['background', 1],
      ['page', 99],
    ];
    const begun = performance.now();
    for (const [soundClass, count] of classes) {
      for (let i = 0; i < count; i++) {
        const outputs = soundClass === 'background' ? all : all.filter((_, at) => at % 99 === i);
        hall.put({ class: soundClass, outputs, length: null, source: lockdown, name: { zh: `${i}`, en: `${i}` } });
      }
    }
    const set = performance.now() - begun;
    const times: number[] = [];
    let changes = 0;
    for (let i = 0; i < 400; i++) {
      const output: PointRef = all[i] ?? room(1);
      const item = hall.item({ class: 'warning', outputs: [output], length: 1_000 });
      const from = performance.now();
      hall.arbiter.put(item, hall.time);
      const step: SoundStep = hall.arbiter.step(hall.time);
      times.push(performance.now() - from);
      changes += step.orders.size;
      hall.stop(item.id);
    }
    expect(changes).toBe(400);
    expect(hall.arbiter.counters).toMatchObject({ items: 100, outputs: 1_000, playing: 1_000, waiting: 1_000 });
    times.sort((a, b) => a - b);
    const median = times[200] ?? Number.NaN;
    const from = performance.now();
    hall.put({ class: 'fire', outputs: all, source: siren, length: null });
    const everywhere = performance.now() - from;
    expect(hall.arbiter.orders().get(room(700))?.class).toBe('fire');
    console.info(
      `set up ${set.toFixed(0)} ms; a small change: median ${median.toFixed(3)} ms, worst ${times.at(-1)?.toFixed(2)} ms; fire everywhere ${everywhere.toFixed(1)} ms`,
    );
    expect(median).toBeLessThan(1);
  });
});
