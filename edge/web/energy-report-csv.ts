import { stringify } from 'csv-stringify/sync';
import { safeCell } from './csv.ts';
import { mediumWord, shownText, subItemWord, wordOf } from './energy-report-words.ts';
import type { EnergyReportView } from './energy-schemas.ts';
import type { Language } from './history-csv.ts';
import type { LocalTime } from './local-time.ts';

/*
 * A report as one long table with one kind of line after the other: an accountant filters by the first columns, or makes a pivot table of
 * it, without taking tables apart. Every line has the same columns; numbers are plain, in the unit of their line.
 */

type Cell = string | number | null;
type Medium = EnergyReportView['media'][number];

const columns = {
  line: { zh: '类别', en: 'Line' },
  medium: { zh: '能源', en: 'Energy' },
  code: { zh: '编码', en: 'Code' },
  item: { zh: '项目', en: 'Item' },
  from: { zh: '起', en: 'From' },
  to: { zh: '止', en: 'To' },
  amount: { zh: '数量', en: 'Amount' },
  unit: { zh: '单位', en: 'Unit' },
  share: { zh: '占比', en: 'Share' },
  before: { zh: '上期同段', en: 'Period before' },
  usual: { zh: '同类日常值', en: 'Usual' },
  price: { zh: '单价', en: 'Unit price' },
  cost: { zh: '费用', en: 'Cost' },
  currency: { zh: '币种', en: 'Currency' },
  known: { zh: '已知比例', en: 'Known share' },
  estimated: { zh: '其中估算', en: 'Of which estimated' },
  note: { zh: '备注', en: 'Note' },
} as const;
type Column = keyof typeof columns;
type Row = Readonly<Partial<Record<Column, Cell>>>;

const lines = {
  report: { zh: '报表', en: 'Report' },
  total: { zh: '总量', en: 'Total' },
  subItem: { zh: '分项', en: 'Sub-item' },
  building: { zh: '建筑', en: 'Building' },
  meter: { zh: '表计', en: 'Meter' },
  price: { zh: '分时', en: 'Price period' },
  course: { zh: '逐时段', en: 'Course' },
  unaccounted: { zh: '总分表差额', en: 'Unaccounted' },
  base: { zh: '基础负荷', en: 'Base load' },
  demand: { zh: '最大需量', en: 'Highest demand' },
  powerFactor: { zh: '功率因数', en: 'Power factor' },
  finding: { zh: '异常', en: 'Finding' },
  gap: { zh: '数据缺口', en: 'Gap' },
} as const;

/** UTF-8 with BOM, so that spreadsheets read Chinese; RFC 4180. What people named themselves cannot become a formula. */
export function reportCsv(report: EnergyReportView, language: Language, localTime: LocalTime, made: number): string {
  const say = (time: number) => localTime.iso(time).slice(0, 16).replace('T', ' ');
  const rows = [
    ...head(report, language, say, made),
    ...report.media.flatMap((medium) => mediumRows(report, medium, language, say)),
    ...tail(report, language, say),
  ];
  const order = Object.keys(columns) as Column[];
  const cells = rows.map((row) => order.map((column) => written(row[column] ?? null)));
  const text = stringify([order.map((column) => columns[column][language]), ...cells], { record_delimiter: 'windows' });
  return `\uFEFF${text}`;
}

/** As the console cuts what it reads from tables. */
const longestCell = 1_000;

function written(cell: Cell): Cell {
  if (typeof cell === 'string') return safeCell(shownText(cell, longestCell));
  return cell;
}

const round = (value: number | null, digits: number): number | null => {
  if (value === null) return null;
  const rounded = Number(value.toFixed(digits));
  return rounded === 0 ? 0 : rounded;
};
const amountOf = (value: number | null) => round(value, 3);
const moneyOf = (value: number | null) => round(value, 2);
const shareOf = (value: number | null) => round(value, 4);

type Say = (time: number) => string;

function head(report: EnergyReportView, language: Language, say: Say, made: number): Row[] {
  const { campus, from, to, running, partial, completeness } = report;
  const notes = [
    `${wordOf(language, 'made')} ${say(made)}`,
    ...(running ? [`${wordOf(language, 'runs')} ${say(made)}`] : []),
    ...(partial ? [wordOf(language, 'partial')] : []),
  ];
  return [
    {
      line: lines.report[language],
      item: `${campus[language]} ${wordOf(language, report.kind)}`,
      from: say(from),
      to: say(to),
      known: shareOf(completeness),
      note: notes.join(language === 'zh' ? '；' : '; '),
    },
  ];
}

