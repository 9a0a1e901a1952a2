import { describe, expect, it } from 'vitest';
import type { LedgerLine, Occurrence, SchoolEntry } from '#edge/domain/school.ts';
import { ClipBook } from '#edge/processes/core/broadcast-clips.ts';
import { BroadcastSettings } from '#edge/processes/core/broadcast-settings.ts';
import { createSchoolActs } from '#edge/processes/core/school-acts.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { UnderWay } from '#edge/processes/core/school-under-way.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { DocumentBody } from '#edge/store/documents.ts';
import { openReader } from '#edge/store/reader.ts';
import { open, temporaryFolder } from '../../fixtures/store/site.ts';
import { BroadcastRoom, devices, speakers, ten, zones } from './broadcast-room.ts';

const minute = 60_000;
const hour = 3_600_000;
const said = { by: 'person:lin', why: 'enough' };
const [first] = speakers;

function bellOf(room: BroadcastRoom, more: Partial<Occurrence> = {}): Occurrence {
  return {
    ...{ key: 'begin@2026-11-23T10:00:00', entry: 'begin', name: { zh: '上课', en: 'Lesson begins' }, class: 'bell' },
    ...{ layer: 'campus', at: room.clock.now(), date: '2026-11-23' as Occurrence['date'], second: 36_000, zones },
    ...{ do: { kind: 'sound', clip: 'bell', zones, seconds: 5 }, why: [], silenced: null },
    ...more,
  };
}

function lineOf({ key, entry, class: of }: Occurrence): LedgerLine {
  return { key, entry, class: of, reason: '' } as unknown as LedgerLine;
}

function schoolOf(room: BroadcastRoom) {
  const acts = createSchoolActs({
    ...{ devices, clips: new Set(['bell', 'song']), commands: room.commands, clock: room.clock, sound: room.desk },
    modes: { set: () => Promise.reject(new Error('no modes here')) },
  });
  return { acts, underWay: new UnderWay({ acts, clock: room.clock }) };
}

function begin(school: ReturnType<typeof schoolOf>, one: Occurrence): void {
  const begun = school.acts.begin(one, null);
  if ('refused' in begun) throw new Error(begun.refused);
  school.underWay.begin(lineOf(one), begun.told, 5_000);
}

describe('a sound of the school day', () => {
  it('rings in its rooms, is told as done when the loudspeakers say so, and is over after its length', async () => {
    using room = new BroadcastRoom();
    const school = schoolOf(room);
    begin(school, bellOf(room));
    expect(school.acts.isHeld('begin')).toBe(true);
    expect(school.underWay.look()).toEqual([]);
    await room.obey();
    expect(school.underWay.look()).toMatchObject([{ outcome: 'done', message: '5 of 5 outputs confirmed it' }]);
    await room.pass(5_500);
    expect(school.acts.isHeld('begin')).toBe(false);
    expect(speakers.map((ref) => room.told(ref))).toEqual(speakers.map(() => ''));
  });

  it('that is undone falls silent at once, and what others asked for goes on', async () => {
    using room = new BroadcastRoom();
    const school = schoolOf(room);
    const one = bellOf(room, { zones: [zones[0]] });
    begin(school, one);
    const page = room.taken({ zones: [zones[1]], clips: ['song'] });
    await room.obey();
    school.acts.end(one, 'somebody took it back', new Set());
    await room.obey();
    expect(school.acts.isHeld('begin')).toBe(false);
    expect(room.told(first)).toBe('');
    expect(room.desk.items().map(({ item }) => item.id)).toEqual([page]);
    expect(room.mistake()).toBeNull();
  });

  it('that waits behind a page and is given up is not told as done', async () => {
    using room = new BroadcastRoom();
    const school = schoolOf(room);
    room.taken({ clips: ['song'] });
    await room.obey();
    begin(school, bellOf(room));
    const closings = [];
    for (let i = 0; i < 60; i++) {
      await room.pass(250);
      closings.push(...school.underWay.look());
    }
    expect(closings).toMatchObject([
      { outcome: 'failed', reason: 'overruled', message: 'sound:page held it meanwhile' },
    ]);
    expect(school.acts.isHeld('begin')).toBe(false);
    expect(room.sent.filter(({ value }) => String(value).includes('class=bell') || value === 'bell')).toEqual([]);
    expect(room.mistake()).toBeNull();
  });

  it('that waits behind a short page is told as done when it rings after it', async () => {
    using room = new BroadcastRoom();
    const school = schoolOf(room);
    const page = room.taken({ clips: ['song'] });
    await room.obey();
    begin(school, bellOf(room));
    await room.pass(7_000);
    expect(school.underWay.look()).toEqual([]);
    room.desk.stop(page, said);
    await room.obey();
    expect(school.underWay.look()).toMatchObject([{ outcome: 'done', message: '5 of 5 outputs confirmed it' }]);
  });

  it('is not told as done because the loudspeaker confirmed what it played before', async () => {
    using room = new BroadcastRoom();
    const school = schoolOf(room);
    const page = room.taken({ clips: ['song'], zones: [zones[2]] });
    begin(school, bellOf(room, { zones: [zones[2]] }));
    await room.obey();
    room.desk.stop(page, said);
    // The page was confirmed after the bell was asked for; the bell itself is on its way.
    expect(room.held(speakers[2] ?? first)[0]?.owner).toBe('schedule:begin');
    expect(school.underWay.look()).toEqual([]);
    await room.obey();
    expect(school.underWay.look()).toMatchObject([{ outcome: 'done' }]);
  });
});

