import { describe, expect, it } from 'vitest';
import { parseOrder } from '#edge/domain/broadcast.ts';
import { Hall, room, rooms, tenOClock } from './sound-hall.ts';

const live = { kind: 'live', session: 'mic-1' } as const;
const siren = { kind: 'clips', clips: ['siren', 'fire-zh'], loop: true } as const;

describe('a day of sound', () => {
  it('a fire during an examination’s listening is heard everywhere, and the listening goes on in each room where it stopped', () => {
    const hall = new Hall();
    const listening = hall.put({ class: 'exam', outputs: rooms(3), length: 600_000 });
    hall.pass(60_000);
    const fire = hall.put({ class: 'fire', source: siren, outputs: rooms(2), length: null });
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['fire 0', 'fire 0', 'exam 60']);
    hall.pass(30_000);
    hall.stop(fire);
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['exam 60', 'exam 60', 'exam 90']);
    expect(hall.story(listening, room(1))).toEqual(['begun turn', 'preempted stronger', 'resumed turn']);
    const cut = hall.happenings.find(({ kind }) => kind === 'preempted');
    expect(cut).toMatchObject({ outputs: rooms(2), position: 60_000, at: tenOClock + 60_000 });
    expect(cut?.by).toMatchObject({ kind: 'item', item: fire, class: 'fire' });
    // Nobody loses a word: the two rooms end half a minute later.
    hall.pass(510_000);
    expect([hall.heard(room(1)), hall.heard(room(3))]).toEqual(['exam 570', null]);
    hall.pass(30_000);
    expect(hall.heard(room(1))).toBe(null);
    expect(hall.story(listening, room(1)).at(-1)).toBe('ended length');
    expect(hall.story(fire)).toEqual(['begun turn', 'stopped asked']);
  });

  it('a page into one classroom during eye exercises: the others go on, and the classroom joins them in place', () => {
    const hall = new Hall();
    const exercise = hall.put({ class: 'exercise', outputs: rooms(3), length: 300_000 });
    hall.pass(100_000);
    hall.put({ class: 'page', outputs: [room(2)], length: 20_000 });
    hall.pass(10_000);
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['exercise 110', 'page 10', 'exercise 110']);
    hall.pass(10_000);
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['exercise 120', 'exercise 120', 'exercise 120']);
    const orders = rooms(3).map((output) => hall.arbiter.orders().get(output)?.order.since);
    expect(orders).toEqual([tenOClock, tenOClock, tenOClock]);
    expect(hall.story(exercise, room(2))).toEqual(['begun turn', 'preempted stronger', 'resumed in-step']);
    hall.pass(180_000);
    expect(hall.story(exercise)).toContain('ended length');
    expect(rooms(3).map((output) => hall.heard(output))).toEqual([null, null, null]);
  });

  it('exercises that a long page cut for more than a minute are given up in that room only', () => {
    const hall = new Hall();
    const exercise = hall.put({ class: 'exercise', outputs: rooms(2), length: 300_000 });
    hall.pass(10_000);
    hall.put({ class: 'page', outputs: [room(2)], length: 40_000 });
    hall.pass(50_000);
    expect(hall.heard(room(2))).toBe('exercise 60');
    hall.put({ class: 'page', outputs: [room(2)], length: 40_000 });
    hall.pass(20_000);
    expect(hall.story(exercise, room(2)).at(-1)).toBe('dropped too-much-lost');
    hall.pass(30_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['exercise 110', null]);
  });

  it('a bell during a page waits for its patience and no longer; a bell that is cut is not rung again', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', source: live, outputs: [room(1)], length: null });
    const bell = hall.put({ class: 'bell', outputs: rooms(2), length: 8_000, patience: tenOClock + 10_000 });
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['page 0', 'bell 0']);
    hall.pass(5_000);
    hall.put({ class: 'page', outputs: [room(2)], length: 2_000 });
    expect(hall.story(bell, room(2))).toEqual(['begun turn', 'preempted stronger', 'dropped not-again']);
    hall.pass(5_000);
    expect(hall.story(bell, room(1))).toEqual(['queued stronger', 'expired patience']);
    hall.stop(page);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual([null, null]);
  });

  it('a bell that finds its room free in time rings whole, though it rang elsewhere before', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', outputs: [room(1)], length: 5_000 });
    hall.put({ class: 'bell', outputs: rooms(2), length: 8_000, patience: tenOClock + 10_000 });
    hall.pass(5_000);
    expect(hall.story(page)).toEqual(['begun turn', 'ended length']);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['bell 0', 'bell 5']);
  });

  it('an interrupted message is said again from its beginning, and whoever sent it can be told', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', outputs: rooms(2), length: 12_000 });
    hall.pass(4_000);
    const storm = hall.put({ class: 'warning', outputs: [room(1)], length: 6_000 });
    expect(hall.arbiter.whyItem(page, hall.time)).toMatchObject({
      state: 'playing',
      parts: [
        {
          output: room(1),
          state: 'cut',
          position: 4_000,
          blocker: { kind: 'item', item: storm },
          cutAt: tenOClock + 4_000,
        },
        { output: room(2), state: 'playing', position: 4_000, blocker: null },
      ],
    });
    hall.pass(6_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['page 0', 'page 10']);
    expect(hall.story(page, room(1))).toEqual(['begun turn', 'preempted stronger', 'restarted turn']);
    hall.pass(2_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['page 2', null]);
    hall.pass(10_000);
    expect(hall.arbiter.whyItem(page, hall.time)?.state).toBe('over');
  });

  it('a fire during a lockdown has the word where both are, the lockdown elsewhere, and comes back where it was', () => {
    const hall = new Hall();
    const lockdown = hall.put({
      class: 'danger',
      outputs: rooms(4),
      length: null,
      source: { ...siren, clips: ['lockdown'] },
    });
    hall.pass(20_000);
    const fire = hall.put({ class: 'fire', outputs: [room(1), room(2)], length: null, source: siren });
    expect(rooms(4).map((output) => hall.heard(output))).toEqual(['fire 0', 'fire 0', 'danger 20', 'danger 20']);
    hall.pass(10_000);
    hall.stop(fire);
    expect(rooms(4).map((output) => hall.heard(output))).toEqual(['danger 30', 'danger 30', 'danger 30', 'danger 30']);
    hall.stop(lockdown);
    expect(hall.arbiter.orders().size).toBe(0);
  });

  it('a second fire sounds at once where the first does not, and takes over where the first is stopped', () => {
    const hall = new Hall();
    const first = hall.put({ class: 'fire', outputs: rooms(2), length: null, source: siren });
    const east = { ...siren, clips: ['siren', 'fire-east'] };
    const second = hall.put({ class: 'fire', outputs: [room(2), room(3)], length: null, source: east });
    hall.pass(5_000);
    const playing = () => rooms(3).map((output) => hall.arbiter.orders().get(output)?.item);
    expect(playing()).toEqual([first, first, second]);
    hall.stop(first);
    expect(playing()).toEqual([undefined, second, second]);
    expect([hall.heard(room(2)), hall.heard(room(3))]).toEqual(['fire 5', 'fire 5']);
    expect(hall.arbiter.emergencies()).toEqual([second]);
  });

  it('the same fire from two inputs is one sound that both must take back', () => {
    const hall = new Hall();
    const contact = hall.item({
      class: 'fire',
      outputs: rooms(2),
      length: null,
      source: siren,
      by: 'rule:panel-contact',
    });
    const text = {
      ...hall.item({ class: 'fire' }),
      ...contact,
      id: hall.item({ class: 'fire' }).id,
      by: 'rule:panel-text',
    };
    expect(hall.arbiter.put(contact, hall.time).outcome).toBe('taken');
    hall.step();
    hall.pass(3_000);
    expect(hall.arbiter.put(text, hall.time)).toEqual({
      outcome: 'joined',
      item: contact.id,
      refusal: null,
      refusedOn: [],
    });
    expect(hall.arbiter.put(text, hall.time).outcome).toBe('known');
    hall.pass(1_000);
    const said = { by: 'rule:panel-contact', why: 'reset' };
    expect(hall.arbiter.stop(contact.id, said, hall.time)).toEqual({
      outcome: 'goes-on',
      item: contact.id,
      askers: [text.id],
    });
    expect(hall.step().orders.size).toBe(0);
    expect(hall.heard()).toBe('fire 4');
    expect(hall.arbiter.whyItem(contact.id, hall.time)?.state).toBe('playing');
    expect(hall.arbiter.stop(text.id, said, hall.time).outcome).toBe('stopped');
    hall.step();
    expect(hall.heard()).toBe(null);
    expect(hall.arbiter.put(text, hall.time).refusal).toEqual({ code: 'ended-before' });
  });

  it('an emergency outlasts patience, quiet rooms and caps, and ends by a cancel, its own end, or all clear', () => {
    const hall = new Hall();
    const soon = tenOClock + 1_000;
    hall.arbiter.quiet(
      [{ id: 'exam', kind: 'exam', outputs: rooms(3), from: 0, until: null, reason: 'exam' }],
      hall.time,
    );
    const caps = [{ id: 'night', outputs: rooms(3), most: 20, from: 0, until: null, reason: 'night' }];
    hall.arbiter.levels({ classes: {}, emergency: 90, places: new Map(), caps }, hall.time);
    const fire = hall.put({ class: 'fire', outputs: rooms(3), length: null, source: siren });
    const storm = hall.put({
      class: 'warning',
      outputs: [room(1)],
      length: 5_000,
      patience: soon,
      interruption: 'drop',
    });
    const quake = hall.put({ class: 'danger', outputs: [room(2)], until: tenOClock + 60_000, length: null });
    hall.pass(30_000);
    expect(hall.arbiter.orders().get(room(1))?.order.level).toBe(90);
    expect(hall.arbiter.emergencies()).toEqual([fire, storm, quake]);
    hall.pass(30_000);
    expect(hall.story(quake)).toEqual(['queued stronger', 'expired until']);
    hall.stop(fire);
    expect(hall.heard(room(1))).toBe('warning 0');
    hall.pass(5_000);
    expect(hall.story(storm)).toEqual(['queued stronger', 'begun turn', 'ended length']);
    const again = [
      hall.put({ class: 'fire', source: siren, length: null }),
      hall.put({ class: 'danger', length: null }),
    ];
    expect(hall.arbiter.allClear({ by: 'person:head', why: 'all clear' }, hall.time)).toEqual(again);
    hall.step();
    expect(again.map((id) => hall.story(id).at(-1))).toEqual(['stopped all-clear', 'stopped all-clear']);
    expect(hall.arbiter.emergencies()).toEqual([]);
  });

  it('an all-school bell leaves the examination room alone and is not rung there afterwards', () => {
    const hall = new Hall();
    const until = tenOClock + 5_000;
    const quiet = {
      id: 'exam-7',
      kind: 'exam',
      outputs: [room(2)],
      from: tenOClock - 1,
      until,
      reason: '期末考试',
    } as const;
    hall.arbiter.quiet([quiet], hall.time);
    const bell = hall.put({ class: 'bell', outputs: rooms(3), length: 8_000 });
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['bell 0', null, 'bell 0']);
    expect(hall.story(bell, room(2))).toEqual(['dropped quiet']);
    const music = hall.put({
      class: 'background',
      outputs: rooms(3),
      length: null,
      source: { ...siren, clips: ['music'] },
    });
    expect(hall.arbiter.why(room(2), hall.time)).toMatchObject({
      reason: 'quiet',
      playing: null,
      quiet,
      waiting: [{ item: music, blocker: { kind: 'quiet', id: 'exam-7', until } }],
    });
    const command = hall.put({ class: 'exam', outputs: [room(2)], length: 3_000 });
    expect(hall.story(command)).toEqual(['begun turn']);
    hall.pass(5_000);
    expect(hall.heard(room(2))).toBe('background 0');
    hall.pass(3_000);
    expect(rooms(3).map((output) => hall.heard(output))).toEqual(['background 3', 'background 3', 'background 3']);
  });

  it('rooms that become quiet fall silent, and a programme joins the others when they are not quiet any more', () => {
    const hall = new Hall();
    const programme = hall.put({ class: 'programme', outputs: rooms(2), length: 100_000 });
    const from = tenOClock + 10_000;
    const recording = {
      id: 'rec',
      kind: 'recording',
      outputs: [room(2)],
      from,
      until: from + 20_000,
      reason: '录播',
    } as const;
    hall.arbiter.quiet([recording], hall.time);
    hall.pass(15_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['programme 15', null]);
    hall.pass(15_000);
    expect(hall.heard(room(2))).toBe('programme 30');
    expect(hall.story(programme, room(2))).toEqual(['begun turn', 'preempted quiet', 'resumed in-step']);
  });

  it('a programme that is cut in all its rooms stands still until the first is free', () => {
    const hall = new Hall();
    const programme = hall.put({ class: 'programme', outputs: rooms(2), length: 100_000 });
    hall.pass(10_000);
    hall.put({ class: 'page', outputs: [room(1)], length: 5_000 });
    hall.put({ class: 'page', outputs: [room(2)], length: 8_000 });
    hall.pass(5_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['programme 10', 'page 5']);
    hall.pass(3_000);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual(['programme 13', 'programme 13']);
    hall.pass(87_000);
    expect(hall.story(programme, room(1)).at(-1)).toBe('ended length');
  });

  it('the night is quiet but for emergencies, and every level is as before afterwards', () => {
    const hall = new Hall();
    const ten = tenOClock + 10_000;
    const caps = [{ id: 'night', outputs: rooms(2), most: 30, from: ten, until: ten + 20_000, reason: '22:00-06:00' }];
    const places = new Map([[room(2), { scale: 50, classes: { bell: 45 }, emergency: 85 }]]);
    hall.arbiter.levels({ classes: { background: 80 }, places, caps }, hall.time);
    const source = { ...siren, clips: ['music'] };
    hall.put({ class: 'background', outputs: rooms(2), length: null, source });
    const levels = () => rooms(2).map((output) => hall.arbiter.orders().get(output)?.order.level);
    expect(levels()).toEqual([80, 40]);
    const before = hall.arbiter.orders().get(room(1))?.order.since;
    hall.pass(10_000);
    expect(levels()).toEqual([30, 30]);
    expect(hall.arbiter.why(room(2), hall.time).level).toMatchObject({
      level: 30,
      from: 'place',
      cap: { id: 'night' },
    });
    const fire = hall.put({ class: 'fire', outputs: rooms(2), length: null, source: siren });
    expect(levels()).toEqual([100, 85]);
    hall.stop(fire);
    expect(levels()).toEqual([30, 30]);
    hall.put({ class: 'page', outputs: [room(1)], length: 1_000, level: 70 });
    expect(levels()).toEqual([30, 30]);
    hall.pass(20_000);
    expect(levels()).toEqual([80, 40]);
    hall.put({ class: 'bell', outputs: rooms(2), length: 1_000 });
    expect(levels()).toEqual([100, 45]);
    hall.pass(1_000);
    expect(levels()).toEqual([80, 40]);
    expect(hall.arbiter.orders().get(room(1))?.order.since).not.toBe(before);
  });

  it('a loudspeaker that a safety rule holds is not ours, and comes back', () => {
    const hall = new Hall();
    const music = hall.put({ class: 'programme', outputs: rooms(2), length: 100_000 });
    hall.pass(5_000);
    hall.outside({ output: room(1) });
    expect(hall.arbiter.orders().has(room(1))).toBe(false);
    expect(hall.arbiter.why(room(1), hall.time)).toMatchObject({
      reason: 'outside',
      outside: { owner: 'interlock:fire' },
      waiting: [{ item: music, state: 'cut', blocker: { kind: 'outside', class: 'fire', owner: 'interlock:fire' } }],
    });
    // Whoever has the word first keeps it, also against an emergency of ours that is no stronger.
    const fire = hall.put({ class: 'fire', source: siren, length: null, outputs: rooms(2) });
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual([null, 'fire 0']);
    hall.pass(5_000);
    hall.outside();
    expect(hall.heard(room(1))).toBe('fire 5');
    hall.outside({ output: room(1) });
    expect(hall.heard(room(1))).toBe('fire 5');
    hall.stop(fire);
    expect([hall.heard(room(1)), hall.heard(room(2))]).toEqual([null, 'programme 5']);
    hall.outside({ output: room(1), class: 'background' });
    expect(hall.heard(room(1))).toBe('programme 5');
  });

  it('two wishes of one class: the first keeps the word and the second waits', () => {
    const hall = new Hall();
    const first = hall.put({ class: 'page', length: 6_000 });
    const second = hall.put({ class: 'page', length: 6_000 });
    expect(hall.story(second)).toEqual(['queued stronger']);
    const fire = hall.put({ class: 'fire', source: siren, length: null });
    const bell = hall.put({ class: 'bell', length: 6_000 });
    const storm = hall.put({ class: 'warning', length: 6_000 });
    // In the order in which they will have the word, whoever came first.
    const { waiting } = hall.arbiter.why(room(1), hall.time);
    expect(waiting.map(({ item, state }) => [item, state])).toEqual([
      [storm, 'waiting'],
      [first, 'cut'],
      [second, 'waiting'],
      [bell, 'waiting'],
    ]);
    for (const id of [fire, bell, storm]) hall.stop(id);
    hall.pass(6_000);
    expect(hall.story(first)).toEqual(['begun turn', 'preempted stronger', 'restarted turn', 'ended length']);
    expect(hall.story(second)).toEqual(['queued stronger', 'begun turn']);
  });

  it('says of an order what a driver needs, and nothing more when nothing changed', () => {
    const hall = new Hall();
    const page = hall.put({ class: 'page', length: 6_000 });
    const wanted = hall.arbiter.orders().get(room(1));
    expect(wanted).toMatchObject({ item: page, class: 'page', priority: 8, rank: 4, reason: 'because' });
    expect(parseOrder(wanted?.text ?? '')).toEqual(wanted?.order);
    hall.put({ class: 'bell', outputs: [room(2)] });
    expect(hall.step()).toEqual({ orders: new Map(), happenings: [], changed: [], gone: [] });
  });
});