function mediumRows(report: EnergyReportView, medium: Medium, language: Language, say: Say): Row[] {
  const { currency } = report;
  const about = { medium: mediumWord(language, medium.medium), unit: medium.unit };
  const within = { ...about, from: say(report.from), to: say(report.to) };
  const paid = (cost: number | null) => ({ cost: moneyOf(cost), currency: cost === null ? null : currency });
  const amount = (one: Medium['total']) => ({
    amount: amountOf(one.value),
    known: shareOf(one.known),
    estimated: amountOf(one.estimated),
  });
  return [
    {
      ...within,
      ...amount(medium.total),
      ...paid(medium.cost),
      line: lines.total[language],
      code: medium.code,
      item: mediumWord(language, medium.medium),
      share: 1,
      before: amountOf(medium.before.value),
      usual: amountOf(medium.baseline),
    },
    ...medium.subItems.map((one) => ({
      ...within,
      ...amount(one.amount),
      ...paid(one.cost),
      line: lines.subItem[language],
      code: one.code === null ? null : `${medium.code}${one.code}`,
      item: subItemWord(language, one.subItem),
      share: shareOf(one.share),
    })),
    ...medium.buildings.map((one) => ({
      ...within,
      ...amount(one.amount),
      ...paid(one.cost),
      line: lines.building[language],
      item: one.name[language],
      share: shareOf(one.share),
      note: perWords(one, medium.unit, language),
    })),
    ...medium.meters.map((one) => ({
      ...within,
      ...amount(one.amount),
      ...paid(one.cost),
      line: lines.meter[language],
      code: one.meter,
      item: one.name[language],
      share: shareOf(one.share),
      before: amountOf(one.before.value),
    })),
    ...medium.costParts.map((one) => ({
      ...within,
      ...paid(one.cost),
      line: lines.price[language],
      item: one.name[language],
      amount: amountOf(one.amount),
      price: one.price,
    })),
    ...courseRows(medium, about, language, say),
    ...restRows(medium, within, language),
  ];
}

function courseRows({ course }: Medium, about: Row, language: Language, say: Say): Row[] {
  return course
    .filter(({ amount: value, baseline }) => value !== null || baseline !== null)
    .map((one) => ({
      ...about,
      line: lines.course[language],
      from: say(one.from),
      to: say(one.to),
      amount: amountOf(one.amount),
      usual: amountOf(one.baseline),
      known: shareOf(one.known),
      estimated: amountOf(one.estimated),
    }));
}

/** What no sub-meter explains, and what is never switched off. */
function restRows({ unaccounted, base, unit }: Medium, within: Row, language: Language): Row[] {
  return [
    ...(unaccounted === null
      ? []
      : [
          {
            ...within,
            line: lines.unaccounted[language],
            amount: amountOf(unaccounted.amount),
            share: shareOf(unaccounted.share),
            usual: amountOf(unaccounted.tolerance),
            note: wordOf(language, 'tolerance'),
          },
        ]),
    ...(['night', 'weekend'] as const)
      .filter((part) => base[part] !== null)
      .map((part) => ({
        ...within,
        line: lines.base[language],
        item: wordOf(language, part),
        unit: unit === 'm3' ? 'm3/h' : 'kW',
        amount: amountOf(base[part]),
        share: part === 'night' ? shareOf(base.share) : null,
      })),
  ];
}

function perWords(
  { perArea, perHead }: Medium['buildings'][number],
  unit: Medium['unit'],
  language: Language,
): string | null {
  const parts = [
    ...(perArea === null ? [] : [`${round(perArea, 4)} ${unit}/m2`]),
    ...(perHead === null ? [] : [`${round(perHead, 3)} ${unit}/${language === 'zh' ? '人' : 'person'}`]),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

function tail(report: EnergyReportView, language: Language, say: Say): Row[] {
  const { currency } = report;
  return [
    ...report.demand.map((one) => ({
      line: lines.demand[language],
      code: one.meter,
      item: one.name[language],
      from: one.at === null ? null : say(one.at),
      amount: amountOf(one.highest),
      unit: 'kW',
      cost: moneyOf(one.charge),
      currency: one.charge === null ? null : currency,
      note: one.limit === null ? null : `${wordOf(language, 'limit')} ${one.limit} kW`,
    })),
    ...report.powerFactor.map((one) => ({
      line: lines.powerFactor[language],
      code: one.meter,
      item: one.name[language],
      amount: round(one.value, 3),
      unit: '1',
      note: `${wordOf(language, 'standard')} ${one.standard}`,
    })),
    ...report.findings.map((one) => ({
      line: lines.finding[language],
      code: one.meter,
      item: one.name[language],
      from: say(one.from),
      to: say(one.to),
      amount: one.unit === '' ? null : amountOf(one.found),
      usual: one.unit === '' ? null : amountOf(one.expected),
      unit: one.unit,
      note: `${one.message[language]} ${one.next[language]}`,
    })),
    ...report.gaps.map((one) => ({
      line: lines.gap[language],
      code: one.meter,
      item: one.name[language],
      known: shareOf(one.known),
    })),
  ];
}
