import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Anchor,
  campusLayer,
  dayKinds,
  itemClasses,
  type LocalDate,
  type SchoolAction,
  type SchoolEntries,
  type SchoolEntry,
  type SchoolItem,
  type SchoolOverride,
  slotKinds,
  type Weekday,
} from '#edge/domain/school.ts';
import { comparePlans } from '#edge/school/compare.ts';
import { conflictsOf } from '#edge/school/conflicts.ts';
import { datesFrom, weekdays } from '#edge/school/dates.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan } from '#edge/school/plan.ts';
import { dayOf } from '#edge/school/resolve-day.ts';
import { autumn, both, days, exam, hour, item, layer, plan, season, timetable, zone, zones } from './school-plan.ts';

function mistakes(more: SchoolEntries): string[] {
  return plan(more).mistakes.map(({ entry, path, code, weight }) => `${weight} ${entry}.${path}: ${code}`);
}

describe('a plan', () => {
  test('without mistakes has none', () => {
    expect(plan().mistakes).toEqual([]);
    expect(Object.keys(plan().entries)).toHaveLength(5);
  });

  test('leaves out what names something that does not exist', () => {
    const more = {
      grade: layer(['east'], { parent: 'school' }),
      lost: item({ layer: 'nowhere' }),
      saturday: days('2026-09-05', { kind: 'school', timetable: 'none' }),
      spring: season({ from: '2027-02-01', to: '2027-02-02', weekly: [{ days: [1], timetable: 'none' }] }),
    };
    expect(mistakes(more)).toEqual([
      'mistake grade.parent: unknown-layer',
      'mistake lost.layer: unknown-layer',
      'mistake saturday.timetable: unknown-timetable',
      'mistake spring.weekly[0].timetable: unknown-timetable',
    ]);
    expect(Object.keys(plan(more).entries)).toEqual(Object.keys(plan().entries));
  });

  test('leaves out layers in a circle, and what belongs to them', () => {
    const circle = {
      a: layer(['east'], { parent: 'b' }),
      b: layer(['west'], { parent: 'a' }),
      c: item({ layer: 'a' }),
    };
    expect(mistakes(circle)).toEqual([
      'mistake a.parent: layers-circular',
      'mistake b.parent: layers-circular',
      'mistake c.layer: unknown-layer',
    ]);
  });

  test('keeps the first of terms, seasons and painted days that overlap', () => {
    const twice = {
      spring: { part: 'term', name: both('Spring'), from: '2027-01-11', weeks: 18 } as const,
      summer: season({ name: both('Summer'), from: '2027-01-17', to: '2027-06-01' }),
      'of-grade': season({ name: both('Grade'), layer: 'grade-1' }),
      'grade-1': layer(['east']),
      ...{ a: days('2026-09-05'), b: days('2026-09-05', { name: both('Again') }) },
    };
    expect(mistakes(twice)).toEqual([
      'mistake spring.from: terms-overlap',
      'mistake summer.from: seasons-overlap',
      'mistake b.from: days-overlap',
    ]);
  });

  test('names the piece of a timetable that overlaps, is there twice, or reaches past midnight', () => {
    const [first, second] = timetable(8 * hour).pieces;
    if (first === undefined || second === undefined) throw new Error('a timetable has pieces');
    const of = (...pieces: readonly (typeof first)[]) => ({
      other: { ...timetable(8 * hour), name: both('Other'), pieces },
    });
    expect(mistakes(of(first, { ...second, at: 8 * hour + 600 }))).toEqual(['mistake other.pieces[1]: slots-overlap']);
    expect(mistakes(of(first, first))).toEqual(['mistake other.pieces[1].id: piece-twice']);
    expect(mistakes(of({ ...first, at: 23.9 * hour }))).toEqual(['mistake other.pieces[0]: past-midnight']);
  });

  test('leaves a season standing whose timetable is wrong: its days say that they have none', () => {
    const broken = { usual: { ...timetable(8 * hour), start: Number.NaN } };
    expect(mistakes(broken)).toEqual(['mistake usual.start: not-a-number', 'warning bell.days: never']);
    const day = dayOf(plan(broken), '2026-09-01', campusLayer);
    expect(day).toMatchObject({ kind: 'school', timetable: null, slots: [] });
    expect(day.why.at(-1)).toEqual({ code: 'no-timetable', entry: 'usual' });
  });

  test('warns of what holds but can hardly be meant', () => {
    const more = {
      'grade-1': layer(['east', 'moon']),
      'house-a': layer(['east', 'west']),
      again: item({ when: { slot: 'lesson-9', edge: 'start', offset: 0 } }),
      sundays: item({ name: both('Sundays'), days: { kinds: ['school'], weekdays: [7] } }),
      off: item({ name: both('Off'), days: { kinds: [], weekdays: [7] }, enabled: false }),
      exam: exam({ clips: { bang: 'x' }, zones: [] }),
    };
    expect(mistakes(more).toSorted()).toEqual([
      'warning again.days: never',
      'warning again.name: name-twice',
      'warning again.when.slot: unknown-slot',
      'warning exam.clips.bang: unknown-command',
      'warning exam.zones: nowhere',
      'warning grade-1.zones[1]: unknown-zone',
      'warning house-a.zones[0]: zone-twice',
      'warning sundays.days: never',
    ]);
    expect(
      compilePlan({}, { clock: createSchoolClock('UTC'), holidays: [], zones }).mistakes.map(({ code }) => code),
    ).toEqual(['no-term']);
  });

  test('refuses dates, numbers and words that are none', () => {
    const odd = 'sunny' as 'dry';
    expect(
      mistakes({
        'Bad id': days('2026-09-05'),
        campus: layer(['east']),
        term: { part: 'term', name: both('t'), from: '2026-09-01', weeks: 20, opens: '2026-08-01' },
        paint: days('2026-02-30'),
        long: days('2026-09-06', { to: '2028-09-06' }),
        back: days('2026-09-06', { to: '2026-09-01' }),
        loud: item({ do: { kind: 'sound', clip: '', zones: [], seconds: -1, volume: 2 } }),
        rain: item({ days: { kinds: [], weekdays: [], weather: odd } }),
        night: exam({ papers: [{ name: both('x'), date: '2026-11-11', at: 600, minutes: 100 }] }),
        twice: exam({
          papers: [
            { name: both('x'), date: '2026-11-11', at: 9 * hour, minutes: 100 },
            { name: both('y'), date: '2026-11-11', at: 10 * hour, minutes: 100 },
          ],
        }),
      }).filter((line) => line.startsWith('mistake')),
    ).toEqual([
      'mistake term.from: not-a-monday',
      'mistake term.opens: outside-term',
      'mistake Bad id.: bad-id',
      'mistake campus.: reserved-id',
      'mistake paint.from: not-a-date',
      'mistake long.to: too-long',
      'mistake back.to: ends-before',
      'mistake loud.do.seconds: not-a-number',
      'mistake loud.do.clip: empty',
      'mistake loud.do.volume: not-a-number',
      'mistake rain.days.weather: unknown-word',
      'mistake night.papers[0].at: past-midnight',
      'mistake twice.papers[1].at: papers-overlap',
    ]);
  });
});

