import { describe, expect, test } from 'vitest';
import type { Occurrence, SchoolOverride } from '#edge/domain/school.ts';
import { comparePlans } from '#edge/school/compare.ts';
import { conflictsOf } from '#edge/school/conflicts.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import type { SchoolPlan } from '#edge/school/plan.ts';
import { both, days, exam, hour, item, layer, override, plan, season, timetable, zone } from './school-plan.ts';

const monday = '2026-11-09';
const examDay = '2026-11-11';
const noon = 12 * hour;

function told(school: SchoolPlan, date: string, overrides: readonly SchoolOverride[] = []): string[] {
  return occurrencesOf(school, date, overrides).map(say);
}

function say({ key, second, zones, silenced, do: action }: Occurrence): string {
  const clock = new Date(second * 1_000).toISOString().slice(11, 16);
  const what = action.kind === 'sound' ? action.clip : action.kind === 'show' ? `show ${action.command}` : action.kind;
  const where = zones.length === 4 ? 'all' : [...zones].sort().join(' ');
  return `${clock} ${key.slice(0, key.indexOf('@'))}: ${what} in ${where}${silenced === null ? '' : `, not: ${silenced.code}`}`;
}

function conflicts(school: SchoolPlan, date: string): string[] {
  return conflictsOf(school, date, occurrencesOf(school, date, [])).map(({ code, of }) => `${code}: ${of.join(' ')}`);
}

describe('an ordinary day', () => {
  test('rings every slot of a kind, with the slot in the key and the reasons in order', () => {
    const [first] = occurrencesOf(plan(), monday, []);
    expect(first).toMatchObject({
      key: 'bell.lesson-1@2026-11-09T08:00:00',
      at: Date.parse('2026-11-09T08:00:00+08:00'),
      ...{ date: monday, second: 8 * hour, layer: 'campus', silenced: null },
    });
    expect(first?.why.map(({ code }) => code)).toEqual(['slot', 'weekday', 'week', 'season', 'timetable']);
    expect(told(plan(), monday)).toEqual(['08:00 bell.lesson-1: bell in all', '08:50 bell.lesson-2: bell in all']);
  });

  test('puts what matters more first where things happen at once', () => {
    const at = { at: 10 * hour };
    const hold = { kind: 'mode', mode: 'quiet', on: true, seconds: 60 } as const;
    const school = plan({
      ...{ a: item({ when: at, class: 'mode', do: hold }), b: item({ when: at, class: 'programme' }) },
      ...{ c: item({ when: at, class: 'exam' }), d: item({ when: at }) },
    });
    expect(
      occurrencesOf(school, monday, [])
        .filter(({ second }) => second === at.at)
        .map(({ entry }) => entry),
    ).toEqual([...['c', 'd', 'b', 'a']]);
  });

  test('tells of an item that is switched off, and does not do it', () => {
    expect(told(plan({ bell: item({ enabled: false }) }), monday)[0]).toBe(
      '08:00 bell.lesson-1: bell in all, not: disabled',
    );
  });

  test('leaves out what would fall before or after midnight, and says so', () => {
    const early = item({ when: { slot: 'lesson-1', edge: 'start', offset: -9 * hour } });
    expect(told(plan({ early }), monday)).toHaveLength(2);
    expect(conflicts(plan({ early }), monday)).toEqual(['outside-day: early']);
  });
});

