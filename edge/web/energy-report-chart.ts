import { type Ink, ink, type Sheet } from './energy-report-sheet.ts';
import { figure } from './energy-report-words.ts';
import type { EnergyReportView } from './energy-schemas.ts';

/* Pictures of a report: its course, and who has which part. Drawn as lines and boxes: sharp in any size, and small. */

type Course = EnergyReportView['media'][number]['course'];

export interface CourseLabels {
  /** Below each bucket; empty: none there. */
  readonly under: readonly string[];
  readonly unit: string;
  readonly whole: string;
  readonly part: string;
  readonly usual: string;
}

const wholeKnown = 0.995;

/** From the pen down; moves it. */
export function drawCourse(sheet: Sheet, course: Course, labels: CourseLabels, x: number, width: number): void {
  const height = 104;
  sheet.room(height + 40);
  legend(sheet, labels, x, width);
  const top = sheet.y + 14;
  const left = x + 34;
  const plot = width - 34;
  const most = Math.max(...course.map(({ amount, baseline }) => Math.max(amount ?? 0, baseline ?? 0)), 0);
  const step = niceStep(most);
  const full = Math.max(step, Math.ceil(most / step) * step);
  for (let at = 0; at <= full + step / 2; at += step) {
    const y = top + height - (at / full) * height;
    sheet.line(y, at === 0 ? ink.soft : ink.line, left, left + plot);
    sheet.text(figure(at).replace(/\.0+$/, ''), { x, y: y - 5, size: 7, color: ink.soft, width: 29, align: 'right' });
  }
  const slot = plot / Math.max(1, course.length);
  course.forEach(({ amount, known, baseline }, i) => {
    const at = left + i * slot;
    const gap = Math.min(3, slot * 0.18);
    if (amount !== null && amount > 0) {
      const tall = (amount / full) * height;
      sheet.box(at + gap, top + height - tall, slot - 2 * gap, tall, known < wholeKnown ? ink.light : ink.accent);
    }
    if (baseline !== null) {
      const y = top + height - (Math.max(0, baseline) / full) * height;
      sheet.doc
        .moveTo(at + gap / 2, y)
        .lineTo(at + slot - gap / 2, y)
        .lineWidth(1.2)
        .strokeColor(ink.usual)
        .stroke();
    }
    const label = labels.under[i] ?? '';
    if (label !== '')
      sheet.text(label, {
        x: at - 10,
        y: top + height + 3,
        size: 7,
        color: ink.soft,
        width: slot + 20,
        align: 'center',
      });
  });
  sheet.y = top + height + 18;
}

function legend(sheet: Sheet, { unit, whole, part, usual }: CourseLabels, x: number, width: number): void {
  sheet.text(unit, { x, y: sheet.y, size: 7, color: ink.soft, width: 29, align: 'right' });
  let at = x + width;
  for (const [said, color] of [
    [usual, ink.usual],
    [part, ink.light],
    [whole, ink.accent],
  ] as const) {
    sheet.doc.font('regular').fontSize(7);
    const wide = sheet.doc.widthOfString(said);
    at -= wide;
    sheet.text(said, { x: at, y: sheet.y, size: 7, color: ink.soft });
    sheet.box(at - 11, sheet.y + (color === ink.usual ? 4 : 1.5), 8, color === ink.usual ? 1.2 : 6, color);
    at -= 22;
  }
}

/** 1, 2 or 5 times a power of ten: three to five lines. */
function niceStep(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most / 3));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => most / step <= 4.5) ?? 10 * power;
}

export interface Bar {
  readonly label: string;
  readonly value: number | null;
  /** What stands at its end. */
  readonly said: string;
  readonly more?: string;
}

export const barHeight = 25;

/** Lying bars, one below the other, at a place; answers how far down they reach. */
export function drawBars(
  sheet: Sheet,
  bars: readonly Bar[],
  x: number,
  y: number,
  width: number,
  color: Ink = ink.accent,
): number {
  const most = Math.max(...bars.map(({ value }) => value ?? 0), 0);
  bars.forEach(({ label, value, said, more = '' }, i) => {
    const at = y + i * barHeight;
    sheet.doc.font('regular').fontSize(8.5);
    const right = sheet.doc.widthOfString(said);
    sheet.text(said, { x: x + width - right, y: at, size: 8.5 });
    const free = width - right - 8;
    sheet.text(label, { x, y: at, size: 8.5, width: more === '' ? free : free * 0.55 });
    if (more !== '')
      sheet.text(more, {
        x: x + free * 0.55,
        y: at + 0.8,
        size: 7.5,
        color: ink.soft,
        width: free * 0.45,
        align: 'right',
      });
    sheet.box(x, at + 13, width, 4.5, ink.faint);
    if (value !== null && most > 0)
      sheet.box(x, at + 13, Math.max(0.8, (Math.max(0, value) / most) * width), 4.5, color);
  });
  return y + bars.length * barHeight;
}