/* Whatever people may have written, as long as it has the shape of an entry. */
const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('campus', 'grade', 'usual', 'late', '__proto__', 'lesson-1', 'east'),
);
const anyDate = fc.oneof(
  fc.constantFrom('2026-09-01', '2026-11-11', '2026-11-12', '2027-01-01', '2026-02-30', ''),
  anyText,
);
const anyNumber = fc.oneof(fc.integer({ min: -10, max: 90_000 }), fc.double(), fc.constantFrom(0, 1, 40, 8 * hour));
const anyName = fc.record({ zh: anyText, en: anyText });
const anyZones = fc.array(anyText.map(zone), { maxLength: 3 });
const anyWeekday = fc.constantFrom<Weekday[]>(...weekdays);
const anyWeekdays = fc.array(anyWeekday, { maxLength: 3 });
const anyAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.record({ at: anyNumber }),
  fc.record({
    slot: fc.oneof(anyText, fc.record({ kind: fc.constantFrom(...slotKinds) })),
    edge: fc.constantFrom('start' as const, 'end' as const),
    offset: anyNumber,
  }),
);
const anyAction: fc.Arbitrary<SchoolAction> = fc.oneof(
  fc.record({ kind: fc.constant('sound' as const), clip: anyText, zones: anyZones, seconds: anyNumber }),
  fc.record({ kind: fc.constant('mode' as const), mode: anyText, on: fc.boolean(), seconds: anyNumber }),
);
const anyFilter = fc.record(
  {
    kinds: fc.array(fc.constantFrom(...dayKinds), { maxLength: 3 }),
    weekdays: anyWeekdays,
    weather: fc.constantFrom('rainy' as const, 'dry' as const),
    from: anyDate,
    to: anyDate,
  },
  { requiredKeys: ['kinds', 'weekdays'] },
);
const anyItem = fc.record({
  ...{ part: fc.constant('item' as const), name: anyName, class: fc.constantFrom(...itemClasses), layer: anyText },
  ...{ when: anyAnchor, days: anyFilter, do: anyAction, enabled: fc.boolean() },
});
const anyPiece = fc.record(
  { id: anyText, kind: fc.constantFrom(...slotKinds), name: anyName, minutes: anyNumber, at: anyNumber },
  { requiredKeys: ['id', 'kind', 'name', 'minutes'] },
);
const anyEntry: fc.Arbitrary<SchoolEntry> = fc.oneof(
  fc.record({
    ...{ part: fc.constant('layer' as const), name: anyName, kind: fc.constant('grade' as const) },
    ...{ parent: fc.oneof(fc.constant(null), anyText), zones: anyZones },
  }),
  fc.record(
    {
      part: fc.constant('term' as const),
      name: anyName,
      from: anyDate,
      weeks: anyNumber,
      opens: anyDate,
      closes: anyDate,
    },
    { requiredKeys: ['part', 'name', 'from', 'weeks'] },
  ),
  fc.record({
    ...{ part: fc.constant('season' as const), name: anyName, layer: anyText, from: anyDate, to: anyDate },
    weekly: fc.array(fc.record({ days: anyWeekdays, timetable: anyText }), { maxLength: 3 }),
  }),
  fc.record({
    ...{ part: fc.constant('timetable' as const), name: anyName, start: anyNumber },
    pieces: fc.array(anyPiece, { maxLength: 5 }),
  }),
  fc.record(
    {
      ...{ part: fc.constant('days' as const), name: anyName, layer: anyText, from: anyDate, to: anyDate },
      ...{ kind: fc.constantFrom(...dayKinds), useWeekday: anyWeekday, timetable: anyText },
    },
    { requiredKeys: ['part', 'name', 'layer', 'from', 'to', 'kind'] },
  ),
  anyItem,
  fc.record({
    ...{ part: fc.constant('exam' as const), name: anyName, layer: anyText, zones: anyZones },
    ...{ template: fc.constant('sichuan' as const), clips: fc.dictionary(anyText, anyText, { maxKeys: 2 }) },
    papers: fc.array(fc.record({ name: anyName, date: anyDate, at: anyNumber, minutes: anyNumber }), { maxLength: 3 }),
    ...{ quietBefore: anyNumber, quietAfter: anyNumber },
  }),
);

