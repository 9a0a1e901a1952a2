import { describe, expect, test } from 'vitest';
import type { LedgerLine } from '#edge/domain/school.ts';
import { parseSchoolEntry, readEntries } from '#edge/runtime/school-schema.ts';
import { openReader } from '#edge/store/reader.ts';
import { day, minute, open, start, temporaryFolder } from '../../fixtures/store/site.ts';

function line(n: number, more: Partial<LedgerLine> = {}): LedgerLine {
  const planned = start + n * minute;
  return {
    ...{ key: `bell-${n}@2026-11-23T08:00:00`, entry: `bell-${n % 2}`, class: 'bell', planned, time: planned },
    ...{ outcome: 'begun', reason: 'in-time', message: 'in time', release: 'one', ...more },
  };
}

describe('the ledger of the school day', () => {
  test('has one line a key, and what is closed stays as it is', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    await store.append({ schoolLedger: [line(0)] });
    await store.append({ schoolLedger: [line(0, { outcome: 'done', message: 'played' })] });
    await store.append({ schoolLedger: [line(0, { outcome: 'begun', message: 'again' })] });
    expect(reader.schoolLedger({ limit: 9 })).toEqual([line(0, { outcome: 'done', message: 'played' })]);
    expect(reader.schoolLedger({ outcomes: ['begun'], limit: 9 })).toEqual([]);
  });

  test('is read page by page, latest first, also where many were planned for one time', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    const lines = Array.from({ length: 25 }, (_, n) => line(n, { planned: start + Math.floor(n / 5) * minute }));
    await store.append({ schoolLedger: lines });
    const pages: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = reader.schoolLedger({ ...(after === undefined ? {} : { after }), limit: 4 });
      if (page.length === 0) break;
      pages.push(...page.map(({ key }) => key));
      after = page.at(-1)?.key;
    }
    expect(pages).toHaveLength(25);
    expect(new Set(pages).size).toBe(25);
    expect(reader.schoolLedger({ entry: 'bell-1', from: start + 4 * minute, limit: 99 }).map(({ key }) => key)).toEqual(
      [line(23).key, line(21).key],
    );
  });

  test('is let go after 400 days, with a line in the audit', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    await store.append({ schoolLedger: [line(0, { outcome: 'done' }), line(402 * 1_440, { outcome: 'done' })] });
    await store.maintain(start + 402 * day);
    expect(reader.schoolLedger({ limit: 9 }).map(({ key }) => key)).toEqual([line(402 * 1_440).key]);
    expect(reader.newestAudit(9).map(({ what }) => what)).toContain('retention drop lines of the school day');
  });
});

describe('entries of the school day', () => {
  const name = { zh: '夏令作息', en: 'Summer' };

  test('are taken as they are, and mistakes name their place', () => {
    const entry = { part: 'timetable', name, start: 28_800, pieces: [] };
    expect(parseSchoolEntry(entry)).toEqual({ entry });
    expect(parseSchoolEntry({ ...entry, colour: 'red' })).toEqual({ mistakes: expect.stringContaining('colour') });
    const wrong = { ...entry, pieces: [{ id: 'Lesson 1', kind: 'lesson', name, minutes: 45 }] };
    expect(parseSchoolEntry(wrong)).toEqual({ mistakes: expect.stringMatching(/^pieces\[0\]\.id: must be a slug/) });
    expect(parseSchoolEntry({ part: 'party' })).toHaveProperty('mistakes');
  });

  test('of a stored release that cannot be understood are named and left out', () => {
    const entry = { part: 'timetable', name, start: 28_800, pieces: [] };
    expect(readEntries({ summer: { ...entry, later: 1 }, odd: { part: 'party' } })).toEqual({
      entries: { summer: entry },
      unreadable: ['odd'],
    });
  });
});
