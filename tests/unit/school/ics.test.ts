import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, dateOfNumber, numberOf } from '#edge/school/dates.ts';
import { bellsToCalendar, daysToCalendar } from '#edge/school/ics-export.ts';
import { importCalendar } from '#edge/school/ics-import.ts';
import { escapeText, foldLine, readEvents, unescapeText } from '#edge/school/ics-text.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { both, days, exam, plan } from './school-plan.ts';

const head = { name: '校历', language: 'zh', host: 'demo.campus', now: Date.UTC(2026, 7, 1) } as const;
const frame = { layer: 'campus', timeZone: 'Asia/Shanghai', from: '2026-01-01', to: '2027-12-31' };

function file(...events: readonly (readonly string[])[]): string {
  const lines = events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function drafted(...event: readonly string[]): string[] {
  const { drafts, refused, timed } = importCalendar(file(event), frame);
  const told = refused.map(({ code, detail }) => `refused ${code} ${detail}`.trim());
  return [
    ...drafts.map(({ days: { from, to } }) => (from === to ? from : `${from} to ${to}`)),
    ...told,
    ...timed.map(() => 'timed'),
  ];
}

describe('a calendar that is written', () => {
  const school = plan({
    sports: days('2026-10-22', { to: '2026-10-23', name: both('运动会；田径, 球类') }),
    'make-up': days('2026-10-10', { kind: 'make-up', useWeekday: 3, name: both('国庆补课') }),
  });
  const text = daysToCalendar(plan(), 'campus', '2026-09-01', '2026-10-31', head);

  test('has an all-day event for each stretch that is no ordinary day, and says what is unconfirmed', () => {
    const events = text.split('BEGIN:VEVENT').slice(1);
    const seen = events.map((event) => /SUMMARY:(.*)\r/.exec(event)?.[1]);
    expect(seen).toEqual(['国庆节 补课 (未确认)', '中秋节', '国庆节', '国庆节 补课 (未确认)']);
    expect(events[1]).toContain('DTSTART;VALUE=DATE:20260925\r\nDTEND;VALUE=DATE:20260928\r\n');
    expect(events[0]).toContain('STATUS:TENTATIVE');
  });

  test('has lines of at most 75 octets that end with CRLF', () => {
    const long = plan({ sports: days('2026-10-22', { name: both('全校春季田径运动会暨阳光体育节开幕式'.repeat(6)) }) });
    const lines = daysToCalendar(long, 'campus', '2026-10-01', '2026-10-31', head).split('\r\n');
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(lines.join('')).not.toMatch(/[\r\n]/);
  });

  test('comes back as the days that were painted, make-up weekday included', () => {
    const written = daysToCalendar(school, 'campus', '2026-10-08', '2026-10-31', head);
    expect(written).toContain('SUMMARY:国庆补课 · 按周三课表');
    const { drafts, refused } = importCalendar(written, frame);
    expect(refused).toEqual([]);
    expect(
      drafts.map(({ days: { from, to, kind, name, useWeekday }, guessed }) => [
        from,
        to,
        kind,
        name.zh,
        useWeekday,
        guessed,
      ]),
    ).toEqual([
      ['2026-10-10', '2026-10-10', 'make-up', '国庆补课', 3, false],
      ['2026-10-22', '2026-10-23', 'event', '运动会；田径, 球类', undefined, false],
    ]);
  });

  test('has the bells in UTC, and none that is silenced', () => {
    const happening = occurrencesOf(plan({ exam: exam() }), '2026-11-11', []);
    const { timed } = importCalendar(bellsToCalendar(happening, head), frame);
    expect(timed.map(({ at }) => at)).toEqual(happening.map(({ at }) => at));
    const bells = occurrencesOf(school, '2026-11-09', []).map((one) => ({
      ...one,
      silenced: { code: 'quiet' as const },
    }));
    expect(bellsToCalendar(bells, head)).not.toContain('VEVENT');
  });
});

describe('a calendar of others', () => {
  test('gives its all-day events as days to choose from, their kind told from their words', () => {
    const event = (name: string, day: number) => [
      `UID:${day}`,
      `DTSTART;VALUE=DATE:202605${10 + day}`,
      `SUMMARY:${name}`,
    ];
    const names = ['劳动节（班）', '期中考试', '劳动节（休）', '暑假', '校园开放日', 'Public holiday'];
    const { drafts } = importCalendar(file(...names.map(event)), frame);
    expect(drafts.map(({ days: { kind } }) => kind)).toEqual([
      'make-up',
      'exam',
      'holiday',
      'vacation',
      'event',
      'holiday',
    ]);
    expect(drafts.every(({ guessed }) => guessed)).toBe(true);
  });

  test('ends the day before its end, or after its duration', () => {
    expect(drafted('DTSTART;VALUE=DATE:20260501', 'DTEND;VALUE=DATE:20260506')).toEqual(['2026-05-01 to 2026-05-05']);
    expect(drafted('DTSTART;VALUE=DATE:20260501', 'DTEND;VALUE=DATE:20260501')).toEqual(['2026-05-01']);
    expect(drafted('DTSTART;VALUE=DATE:20260501', 'DURATION:P1W')).toEqual(['2026-05-01 to 2026-05-07']);
    expect(drafted('DTSTART;VALUE=DATE:20260501')).toEqual(['2026-05-01']);
  });

  test('may fold lines, escape text, quote parameters and nest alarms', () => {
    const { drafts } = importCalendar(
      file([
        'SUMMARY;LANGUAGE="zh:CN;x":家长会\\, 初一\\n二',
        ' 楼\\;南',
        'DTSTART;VALUE=DATE:20260508',
        ...['BEGIN:VALARM', 'SUMMARY:no', 'DTSTART;VALUE=DATE:20200101', 'END:VALARM'],
      ]),
      frame,
    );
    expect(drafts[0]?.days).toMatchObject({ from: '2026-05-08', name: { zh: '家长会, 初一\n二楼;南' } });
  });

  const on = (rule: string, ...more: readonly string[]) =>
    drafted('UID:a', 'DTSTART;VALUE=DATE:20260504', `RRULE:${rule}`, ...more);

  test('repeats as its rule says', () => {
    expect(on('FREQ=DAILY;INTERVAL=3;COUNT=3')).toEqual(['2026-05-04', '2026-05-07', '2026-05-10']);
    expect(on('FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4')).toEqual(['2026-05-04', '2026-05-06', '2026-05-11', '2026-05-13']);
    expect(on('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=4')).toEqual([
      '2026-05-04',
      '2026-05-10',
      '2026-05-18',
      '2026-05-24',
    ]);
    // RFC 5545 has this pair as its example of what the beginning of the week changes.
    expect(on('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=4;WKST=SU')).toEqual([
      '2026-05-04',
      '2026-05-17',
      '2026-05-18',
      '2026-05-31',
    ]);
    // What it counts begins with its first day, wanted or not.
    expect(drafted('DTSTART;VALUE=DATE:20251222', 'RRULE:FREQ=WEEKLY;COUNT=3')).toEqual(['2026-01-05']);
    expect(on('FREQ=MONTHLY;UNTIL=20260801')).toEqual(['2026-05-04', '2026-06-04', '2026-07-04']);
    expect(on('FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=4')).toEqual(['2026-05-04', '2027-05-04']);
    expect(drafted('DTSTART;VALUE=DATE:20260131', 'RRULE:FREQ=MONTHLY;COUNT=3')).toEqual([
      '2026-01-31',
      '2026-03-31',
      '2026-05-31',
    ]);
    expect(drafted('DTSTART;VALUE=DATE:19990101', 'RRULE:FREQ=DAILY;INTERVAL=10000')).toEqual(['2026-05-19']);
  });

  test('leaves out its exceptions, and puts what stands in their place', () => {
    expect(on('FREQ=WEEKLY;COUNT=3', 'EXDATE;VALUE=DATE:20260511')).toEqual(['2026-05-04', '2026-05-18']);
    const series = ['UID:a', 'DTSTART;VALUE=DATE:20260504', 'RRULE:FREQ=WEEKLY;COUNT=3'];
    const moved = ['UID:a', 'RECURRENCE-ID;VALUE=DATE:20260511', 'DTSTART;VALUE=DATE:20260512'];
    const { drafts } = importCalendar(file(series, moved), frame);
    expect(drafts.map(({ days: { from } }) => from)).toEqual(['2026-05-04', '2026-05-18', '2026-05-12']);
  });

  test('is refused in words where it repeats in a way that is not understood', () => {
    expect(on('FREQ=MONTHLY;BYDAY=1MO')).toEqual(['refused recurrence BYDAY=1MO']);
    expect(on('FREQ=WEEKLY;BYDAY=TU')).toEqual(['refused recurrence BYDAY=TU']);
    expect(on('FREQ=HOURLY')).toEqual(['refused recurrence FREQ=HOURLY']);
    expect(on('FREQ=WEEKLY', 'RDATE;VALUE=DATE:20260520')).toEqual(['refused recurrence RDATE']);
  });

  test('tells of what it cannot paint', () => {
    expect(drafted('DTSTART;TZID=Asia/Shanghai:20260508T080000')).toEqual(['timed']);
    expect(drafted('DTSTART;TZID=China Standard Time:20260508T080000')).toEqual([
      'refused unknown-zone China Standard Time',
    ]);
    expect(drafted('DTSTART:20260508T080000Z', 'RRULE:FREQ=DAILY')).toEqual(['refused timed-recurrence FREQ=DAILY']);
    expect(drafted('DTSTART;VALUE=DATE:20260230')).toEqual(['refused bad-date 20260230']);
    expect(drafted('SUMMARY:x')).toEqual(['refused no-start']);
    expect(drafted('DTSTART;VALUE=DATE:20200101')).toEqual(['refused outside 2020-01-01']);
    expect(drafted('DTSTART;VALUE=DATE:20260508', 'STATUS:CANCELLED')).toEqual(['refused cancelled']);
    expect(importCalendar('hello', frame).refused[0]?.code).toBe('not-a-calendar');
  });

  test('gives times in the zone they say, in UTC, or in that of the campus', () => {
    const at = (start: string) => importCalendar(file([start]), frame).timed[0]?.at;
    expect(at('DTSTART;TZID=Europe/Berlin:20260708T080000')).toBe(Date.UTC(2026, 6, 8, 6));
    expect(at('DTSTART:20260708T080000Z')).toBe(Date.UTC(2026, 6, 8, 8));
    expect(at('DTSTART:20260708T080000')).toBe(Date.UTC(2026, 6, 8, 0));
  });
});

describe('text', () => {
  test('survives escaping, folding and back, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const plain = text.replace(/(?!\n)\p{Cc}/gu, ' ');
        const line = foldLine(`SUMMARY:${escapeText(plain)}`);
        for (const part of line.split('\r\n')) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(75);
        const read = readEvents(`BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n${line}END:VEVENT\r\n`, 5);
        expect(unescapeText(read?.events[0]?.properties[0]?.value ?? '')).toBe(plain);
      }),
      { seed: 7_001, numRuns: 300 },
    );
  });

  test('painted days come back whatever they are called', () => {
    const painted = fc.record({
      day: fc.integer({ min: numberOf('2026-09-01'), max: numberOf('2026-12-20') }),
      length: fc.integer({ min: 1, max: 9 }),
      name: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
        .filter((text) => text.trim() === text && !/\p{Cc}/u.test(text)),
      kind: fc.constantFrom('event' as const, 'exam' as const, 'holiday' as const, 'vacation' as const),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(painted, { selector: ({ day }) => Math.floor((day - 20_000) / 10), maxLength: 6 }),
        (all) => {
          const apart = all.map((one) => ({
            ...one,
            from: dateOfNumber(Math.floor((one.day - 20_000) / 10) * 10 + 20_000),
          }));
          const entries = apart.map(({ from, length, name, kind }, n) => [
            `day-${n}`,
            days(from, { to: addDays(from, length - 1), name: both(name), kind }),
          ]);
          const written = daysToCalendar(plan(Object.fromEntries(entries)), 'campus', '2026-08-20', '2027-01-10', head);
          const back = importCalendar(written, frame).drafts.map(({ days: { from, to, kind, name } }) =>
            [from, to, kind, name.zh].join('|'),
          );
          for (const { from, length, kind, name } of apart) {
            expect(back).toContain([from, addDays(from, length - 1), kind, name].join('|'));
          }
        },
      ),
      { seed: 7_002, numRuns: 60 },
    );
  });

  test('nothing that is read makes it throw', () => {
    const line = fc.constantFrom(
      ...[
        'BEGIN:VEVENT',
        'END:VEVENT',
        'BEGIN:VALARM',
        'END:VCALENDAR',
        'DTSTART;VALUE=DATE:20260501',
        'DTSTART:99999999T999999',
      ],
      ...[
        'RRULE:FREQ=DAILY;COUNT=0',
        'RRULE:;;=',
        'RRULE:FREQ=YEARLY;INTERVAL=99999999',
        'DTEND:x',
        'DURATION:P9999D',
        ';:',
        ' ',
        'RECURRENCE-ID:x',
      ],
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        expect(Array.isArray(importCalendar(['BEGIN:VCALENDAR', ...lines].join('\n'), frame).drafts)).toBe(true);
      }),
      { seed: 7_003, numRuns: 300 },
    );
  });
});
