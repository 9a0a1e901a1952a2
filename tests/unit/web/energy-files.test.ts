import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { reportCsv } from '#edge/web/energy-report-csv.ts';
import { createPrinter } from '#edge/web/energy-report-printer.ts';
import { change, figure, fineFigure, money, percent, periodWords } from '#edge/web/energy-report-words.ts';
import type { EnergyReportView } from '#edge/web/energy-schemas.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { day, monday } from './energy-room.ts';

/* Reports as files, made of figures that are as odd as they can be. */

const shanghai = createLocalTime('Asia/Shanghai');
const amount = (value: number | null) => ({ value, known: value === null ? 0 : 1, estimated: 0 });

function odd(meters: number, more: Partial<EnergyReportView> = {}): EnergyReportView {
  const evil = { zh: '=cmd|calc!A1', en: '+SUM("a, b")' };
  return {
    kind: 'month',
    ...{ first: '2026-11-01', last: '2026-11-30', from: monday - day, to: monday + 29 * day },
    ...{ running: false, partial: false, campus: { zh: '-青禾\n"小学"', en: '@Qinghe' }, currency: 'CNY' },
    media: [
      {
        ...{ medium: 'electricity', code: '01', unit: 'kW.h', total: amount(-0.00001), before: amount(null) },
        ...{ baseline: null, cost: null, subItems: [], flows: [], costParts: [] },
        course: [{ from: monday, to: monday + day, amount: null, known: 0, estimated: 0, baseline: null }],
        buildings: [
          {
            building: null,
            name: evil,
            amount: amount(12.34567),
            share: null,
            cost: null,
            perArea: null,
            perHead: 0.00012345,
          },
        ],
        meters: Array.from({ length: meters }, (_, i) => ({
          ...{
            meter: `meter-${i}`,
            name: i % 2 === 0 ? evil : { zh: '名'.repeat(80), en: 'name '.repeat(40) },
            depth: i % 9,
          },
          ...{ amount: amount(i % 3 === 0 ? null : -i * 1e6), share: null, before: amount(1), cost: -1.005 },
        })),
        unaccounted: { amount: -5.5, share: -0.1, tolerance: null },
        base: { night: null, weekend: null, share: null },
      },
    ],
    demand: [{ meter: 'main', name: evil, limit: null, highest: null, at: null, charge: null }],
    powerFactor: [],
    findings: [],
    completeness: 0.99999,
    gaps: [],
    ...more,
  };
}

describe('the table of a report', () => {
  test('keeps what people named themselves from becoming a formula, and numbers as numbers', () => {
    const text = reportCsv(odd(3), 'zh', shanghai, monday);
    const rows = parse(text, { bom: true }) as string[][];
    expect(rows.every(({ length }) => length === rows[0]?.length)).toBe(true);
    const cells = rows.flat();
    expect(cells).toContain("'=cmd|calc!A1");
    expect(cells.filter((cell) => /^[=+@]/.test(cell))).toEqual([]);
    expect(cells.filter((cell) => cell.startsWith('-')).every((cell) => /^-\d+(\.\d+)?$/.test(cell))).toBe(true);
    // What rounding leaves of almost nothing is nothing, without a sign.
    expect(rows.find(([line]) => line === '总量')?.[6]).toBe('0');
    expect(cells).toContain('-5.5');
    expect(text.startsWith('\uFEFF')).toBe(true);
    expect(text.endsWith('\r\n')).toBe(true);
  });
});