/* Items that hold, on a school with two grades. */
const minute = 60;
const goodAnchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.record({ at: fc.integer({ min: 0, max: 1_439 }).map((n) => n * minute) }),
  fc.record({
    slot: fc.oneof(
      fc.constantFrom('lesson-1', 'break-2'),
      fc.constantFrom({ kind: 'lesson' as const }, { kind: 'break' as const }),
    ),
    edge: fc.constantFrom('start' as const, 'end' as const),
    offset: fc.integer({ min: -900, max: 900 }),
  }),
);
const goodAction: fc.Arbitrary<SchoolAction> = fc.oneof(
  fc.record({
    ...{
      kind: fc.constant('sound' as const),
      clip: fc.constantFrom('a', 'b'),
      seconds: fc.integer({ min: 1, max: 300 }),
    },
    zones: fc.subarray(zones),
  }),
  fc.record({
    kind: fc.constant('mode' as const),
    mode: fc.constant('quiet'),
    on: fc.boolean(),
    seconds: fc.constant(60),
  }),
);
const goodItem: fc.Arbitrary<SchoolItem> = fc.record({
  ...{ part: fc.constant('item' as const), name: fc.constant(both('Item')), class: fc.constantFrom(...itemClasses) },
  ...{
    layer: fc.constantFrom('campus', 'grade-1', 'grade-2'),
    when: goodAnchor,
    do: goodAction,
    enabled: fc.boolean(),
  },
  days: fc.record(
    {
      kinds: fc.subarray([...dayKinds]),
      weekdays: fc.constant([]),
      weather: fc.constantFrom('rainy' as const, 'dry' as const),
    },
    { requiredKeys: ['kinds', 'weekdays'] },
  ),
});
const grades = {
  ...{ 'grade-1': layer(['east']), 'grade-2': layer(['west'], { name: both('Grade 2') }) },
  'late-grade': season({ layer: 'grade-2', name: both('Late'), weekly: [{ days: [1, 3, 5], timetable: 'late' }] }),
  exam: exam(),
  kept: days('2026-11-11', { kind: 'exam', timetable: 'usual' }),
};
const goodPlan = (items: readonly SchoolItem[], timeZone: string) =>
  plan(
    { ...grades, ...Object.fromEntries(items.map((one, n) => [`item-${n}`, one])) },
    { clock: createSchoolClock(timeZone) },
  );