describe('an examination', () => {
  test('has the ten commands of Sichuan; the first paper begins ten minutes earlier', () => {
    const papers = [
      { name: both('Chinese'), date: examDay, at: 9 * hour, minutes: 150 },
      { name: both('Maths'), date: examDay, at: 15 * hour, minutes: 120 },
    ];
    expect(told(plan({ exam: exam({ papers }) }), examDay)).toEqual([
      '08:25 exam.entry-music: show entry-music in east',
      '08:40 exam.entry-bell: long-bell in east',
      '08:45 exam.rules: show rules in east',
      '08:50 exam.unseal: show unseal in east',
      '08:52 exam.board: show board in east',
      '08:55 exam.hand-out: show hand-out in east',
      '09:00 exam.begin: show begin in east',
      '11:15 exam.last-minutes: show last-minutes in east',
      '11:30 exam.end: show end in east',
      '11:32 exam.collect: show collect in east',
      '14:35 exam.entry-music: show entry-music in east',
      '14:40 exam.entry-bell: long-bell in east',
      '14:45 exam.rules: show rules in east',
      '14:50 exam.unseal: show unseal in east',
      '14:52 exam.board: show board in east',
      '14:55 exam.hand-out: show hand-out in east',
      '15:00 exam.begin: show begin in east',
      '16:45 exam.last-minutes: show last-minutes in east',
      '17:00 exam.end: show end in east',
      '17:02 exam.collect: show collect in east',
    ]);
  });

  const kept = days(examDay, { kind: 'exam', timetable: 'usual' });

  test('silences its own rooms from before its first command until after its last, and no others', () => {
    const school = plan({ exam: exam(), kept, usual: timetable(8 * hour, 5) });
    const bells = told(school, examDay).filter((line) => line.includes('bell.'));
    expect(bells).toEqual([
      '08:00 bell.lesson-1: bell in all',
      '08:50 bell.lesson-2: bell in field hall west',
      '09:40 bell.lesson-3: bell in field hall west',
      '10:30 bell.lesson-4: bell in field hall west',
      '11:20 bell.lesson-5: bell in field hall west',
    ]);
  });

  test('is silent up to the minute after its last command that was asked for', () => {
    const at = (second: number) => item({ when: { at: second }, days: { kinds: ['exam'], weekdays: [] } });
    const end = 11 * hour + 37 * 60;
    const school = plan({ exam: exam(), last: at(end - 1), first: at(end) });
    expect(told(school, examDay).slice(-2)).toEqual([
      '11:36 last: bell in field hall west',
      '11:37 first: bell in all',
    ]);
  });

  test('has no lessons of its own', () => {
    expect(told(plan({ exam: exam() }), examDay).every((line) => line.includes(' exam.'))).toBe(true);
  });

  test('of one grade leaves the lessons of the others', () => {
    const school = plan({ 'grade-9': layer(['east']), exam: exam({ layer: 'grade-9' }) });
    expect(told(school, examDay).filter((line) => line.includes('bell.'))).toEqual([
      ...['08:00 bell.lesson-1: bell in field hall west', '08:50 bell.lesson-2: bell in field hall west'],
    ]);
  });

  test('lets power go on, and silences a relay that would ring in one of its rooms', () => {
    const hold = (ref: string) => ({
      kind: 'hold' as const,
      outputs: [{ ref: ref as never, value: true }],
      seconds: 5,
    });
    const kinds = { kinds: ['exam' as const], weekdays: [] };
    const school = plan({
      exam: exam(),
      relay: item({ when: { at: 10 * hour }, days: kinds, do: hold('relay/bell') }),
      lamps: item({ when: { at: 10 * hour }, days: kinds, class: 'power', do: hold('relay/lamps') }),
    });
    expect(told(school, examDay).filter((line) => line.startsWith('10:00'))).toEqual([
      ...['10:00 relay: hold in all, not: exam-quiet', '10:00 lamps: hold in all'],
    ]);
  });

  test('is told of a sound that runs into its silence, and of another examination in its rooms', () => {
    const music = item({
      when: { at: 8 * hour + 19 * 60 },
      class: 'programme',
      do: { kind: 'sound', clip: 'm', zones: [zone('east')], seconds: 120 },
    });
    const other = exam({
      name: both('Other'),
      papers: [{ name: both('Maths'), date: examDay, at: 11 * hour, minutes: 60 }],
    });
    expect(conflicts(plan({ exam: exam(), kept, music }), examDay)).toEqual([
      'sound-in-exam: music@2026-11-11T08:19:00 exam',
    ]);
    expect(conflicts(plan({ exam: exam(), other }), examDay).every((line) => line.startsWith('sound-in-exam'))).toBe(
      true,
    );
    expect(conflicts(plan({ exam: exam(), other }), examDay).length).toBeGreaterThan(0);
  });
});

