import { type Bar, barHeight, drawBars, drawCourse } from './energy-report-chart.ts';
import { type Draft, type MediumView, mostBars } from './energy-report-draft.ts';
import { drawDemand, drawFindings, drawGaps, drawMeters, drawPrices } from './energy-report-pages.ts';
import { ink, inner, paper, type Sheet } from './energy-report-sheet.ts';
import {
  change,
  figure,
  fineFigure,
  mediumWord,
  money,
  percent,
  periodWords,
  rateWord,
  subItemWord,
  unitWord,
  type Word,
  wordOf,
} from './energy-report-words.ts';
import type { EnergyReportView } from './energy-schemas.ts';
import type { Language } from './history-csv.ts';
import { createLocalTime } from './local-time.ts';

/* A report on paper: what a head of a school reads in a minute comes first, what an accountant checks comes after it. */

export interface PdfWish {
  readonly report: EnergyReportView;
  readonly language: Language;
  readonly timeZone: string;
  readonly made: number;
}

/** On a sheet that is empty. */
export async function drawReport(sheet: Sheet, { report, language, timeZone, made }: PdfWish): Promise<Buffer> {
  const localTime = createLocalTime(timeZone);
  const say = (word: Word) => wordOf(language, word);
  const period = periodWords(report, localTime.date(report.from).day, language);
  const title = `${report.campus[language]} · ${say(report.kind)} · ${period}`;
  sheet.about({ title, author: say('madeBy'), made: new Date(made) });
  const time = (at: number) => localTime.iso(at).slice(0, 16).replace('T', ' ');
  const draft: Draft = { sheet, report, say, name: (one) => one[language], language, time, localTime };
  drawHead(draft, period, made);
  drawFigures(draft);
  for (const medium of report.media) drawMedium(draft, medium);
  drawDemand(draft);
  drawFindings(draft);
  drawGaps(draft);
  const stamp = `${title} · ${say('made')} ${time(made)}`;
  sheet.footers(stamp, (page, pages) => say('page').replace('{0}', String(page)).replace('{1}', String(pages)));
  return sheet.bytes();
}

function drawHead({ sheet, report, say, name, time }: Draft, period: string, made: number): void {
  sheet.text(name(report.campus), { x: paper.left, y: sheet.y, size: 10, color: ink.soft, width: inner });
  sheet.y += 17;
  sheet.text(say(report.kind), { x: paper.left, y: sheet.y, size: 20, bold: true, width: inner * 0.5 });
  sheet.text(period, {
    x: paper.left + inner * 0.5,
    y: sheet.y + 8,
    size: 12,
    color: ink.accent,
    width: inner * 0.5,
    align: 'right',
  });
  sheet.y += 34;
  sheet.box(paper.left, sheet.y, inner, 1.4, ink.accent);
  sheet.y += 10;
  if (report.running) sheet.paragraph(`${say('runs')} ${time(made)}`, { color: ink.warn });
  if (report.partial) sheet.paragraph(say('partial'), { color: ink.warn });
  if (report.media.length === 0) sheet.paragraph(say('nothing'), { size: 10 });
}

interface Card {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly lines: readonly string[];
}

/** Headline figures, three in a row. */
function drawFigures(draft: Draft): void {
  const cards = cardsOf(draft);
  const { sheet } = draft;
  const gap = 10;
  const width = (inner - 2 * gap) / 3;
  const height = 66;
  for (let i = 0; i < cards.length; i += 3) {
    sheet.room(height + gap);
    cards.slice(i, i + 3).forEach(({ title, value, unit, lines }, j) => {
      const x = paper.left + j * (width + gap);
      const { y } = sheet;
      sheet.box(x, y, width, height, ink.faint);
      sheet.text(title, { x: x + 10, y: y + 7, size: 8.5, color: ink.soft, width: width - 20 });
      sheet.text(value, { x: x + 10, y: y + 20, size: 17, bold: true, width: width - 20 });
      sheet.doc.font('bold').fontSize(17);
      const after = Math.min(width - 50, sheet.doc.widthOfString(value)) + 14;
      sheet.text(unit, { x: x + after, y: y + 28, size: 8.5, color: ink.soft, width: width - after - 8 });
      lines.slice(0, 2).forEach((line, k) => {
        sheet.text(line, { x: x + 10, y: y + 42 + k * 10.5, size: 7.5, color: ink.soft, width: width - 18 });
      });
    });
    sheet.y += height + gap;
  }
}

function cardsOf({ report, say, language, time }: Draft): Card[] {
  const cards: Card[] = report.media.map((medium) => ({
    title: mediumWord(language, medium.medium),
    value: figure(medium.total.value),
    unit: unitWord(medium.unit),
    lines: comparisons(medium, say),
  }));
  const costs = report.media.flatMap(({ cost }) => cost ?? []);
  const charge = report.demand.reduce((sum, one) => sum + (one.charge ?? 0), 0);
  if (costs.length > 0 && report.currency !== null) {
    const total = costs.reduce((sum, cost) => sum + cost, 0) + charge;
    const parts = report.media
      .filter(({ cost }) => cost !== null)
      .map(({ medium, cost }) => `${mediumWord(language, medium)} ${money(cost, report.currency)}`);
    const lines = [parts.join(' · '), charge > 0 ? `${say('demandCharge')} ${money(charge, report.currency)}` : ''];
    cards.push({
      title: say('cost'),
      value: money(total, report.currency),
      unit: '',
      lines: lines.filter((line) => line !== ''),
    });
  }
  const [first] = report.demand;
  if (first !== undefined && first.highest !== null) {
    const lines = [
      ...(first.limit === null ? [] : [`${say('limit')} ${figure(first.limit)} kW`]),
      ...(first.at === null ? [] : [time(first.at)]),
    ];
    cards.push({ title: say('highest'), value: figure(first.highest), unit: 'kW', lines });
  }
  if (report.media.length > 0) {
    const lines = report.gaps.length === 0 ? [say('noGaps')] : [`${say('gaps')}: ${report.gaps.length}`];
    // Rounded down: 99.96 % is not everything.
    const share = Math.floor(report.completeness * 1_000) / 1_000;
    cards.push({ title: say('completeness'), value: percent(share), unit: '', lines });
  }
  return cards;
}