const someDate: fc.Arbitrary<LocalDate> = fc.constantFrom(
  '2026-10-25',
  '2026-11-09',
  '2026-11-10',
  '2026-11-11',
  '2026-10-10',
  '2027-03-28',
);
const someZone = fc.constantFrom('Asia/Shanghai', 'Europe/Berlin', 'America/Santiago');
const what: fc.Arbitrary<SchoolOverride['what']> = fc.oneof(
  fc.constant({ kind: 'rainy' as const }),
  fc.record({ kind: fc.constant('quiet' as const), classes: fc.subarray([...itemClasses]), zones: fc.subarray(zones) }),
  fc.record({
    ...{ kind: fc.constant('shift' as const), date: someDate, after: fc.integer({ min: 0, max: 86_399 }) },
    seconds: fc.integer({ min: -3_600, max: 40_000 }),
  }),
);
const someOverride = fc.record({
  ...{ id: fc.uuid(), what, layer: fc.constantFrom('campus', 'grade-1', 'grade-2') },
  from: fc.integer({ min: Date.UTC(2026, 9, 1), max: Date.UTC(2026, 10, 11) }),
  until: fc.integer({ min: Date.UTC(2026, 10, 9), max: Date.UTC(2027, 4, 1) }),
  ...{ by: fc.constant('clerk'), why: fc.constant('because') },
});