describe('what people say for a while', () => {
  const outdoor = item({
    when: { at: 10 * hour },
    class: 'exercise',
    days: { kinds: [], weekdays: [], weather: 'dry' },
  });
  const indoor = item({
    when: { at: 10 * hour },
    class: 'exercise',
    days: { kinds: [], weekdays: [], weather: 'rainy' },
  });
  const weather = plan({ outdoor, indoor, 'grade-1': layer(['east']) });
  const atTen = (overrides: readonly SchoolOverride[]) =>
    told(weather, monday, overrides).filter((line) => line.startsWith('10'));

  test('rain changes what is for rain and what is for dry days, while it is said and where', () => {
    expect(atTen([])).toEqual(['10:00 outdoor: bell in all']);
    expect(atTen([override({ kind: 'rainy' }, monday)])).toEqual([
      ...['10:00 indoor: bell in all', '10:00 outdoor: bell in all, not: rainy'],
    ]);
    expect(atTen([override({ kind: 'rainy' }, monday, [0, 9 * hour])])).toEqual(['10:00 outdoor: bell in all']);
    expect(atTen([override({ kind: 'rainy' }, monday, [0, noon], 'grade-1')])).toEqual([
      ...['10:00 indoor: bell in east', '10:00 outdoor: bell in field hall west'],
    ]);
  });

  test('a skip leaves out the one occurrence', () => {
    const skip = override({ kind: 'skip', key: 'bell.lesson-2@2026-11-09T08:50:00' }, monday);
    expect(told(plan(), monday, [skip])).toEqual([
      ...['08:00 bell.lesson-1: bell in all', '08:50 bell.lesson-2: bell in all, not: skipped'],
    ]);
    expect(told(plan(), '2026-11-10', [skip])).toEqual(told(plan(), '2026-11-10'));
  });

  test('quiet keeps classes silent in zones; without classes everything but examinations', () => {
    const quiet = (what: object) => override({ kind: 'quiet', classes: [], zones: [], ...what }, monday);
    const school = plan({ call: item({ class: 'exam', when: { at: 11 * hour } }) });
    expect(told(school, monday, [quiet({})])).toEqual([
      '08:00 bell.lesson-1: bell in all, not: quiet',
      '08:50 bell.lesson-2: bell in all, not: quiet',
      '11:00 call: bell in all',
    ]);
    expect(told(school, monday, [quiet({ zones: [zone('hall')] })])[0]).toBe(
      '08:00 bell.lesson-1: bell in east field west',
    );
    expect(told(school, monday, [quiet({ classes: ['exam'] })])).toEqual([
      '08:00 bell.lesson-1: bell in all',
      '08:50 bell.lesson-2: bell in all',
      '11:00 call: bell in all, not: quiet',
    ]);
  });

  test('a shift moves what comes after it, and keeps the key: what has rung does not ring again', () => {
    const shift = (more = {}) =>
      override({ kind: 'shift', date: monday, after: 8.5 * hour, seconds: 600, ...more }, monday);
    expect(told(plan(), monday, [shift()])).toEqual([
      '08:00 bell.lesson-1: bell in all',
      '09:00 bell.lesson-2: bell in all',
    ]);
    const [, second] = occurrencesOf(plan(), monday, [shift()]);
    expect(second).toMatchObject({
      key: 'bell.lesson-2@2026-11-09T08:50:00',
      at: Date.parse('2026-11-09T09:00:00+08:00'),
    });
    expect(second?.why.at(-1)).toMatchObject({ code: 'shift', params: { seconds: 600, by: 'clerk' } });
    expect(told(plan(), monday, [shift({ date: '2026-11-10' })])).toEqual(told(plan(), monday));
    expect(told(plan(), monday, [shift({ seconds: 16 * hour })]).at(-1)).toBe(
      '08:50 bell.lesson-2: bell in all, not: shift',
    );
  });

  test('holds from its first moment up to its end, which is not in it', () => {
    const quiet = override({ kind: 'quiet', classes: [], zones: [] }, monday, [8 * hour, 8 * hour + 3_000]);
    expect(told(plan(), monday, [quiet])).toEqual([
      ...['08:00 bell.lesson-1: bell in all, not: quiet', '08:50 bell.lesson-2: bell in all'],
    ]);
    const shift = override({ kind: 'shift', date: monday, after: 8 * hour + 3_000, seconds: 60 }, monday);
    expect(told(plan(), monday, [shift])[1]).toMatch(/^08:51/);
  });

  test('a shift of one grade makes an occurrence of its own for its rooms', () => {
    const school = plan({ 'grade-1': layer(['east']) });
    const what = { kind: 'shift', date: monday, after: 8.5 * hour, seconds: 600 } as const;
    expect(told(school, monday, [override(what, monday, [0, 86_400], 'grade-1')])).toEqual([
      '08:00 bell.lesson-1: bell in all',
      '08:50 bell.lesson-2: bell in field hall west',
      '09:00 bell.lesson-2~grade-1: bell in east',
    ]);
  });

  test('shifts of one room add up, whichever layer they are for', () => {
    const school = plan({ 'grade-1': layer(['east']), 'grade-2': layer(['west'], { name: both('Grade 2') }) });
    const shift = (seconds: number, of: string) =>
      override({ kind: 'shift', date: monday, after: 8.5 * hour, seconds }, monday, [0, 86_400], of);
    expect(
      told(school, monday, [shift(600, 'grade-1'), shift(300, 'grade-1'), shift(60, 'campus'), shift(120, 'grade-2')]),
    ).toEqual([
      '08:00 bell.lesson-1: bell in all',
      '08:51 bell.lesson-2: bell in field hall',
      '08:53 bell.lesson-2~grade-2: bell in west',
      '09:06 bell.lesson-2~grade-1: bell in east',
    ]);
  });

  test('a shifted paper takes its silence with it', () => {
    const school = plan({ exam: exam(), kept: days(examDay, { kind: 'exam', timetable: 'usual' }) });
    const shift = override({ kind: 'shift', date: examDay, after: 8.3 * hour, seconds: hour }, examDay);
    const lines = told(school, examDay, [shift]).filter((line) => line.includes('bell.'));
    expect(lines).toEqual(['08:00 bell.lesson-1: bell in all', '09:50 bell.lesson-2: bell in field hall west']);
    const unshifted = override(
      { kind: 'shift', date: examDay, after: 8.4 * hour, seconds: hour },
      examDay,
      [0, 86_400],
    );
    expect(told(school, examDay, [unshifted]).find((line) => line.includes('entry-music'))).toMatch(/^09:25/);
  });
});