const noBook = {
  load: () => {},
  planOn: () => null,
  occurrences: () => [],
};

function bookOf(room: BroadcastRoom) {
  const book = new SchoolBook({
    ...{ timeZone: 'Asia/Shanghai', zones: [...zones], clock: room.clock, append: () => Promise.resolve() },
    reader: { documents: () => [] } as never,
  });
  return { ...noBook, clock: book.clock, today: () => book.today() };
}

type Levels = DocumentBody<'soundLevels'>;
const levels: Levels = { classes: {}, emergency: 100, zones: {}, devices: {}, caps: [] };

describe('loudness and quiet rooms', () => {
  it('a cap of 22:00 to 06:00 holds from the evening of its days to the morning after, in local time, and an emergency is as loud as ever', async () => {
    // Monday 21:50 in Shanghai.
    using room = new BroadcastRoom(Date.UTC(2026, 10, 23, 13, 50));
    const cap: Levels['caps'][number] = { name: 'night', zones: 'all', from: 1_320, to: 360, days: [1], most: 30 };
    const body: Levels = { ...levels, caps: [cap] };
    const settings = new BroadcastSettings({
      ...{ desk: room.desk, book: bookOf(room), clock: room.clock, log: silentLog },
      reader: { document: () => ({ body }), documents: () => [] } as never,
    });
    settings.tick();
    room.taken({ class: 'programme', clips: ['song'], loop: true });
    const loud = () => room.desk.why(first).level?.level;
    const at = async (time: number) => {
      room.clock.advance(time - room.clock.now());
      settings.tick();
      room.desk.tick();
      await room.obey();
    };
    expect(loud()).toBe(100);
    await at(Date.UTC(2026, 10, 23, 13, 59, 59));
    expect(loud()).toBe(100);
    await at(Date.UTC(2026, 10, 23, 14, 0));
    expect(loud()).toBe(30);
    expect(room.told(first)).toContain('level=30');
    await at(Date.UTC(2026, 10, 23, 21, 59));
    expect(loud()).toBe(30);
    const fire = room.taken({ class: 'fire', clips: ['evacuation'], loop: true });
    expect(loud()).toBe(100);
    room.desk.stop(fire, said);
    await at(Date.UTC(2026, 10, 23, 22, 0));
    expect(loud()).toBe(100);
    // Tuesday night is none of its days.
    await at(Date.UTC(2026, 10, 24, 15, 0));
    expect(loud()).toBe(100);
    expect(room.mistake()).toBeNull();
  });

  it('rooms that somebody made quiet are so until his time, though the school day cannot be read', async () => {
    using room = new BroadcastRoom();
    const body = { kind: 'recording', zones: [zones[0]], devices: [], from: ten, until: ten + minute, why: 'a lesson' };
    const settings = new BroadcastSettings({
      ...{ desk: room.desk, clock: room.clock, log: silentLog },
      book: {
        ...bookOf(room),
        load: () => {
          throw new Error('the database is locked');
        },
      },
      reader: { document: () => null, documents: () => [{ id: 'q1', who: 'person:lin', body }] } as never,
    });
    settings.tick();
    const page = room.taken({ clips: ['song'], patience: null });
    await room.obey();
    expect(room.desk.why(first)).toMatchObject({ reason: 'quiet', quiet: { id: 'q1' } });
    expect(room.told(first)).toBe('');
    await room.pass(minute);
    expect(room.desk.orders().get(first)?.item).toBe(page);
    settings.tick();
    expect(settings.quiets).toEqual([]);
  });

  it('the rooms of an examination in a signed plan are quiet around its paper, and no other', async () => {
    await using folder = await temporaryFolder();
    using room = new BroadcastRoom();
    const { clock } = room;
    await using exams = await signedExam(room, folder.path, { at: 15 * 3_600, minutes: 120 }, 5);
    const { settings } = exams;
    settings.tick();
    const [quiet, ...more] = settings.quiets;
    expect(more).toEqual([]);
    expect(quiet).toMatchObject({ kind: 'exam', by: 'school:mid-term', outputs: [speakers[0], speakers[3]] });
    // 15:00 to 17:00 in Shanghai, and its commands before and after.
    expect(quiet?.from).toBeLessThanOrEqual(ten + 5 * hour - 10 * minute);
    expect(quiet?.until).toBeGreaterThanOrEqual(ten + 7 * hour + 5 * minute);
    clock.advance(5 * hour);
    room.taken({ clips: ['song'] });
    const exam = room.taken({ class: 'exam', clips: ['bell'], zones: [zones[0]] });
    await room.obey();
    expect(room.desk.orders().get(first)?.item).toBe(exam);
    expect(room.desk.orders().get(speakers[1] ?? first)?.class).toBe('page');
    await room.pass(6_000);
    expect(room.desk.why(first).reason).toBe('quiet');
    expect(room.mistake()).toBeNull();
  });

  it('an examination that ends late keeps its rooms quiet past midnight, also after a start', async () => {
    await using folder = await temporaryFolder();
    using room = new BroadcastRoom();
    const { clock } = room;
    await using exams = await signedExam(room, folder.path, { at: 22 * 3_600, minutes: 110 }, 60);
    // 00:20 of the day after.
    clock.advance(14 * hour + 20 * minute);
    exams.settings.tick();
    const [quiet] = exams.settings.quiets;
    expect(quiet).toMatchObject({ kind: 'exam', by: 'school:mid-term' });
    room.taken({ clips: ['song'], zones: [zones[0]], patience: null });
    await room.obey();
    expect(room.desk.why(first).reason).toBe('quiet');
    clock.advance((quiet?.until ?? 0) - clock.now() + 1_000);
    exams.settings.tick();
    expect(exams.settings.quiets).toEqual([]);
  });
});

