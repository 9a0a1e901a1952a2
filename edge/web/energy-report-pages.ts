import { type Draft, type MediumView, mostFindings, mostGaps } from './energy-report-draft.ts';
import { ink, inner, paper, type TableRow } from './energy-report-sheet.ts';
import { figure, money, percent, unitWord } from './energy-report-words.ts';

/* What an accountant checks: tables of meters, prices and demand, findings, and what is not known. */

export function drawMeters({ sheet, say, name, report }: Draft, medium: MediumView): void {
  const unit = unitWord(medium.unit);
  const hasCost = medium.meters.some(({ cost }) => cost !== null);
  const rows = medium.meters.map(
    (one): TableRow => ({
      depth: one.depth,
      bold: one.depth === 0,
      cells: [
        name(one.name),
        figure(one.amount.value),
        percent(one.share),
        one.before.known >= 0.9 ? figure(one.before.value) : '—',
        percent(Math.floor(one.amount.known * 1_000) / 1_000),
        hasCost ? money(one.cost, report.currency) : '',
      ],
    }),
  );
  sheet.y += 4;
  sheet.table(
    [
      { title: say('meter'), width: 0.36 },
      { title: `${say('use')} ${unit}`, width: 0.14, align: 'right' },
      { title: say('share'), width: 0.1, align: 'right' },
      { title: `${say('before')} ${unit}`, width: 0.15, align: 'right' },
      { title: say('known'), width: 0.1, align: 'right' },
      { title: hasCost ? say('cost') : '', width: 0.15, align: 'right' },
    ],
    rows,
  );
}

export function drawPrices({ sheet, say, name, report }: Draft, { costParts, unit, cost }: MediumView): void {
  if (costParts.length === 0) return;
  const amount = costParts.reduce((sum, part) => sum + part.amount, 0);
  const rows = costParts.map(
    (part): TableRow => ({
      cells: [
        name(part.name),
        String(part.price),
        figure(part.amount),
        percent(amount > 0 ? part.amount / amount : null),
        money(part.cost, report.currency),
      ],
    }),
  );
  const total = { bold: true, cells: [say('total'), '', figure(amount), '', money(cost, report.currency)] };
  sheet.y += 4;
  sheet.table(
    [
      { title: say('period'), width: 0.36 },
      { title: `${say('price')} /${unitWord(unit)}`, width: 0.16, align: 'right' },
      { title: `${say('use')} ${unitWord(unit)}`, width: 0.16, align: 'right' },
      { title: say('share'), width: 0.12, align: 'right' },
      { title: say('cost'), width: 0.2, align: 'right' },
    ],
    costParts.length > 1 ? [...rows, total] : rows,
  );
}

export function drawDemand({ sheet, report, say, name, time }: Draft): void {
  if (report.demand.length === 0 && report.powerFactor.length === 0) return;
  sheet.heading(say('demand'));
  if (report.demand.length > 0) {
    sheet.table(
      [
        { title: say('meter'), width: 0.3 },
        { title: `${say('highest')} kW`, width: 0.17, align: 'right' },
        { title: `${say('limit')} kW`, width: 0.13, align: 'right' },
        { title: say('at'), width: 0.21, align: 'right' },
        { title: say('demandCharge'), width: 0.19, align: 'right' },
      ],
      report.demand.map((one) => ({
        cells: [
          name(one.name),
          figure(one.highest),
          figure(one.limit),
          one.at === null ? '—' : time(one.at),
          money(one.charge, report.currency),
        ],
      })),
    );
  }
  if (report.powerFactor.length > 0) {
    sheet.table(
      [
        { title: say('meter'), width: 0.4 },
        { title: say('powerFactor'), width: 0.2, align: 'right' },
        { title: say('standard'), width: 0.2, align: 'right' },
        { title: say('adjustment'), width: 0.2, align: 'right' },
      ],
      report.powerFactor.map((one) => ({
        cells: [
          name(one.name),
          one.value === null ? '—' : one.value.toFixed(2),
          one.standard.toFixed(2),
          one.adjustment === null ? '—' : percent(one.adjustment, 2),
        ],
      })),
    );
  }
}

export function drawFindings({ sheet, report, say, name, language }: Draft): void {
  if (report.media.length === 0) return;
  sheet.heading(say('findings'), 40);
  if (report.findings.length === 0) sheet.paragraph(say('noFindings'));
  const colon = language === 'zh' ? '：' : ': ';
  for (const one of report.findings.slice(0, mostFindings)) {
    const cost =
      one.costPerDay === null ? '' : ` (${say('perDay').replace('{0}', () => money(one.costPerDay, one.currency))})`;
    sheet.paragraph(`${name(one.name)}${colon}${name(one.message)}${cost}`, { color: ink.text, size: 9 });
    sheet.paragraph(`${say('next')}${colon}${name(one.next)}`, { x: paper.left + 12, width: inner - 12 });
    sheet.y += 2;
  }
}

export function drawGaps({ sheet, report, say, name, language }: Draft): void {
  if (report.media.length === 0) return;
  const gaps = report.gaps
    .slice(0, mostGaps)
    .map((one) => `${name(one.name)} ${percent(Math.floor(one.known * 1_000) / 1_000)}`);
  const rest = report.gaps.length > mostGaps ? [`… +${report.gaps.length - mostGaps}`] : [];
  const list = [...gaps, ...rest].join(language === 'zh' ? '，' : ', ');
  const first = report.gaps.length === 0 ? say('noGaps') : `${say('known')}${language === 'zh' ? '：' : ': '}${list}`;
  const notes = [say('gapsNote'), ...(report.media.some(({ cost }) => cost !== null) ? [say('costNote')] : [])];
  // Together: a last page with one line on it is a page for nothing.
  sheet.heading(say('gaps'), Math.min(400, sheet.heightOf([first, ...notes])));
  sheet.paragraph(first, { color: ink.text });
  for (const note of notes) sheet.paragraph(note);
}