describe('conflicts', () => {
  const at = { at: 14 * hour };
  const sound = (clip: string, seconds: number, in_ = 'hall') => ({
    kind: 'sound' as const,
    clip,
    zones: [zone(in_)],
    seconds,
  });

  test('are one clip twice at once, and sounds that overlap in a zone', () => {
    const school = (b: ReturnType<typeof sound>, second = 14 * hour) =>
      plan({ a: item({ when: at, do: sound('x', 60) }), b: item({ when: { at: second }, do: b }) });
    expect(conflicts(school(sound('x', 60)), monday)).toEqual([
      `same-sound: a@${monday}T14:00:00 b@${monday}T14:00:00`,
    ]);
    expect(conflicts(school(sound('y', 60), 14 * hour + 30), monday)).toEqual([
      `overlapping-sounds: a@${monday}T14:00:00 b@${monday}T14:00:30`,
    ]);
    expect(conflicts(school(sound('y', 60), 14 * hour + 60), monday)).toEqual([]);
    expect(conflicts(school(sound('y', 60, 'field')), monday)).toEqual([]);
    const clicks = plan({ a: item({ when: at, do: sound('x', 0) }), b: item({ when: at, do: sound('x', 0) }) });
    expect(conflicts(clicks, monday)).toEqual([`same-sound: a@${monday}T14:00:00 b@${monday}T14:00:00`]);
  });

  test('are one output at two values at once', () => {
    const hold = (value: boolean) => ({
      kind: 'hold' as const,
      outputs: [{ ref: 'a/b' as never, value }],
      seconds: 60,
    });
    const school = (value: boolean) =>
      plan({ a: item({ when: at, do: hold(true) }), b: item({ when: at, do: hold(value) }) });
    expect(conflicts(school(false), monday)).toEqual([`output-twice: a@${monday}T14:00:00 b@${monday}T14:00:00`]);
    expect(conflicts(school(true), monday)).toEqual([]);
  });

  test('are a timetable that was left out because its lessons overlap', () => {
    const usual = timetable(8 * hour);
    const pieces = usual.pieces.map((piece, n) => (n === 1 ? { ...piece, at: 8 * hour } : piece));
    expect(conflicts(plan({ usual: { ...usual, pieces } }), monday)).toEqual(['slots-overlap: usual']);
  });
});