/** A plan with one paper of an examination, signed for its day, and the settings of a process that has just started. */
async function signedExam(
  room: BroadcastRoom,
  path: string,
  paper: { readonly at: number; readonly minutes: number },
  quietAfter: number,
) {
  await using stack = new AsyncDisposableStack();
  const { clock } = room;
  const store = stack.use(await open(path, {}, { clock }));
  const reader = stack.use(openReader(path, clock));
  const newBook = () =>
    new SchoolBook({
      ...{ timeZone: 'Asia/Shanghai', zones: [...zones], reader, clock, append: (batch) => store.append(batch) },
    });
  const book = newBook();
  const entries = {
    'mid-term': {
      ...{ part: 'exam', name: { zh: '期中考试', en: 'Mid-term' }, layer: 'campus', template: 'sichuan' },
      zones: [zones[0]],
      papers: [{ name: { zh: '数学', en: 'Maths' }, date: '2026-11-23', ...paper }],
      clips: { 'entry-bell': 'bell', begin: 'bell', end: 'bell', rules: 'song' },
      ...{ quietBefore: 10, quietAfter },
    },
  } as unknown as Readonly<Record<string, SchoolEntry>>;
  const actor = { who: 'person:lin', from: '127.0.0.1' };
  const changes = Object.entries(entries).map(([id, body]) => ({ id, rev: 0, body }));
  await book.put(changes, 'test', actor);
  const revs = Object.fromEntries(reader.documents('school').map(({ id, rev }) => [id, rev]));
  const [from, to] = [book.today(), book.today()];
  await book.sign({ from, to, revs, accept: ['unconfirmed-year:2026'], why: 'test' }, actor);
  // As after a start: nobody has loaded the book.
  const settings = new BroadcastSettings({ desk: room.desk, book: newBook(), reader, clock, log: silentLog });
  const owned = stack.move();
  return { settings, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe('clips', () => {
  it('that people made are told before the command that names them', async () => {
    using room = new BroadcastRoom();
    const told: string[] = [];
    const made: object[] = [];
    const book = new ClipBook({
      ...{ clips: {}, log: silentLog },
      reader: { documents: () => made } as never,
      bus: {
        publish: (topic, payload) => {
          told.push(`${topic} ${JSON.stringify(payload)}`);
          return Promise.resolve();
        },
      },
    });
    book.tell();
    expect(book.clip('c-1')).toBeUndefined();
    made.push({ id: 'c-1', body: { file: `${'0'.repeat(64)}.wav`, ahead: false, length: 4_000 } });
    book.tell();
    expect(book.clip('c-1')).toEqual({ length: 4_000, isEndless: false });
    expect(told.length).toBe(2);
    expect(told[1]).toContain('c-1');
    expect(() => room.play({ clips: ['c-1'] })).toThrow('there is no clip "c-1"');
    expect(room.sent.filter(({ value }) => String(value).includes('c-1'))).toEqual([]);
  });
});