function comparisons({ total, before, baseline }: MediumView, say: Draft['say']): string[] {
  const fair = before.known >= 0.9 && total.known >= 0.9;
  const against = fair ? change(total.value, before.value) : null;
  const usual = total.known >= 0.9 ? change(total.value, baseline) : null;
  return [
    ...(against === null ? [] : [`${say('versusBefore')} ${against}`]),
    ...(usual === null ? [] : [`${say('versusUsual')} ${usual}`]),
  ];
}

function drawMedium(draft: Draft, medium: MediumView): void {
  const { sheet, report, say, language } = draft;
  sheet.heading(`${mediumWord(language, medium.medium)} · ${say(`course_${report.kind}`)}`, 150);
  drawCourse(
    sheet,
    medium.course,
    {
      under: courseLabels(draft, medium),
      unit: unitWord(medium.unit),
      whole: say('legendWhole'),
      part: say('legendPart'),
      usual: say('legendUsual'),
    },
    paper.left,
    inner,
  );
  drawParts(draft, medium);
  drawNotes(draft, medium);
  drawMeters(draft, medium);
  drawPrices(draft, medium);
}

function courseLabels({ report, localTime }: Draft, { course }: MediumView): string[] {
  return course.map(({ from }, i) => {
    if (report.kind === 'day') return i % 3 === 0 ? localTime.iso(from).slice(11, 13) : '';
    const { date } = localTime.date(from);
    return report.kind === 'week' ? date.slice(5) : String(Number(date.slice(8)));
  });
}

/** Sub-items on the left, buildings on the right. */
function drawParts(draft: Draft, medium: MediumView): void {
  const { sheet, say, name, language } = draft;
  const unit = unitWord(medium.unit);
  const said = (value: number | null, share: number | null) => `${figure(value)} ${unit}  ${percent(share)}`;
  const items: Bar[] = medium.subItems.map((one) => ({
    label: `${one.code === null ? '' : `${one.code} `}${subItemWord(language, one.subItem)}`,
    value: one.amount.value,
    said: said(one.amount.value, one.share),
  }));
  const buildings: Bar[] = [...medium.buildings]
    .sort((a, b) => (b.amount.value ?? -1) - (a.amount.value ?? -1))
    .slice(0, mostBars)
    .map((one) => ({
      label: name(one.name),
      value: one.amount.value,
      said: said(one.amount.value, one.share),
      more: one.perArea === null ? '' : `${fineFigure(one.perArea)} ${unit}/m²`,
    }));
  const sides = [
    { title: say('subItems'), bars: items },
    { title: say('buildings'), bars: buildings },
  ].filter(({ bars }) => bars.length > 0);
  if (sides.length === 0) return;
  const gap = 26;
  const width = sides.length === 2 ? (inner - gap) / 2 : inner;
  sheet.room(18 + Math.max(...sides.map(({ bars }) => bars.length)) * barHeight + 8);
  const top = sheet.y + 4;
  const bottoms = sides.map(({ title, bars }, i) => {
    const x = paper.left + i * (width + gap);
    sheet.caption(title, x, top, width);
    return drawBars(sheet, bars, x, top + 17, width);
  });
  sheet.y = Math.max(...bottoms) + 6;
}

/** Base load and what no sub-meter explains: a sentence each. */
function drawNotes({ sheet, say, language }: Draft, { base, unaccounted, unit, total }: MediumView): void {
  const colon = language === 'zh' ? '：' : ': ';
  const comma = language === 'zh' ? '，' : ', ';
  const rate = rateWord(unit);
  const parts = [
    ...(base.night === null ? [] : [`${say('night')} ${figure(base.night)} ${rate}`]),
    ...(base.weekend === null ? [] : [`${say('weekend')} ${figure(base.weekend)} ${rate}`]),
    ...(base.share === null ? [] : [`${say('baseShare')} ${percent(base.share)}`]),
  ];
  if (parts.length > 0) sheet.paragraph(`${say('base')}${colon}${parts.join(comma)}`);
  if (unaccounted !== null) {
    const amount = unaccounted.amount === null ? say('unknown') : `${figure(unaccounted.amount)} ${unitWord(unit)}`;
    const share = unaccounted.share === null ? '' : ` (${percent(unaccounted.share)})`;
    const tolerance =
      unaccounted.tolerance === null
        ? ''
        : `${comma}${say('tolerance')} ${figure(unaccounted.tolerance)} ${unitWord(unit)}`;
    sheet.paragraph(`${say('unaccounted')}${colon}${amount}${share}${tolerance}`);
  }
  if (total.estimated > 0.0005) {
    sheet.paragraph(`${say('estimated')}${colon}${figure(total.estimated)} ${unitWord(unit)}`);
  }
}