describe('two plans', () => {
  test('differ by what is moved, added, gone and changed, and by days', () => {
    const before = plan({ gone: item({ when: { at: 16 * hour } }) });
    const after = plan({
      ...{ usual: timetable(8 * hour + 600), added: item({ when: { at: 17 * hour } }) },
      ...{ sports: days('2026-11-10') },
    });
    const [first, second, ...rest] = comparePlans(before, after, monday, '2026-11-10');
    expect(rest).toEqual([]);
    expect(first?.occurrences.map(({ kind }) => kind)).toEqual(['moved', 'moved', 'gone', 'added']);
    expect(second?.days.map((day) => [day.before.kind, day.after.kind])).toEqual([['school', 'event']]);
    expect(second?.occurrences.map(({ kind }) => kind)).toEqual(['gone', 'gone', 'gone']);
    expect(comparePlans(before, before, monday, '2026-12-31')).toEqual([]);
    const [changed] = comparePlans(plan(), plan({ bell: item({ class: 'programme' }) }), monday, monday);
    expect(changed?.occurrences[0]).toMatchObject({ kind: 'changed', parts: ['class'] });
  });
});

describe('a zone with summer time', () => {
  const year = { kinds: ['weekend' as const], weekdays: [] };
  const school = plan(
    {
      ...{ term: { part: 'term', name: both('Spring'), from: '2026-03-02', weeks: 40 } as const },
      ...{ season: season({ from: '2026-03-02', to: '2026-11-30' }) },
      ...Object.fromEntries([0, 1, 2, 3].map((n) => [`at-${n}`, item({ when: { at: n * hour + 1_800 }, days: year })])),
    },
    { clock: createSchoolClock('Europe/Berlin') },
  );

  test('rings what its clock skips right after the gap, and what it shows twice the first time', () => {
    const gap = occurrencesOf(school, '2026-03-29', []);
    expect(gap.map(({ key, at }) => `${key.slice(0, 4)} ${new Date(at).toISOString().slice(11, 19)}`)).toEqual([
      ...['at-0 23:30:00', 'at-1 00:30:00', 'at-2 01:00:00', 'at-3 01:30:00'],
    ]);
    expect(gap[2]?.why.map(({ code }) => code)).toContain('clock-gap');
    const twice = occurrencesOf(school, '2026-10-25', []);
    expect(twice.map(({ at }) => new Date(at).toISOString().slice(11, 19))).toEqual([
      ...['22:30:00', '23:30:00', '00:30:00', '02:30:00'],
    ]);
    expect(twice[2]?.why.map(({ code }) => code)).toContain('clock-twice');
    for (const day of [gap, twice]) expect(new Set(day.map(({ key }) => key)).size).toBe(4);
  });
});