describe('a report on paper', () => {
  const wish = { timeZone: 'Asia/Shanghai', made: monday };

  test('is drawn of hundreds of meters, of names without end, and of nothing at all', async () => {
    await using printer = createPrinter();
    await using first = printer.begin('zh');
    const large = await first.draw({ ...wish, report: odd(400) });
    expect(large.subarray(0, 5).toString()).toBe('%PDF-');
    expect(large.length).toBeLessThan(2_000_000);
    await using second = printer.begin('zh');
    const none = await second.draw({ ...wish, report: odd(0, { media: [], demand: [] }) });
    expect(none.subarray(0, 5).toString()).toBe('%PDF-');
  });

  test('and in a table names are cut, and stripped of what is not to be seen, whatever is written into the site file', async () => {
    const report = odd(500);
    const called = { zh: `\u202E=表\u0000\u0007${'名'.repeat(10_000)}`, en: 'x'.repeat(10_000) };
    const [medium] = report.media;
    const meters = medium?.meters.map((one) => ({ ...one, name: called })) ?? [];
    const media = medium === undefined ? [] : [{ ...medium, meters }];
    await using printer = createPrinter();
    await using drawing = printer.begin('zh');
    const file = await drawing.draw({ ...wish, report: { ...report, media } });
    expect(file.length).toBeLessThan(2_000_000);
    const text = reportCsv({ ...report, media }, 'zh', shanghai, monday);
    expect(text.length).toBeLessThan(1_000_000);
    expect(text).not.toMatch(/(?![\r\n])\p{Cc}|[\u202A-\u202E]/u);
    const cells = (parse(text, { bom: true }) as string[][]).flat();
    expect(cells.some((cell) => /^[=+@]/.test(cell.trim()))).toBe(false);
  });

  test('that takes too long is given up, and gives its place to the next', async () => {
    await using slow = createPrinter({ patience: 1 });
    for (let i = 0; i < 3; i++) {
      await using drawing = slow.begin('en');
      await expect(drawing.draw({ ...wish, report: odd(400) })).rejects.toMatchObject({ code: 'TIMEOUT' });
    }
  });

  test('two are begun at a time, and whoever leaves gives his place away', async () => {
    await using printer = createPrinter();
    await using one = printer.begin('en');
    {
      await using _two = printer.begin('en');
      expect(() => printer.begin('en')).toThrow('already');
    }
    await using three = printer.begin('en');
    const files = await Promise.all([one, three].map((drawing) => drawing.draw({ ...wish, report: odd(1) })));
    expect(files.map((file) => file.subarray(0, 5).toString())).toEqual(['%PDF-', '%PDF-']);
  });
});

test('figures are told as people read them', () => {
  expect([figure(1_234.5), figure(38.21), figure(0.5), figure(0), figure(-12.34), figure(null)]).toEqual([
    '1,235',
    '38.2',
    '0.50',
    '0',
    '-12.3',
    '—',
  ]);
  expect([fineFigure(0.016), fineFigure(2.155), fineFigure(0.00012345)]).toEqual(['0.016', '2.16', '0.00012']);
  expect([money(1_234.5, 'CNY'), money(1, 'EUR'), money(1, null), money(null, 'CNY')]).toEqual([
    '¥1,234.50',
    '1.00 EUR',
    '—',
    '—',
  ]);
  expect([percent(0.1234), percent(null), change(112.3, 100), change(90, 100), change(1, 0)]).toEqual([
    '12.3%',
    '—',
    '+12.3%',
    '−10.0%',
    null,
  ]);
});

test('a period is named as people name it', () => {
  const of = (kind: EnergyReportView['kind'], first: string, last: string) =>
    (['zh', 'en'] as const).map((language) => periodWords({ kind, first, last }, 1, language));
  expect(of('day', '2026-11-02', '2026-11-02')).toEqual(['2026 年 11 月 2 日 星期一', 'Monday, 2 November 2026']);
  expect(of('week', '2026-11-09', '2026-11-15')).toEqual([
    '2026 年 11 月 9 日 至 11 月 15 日',
    '9 to 15 November 2026',
  ]);
  expect(of('week', '2026-12-28', '2027-01-03')).toEqual([
    '2026 年 12 月 28 日 至 2027 年 1 月 3 日',
    '28 December 2026 to 3 January 2027',
  ]);
  expect(of('month', '2026-11-01', '2026-11-30')).toEqual(['2026 年 11 月', 'November 2026']);
});