describe('whatever is written', () => {
  test('a plan is made of it without throwing, and its days are told', () => {
    const surroundings = { clock: createSchoolClock('Asia/Shanghai'), holidays: officialYears, zones };
    fc.assert(
      fc.property(fc.dictionary(anyText, anyEntry, { maxKeys: 12 }), (entries) => {
        for (const all of [entries, { ...autumn, ...entries }]) {
          const school = compilePlan(all, surroundings);
          for (const { entry, weight } of school.mistakes)
            if (weight === 'mistake') expect(Object.hasOwn(school.entries, entry)).toBe(false);
          for (const date of ['2026-09-01', '2026-11-11', '2027-01-01']) {
            const happening = occurrencesOf(school, date, []);
            expect(new Set(happening.map(({ key }) => key)).size).toBe(happening.length);
            expect(conflictsOf(school, date, happening).length).toBeLessThanOrEqual(200);
          }
        }
      }),
      { seed: 7_020, numRuns: 400 },
    );
  });

  test('keys are unique, times are in order and within their local day, whatever is overridden', () => {
    fc.assert(
      fc.property(
        fc.array(goodItem, { maxLength: 8 }),
        fc.array(someOverride, { maxLength: 4 }),
        ...([someDate, someZone] as const),
        (items, overrides, date, timeZone) => {
          const school = goodPlan(items, timeZone);
          expect(school.mistakes.filter(({ weight }) => weight === 'mistake')).toEqual([]);
          const happening = occurrencesOf(school, date, overrides);
          const { from, to } = school.clock.dayOf(date);
          expect(new Set(happening.map(({ key }) => key)).size).toBe(happening.length);
          for (const [n, one] of happening.entries()) {
            expect(one.at >= from && one.at < to, one.key).toBe(true);
            expect(one.date).toBe(date);
            expect(one.at).toBeGreaterThanOrEqual(happening[n - 1]?.at ?? 0);
          }
        },
      ),
      { seed: 7_021, numRuns: 200 },
    );
  });

  test('a skip changes the one occurrence and nothing else', () => {
    fc.assert(
      fc.property(fc.array(goodItem, { minLength: 1, maxLength: 8 }), fc.nat(), someDate, (items, pick, date) => {
        const school = goodPlan(items, 'Asia/Shanghai');
        const before = occurrencesOf(school, date, []);
        const chosen = before[pick % Math.max(1, before.length)];
        if (chosen === undefined) return;
        const { from, to } = school.clock.dayOf(date);
        const skip = {
          id: 's',
          what: { kind: 'skip', key: chosen.key },
          layer: 'campus',
          from,
          until: to,
          by: 'c',
          why: 'w',
        } as const;
        const after = occurrencesOf(school, date, [skip]);
        expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
        for (const [n, one] of after.entries()) {
          if (one.key !== chosen.key) expect(one).toEqual(before[n]);
          else expect(one.silenced?.code).toBe(chosen.silenced?.code === 'disabled' ? 'disabled' : 'skipped');
        }
      }),
      { seed: 7_022, numRuns: 150 },
    );
  });

  test('a shift of the campus moves what comes after it by as much, and nothing else', () => {
    const shifts = fc.record({
      after: fc.integer({ min: 0, max: 86_399 }),
      seconds: fc.integer({ min: 1, max: 7_200 }),
    });
    fc.assert(
      fc.property(fc.array(goodItem, { maxLength: 8 }), shifts, (items, shift) => {
        const date = '2026-11-09';
        const dry = items.map((one) => ({ ...one, days: { kinds: one.days.kinds, weekdays: [] } }));
        const school = goodPlan(dry, 'Asia/Shanghai');
        const { from, to } = school.clock.dayOf(date);
        const said = {
          id: 's',
          what: { kind: 'shift', date, ...shift },
          layer: 'campus',
          from,
          until: to,
          by: 'c',
          why: 'w',
        } as const;
        const before = new Map(occurrencesOf(school, date, []).map((one) => [one.key, one]));
        const after = occurrencesOf(school, date, [said]);
        expect(after).toHaveLength(before.size);
        for (const one of after) {
          const was = before.get(one.key);
          if (was === undefined) throw new Error(`${one.key} is new`);
          const isMoved = was.second >= shift.after && was.second + shift.seconds <= 86_399;
          expect(one.at - was.at).toBe(isMoved ? shift.seconds * 1_000 : 0);
          const isLost = was.second >= shift.after && !isMoved;
          expect(one.silenced?.code).toBe(was.silenced?.code ?? (isLost ? 'shift' : undefined));
        }
      }),
      { seed: 7_023, numRuns: 150 },
    );
  });

  test('quiet takes exactly its classes out of exactly its zones', () => {
    const quiets = fc.record({ classes: fc.subarray([...itemClasses]), zones: fc.subarray(zones, { minLength: 1 }) });
    fc.assert(
      fc.property(fc.array(goodItem, { maxLength: 8 }), quiets, (items, quiet) => {
        const date = '2026-11-09';
        const sounds = items.filter((one) => one.do.kind === 'sound').map((one) => ({ ...one, enabled: true }));
        const school = goodPlan(sounds, 'Asia/Shanghai');
        const { from, to } = school.clock.dayOf(date);
        const said = {
          id: 'q',
          what: { kind: 'quiet', ...quiet },
          layer: 'campus',
          from,
          until: to,
          by: 'c',
          why: 'w',
        } as const;
        const before = occurrencesOf(school, date, []);
        const after = new Map(occurrencesOf(school, date, [said]).map((one) => [one.key, one]));
        for (const was of before) {
          const one = after.get(was.key);
          const isMeant = quiet.classes.length === 0 ? was.class !== 'exam' : quiet.classes.includes(was.class);
          const left = was.zones.filter((id) => !isMeant || !quiet.zones.includes(id));
          if (left.length === 0 && was.zones.length > 0) expect(one?.silenced?.code).toBe('quiet');
          else expect([one?.zones, one?.silenced]).toEqual([left, was.silenced]);
        }
      }),
      { seed: 7_024, numRuns: 150 },
    );
  });

  test('a plan differs from itself on no day', () => {
    const school = goodPlan([item()], 'Asia/Shanghai');
    expect(comparePlans(school, goodPlan([item()], 'Asia/Shanghai'), '2026-09-01', '2026-12-31')).toEqual([]);
    expect(datesFrom('2026-09-01', '2026-08-01')).toEqual([]);
  });
});
