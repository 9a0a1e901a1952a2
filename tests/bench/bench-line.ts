/* What a bench says: one line per comparison, each made inside one run on one machine. */

export interface BenchOptions {
  /** A smaller run: all benches together in about a minute. */
  readonly quick: boolean;
  /** Progress for the person who waits; never part of the table. */
  readonly say: (text: string) => void;
}

export interface Figure {
  /** Without a unit it is a plain number. */
  readonly value: number;
  readonly unit: string;
}

/** What the line is judged by: its ratio (ours / other), or our figure itself. */
export interface Goal {
  readonly of: 'ratio' | 'figure';
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface BenchLine {
  readonly bench: string;
  readonly what: string;
  /** null: it was not measured; `note` says why. */
  readonly ours: Figure | null;
  /** It should have been. */
  readonly failed?: true;
  readonly other?: Figure & { readonly name: string };
  readonly goal?: Goal;
  /** Exactly what was compared, how often, and what the figure does not say. */
  readonly note?: string;
}

export type Verdict = 'met' | 'MISSED' | 'shown' | 'SKIPPED' | 'FAILED';

export function ratioOf({ ours, other }: BenchLine): number | null {
  return ours === null || other === undefined ? null : ours.value / other.value;
}

export function verdictOf(line: BenchLine): Verdict {
  const { ours, goal, failed } = line;
  if (failed === true) return 'FAILED';
  if (ours === null) return 'SKIPPED';
  if (goal === undefined) return 'shown';
  const judged = goal.of === 'ratio' ? ratioOf(line) : ours.value;
  if (judged === null || !Number.isFinite(judged)) return 'MISSED';
  const isEnough = goal.atLeast === undefined || judged >= goal.atLeast;
  const isLittle = goal.atMost === undefined || judged <= goal.atMost;
  return isEnough && isLittle ? 'met' : 'MISSED';
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** `share` 0..1; the nearest measured value, never an interpolated one. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function formatFigure({ value, unit }: Figure): string {
  return `${formatNumber(value)} ${unit}`.trim();
}

function formatGoal({ of, atLeast, atMost }: Goal): string {
  const times = of === 'ratio' ? 'x' : '';
  const parts = [
    atLeast === undefined ? '' : `>= ${formatNumber(atLeast)}${times}`,
    atMost === undefined ? '' : `<= ${formatNumber(atMost)}${times}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function cellsOf(line: BenchLine): string[] {
  const { bench, what, ours, other, goal } = line;
  const ratio = ratioOf(line);
  return [
    bench,
    what,
    ours === null ? '-' : formatFigure(ours),
    other === undefined ? '' : `${formatFigure(other)} (${other.name})`,
    ratio === null ? '' : `${formatNumber(ratio)}x`,
    goal === undefined ? '' : formatGoal(goal),
    verdictOf(line),
  ];
}

/** Plain text, columns aligned, what was compared below it. */
export function formatTable(lines: readonly BenchLine[]): string {
  const rows = [['bench', 'what', 'ours', 'against', 'ratio', 'goal', 'verdict'], ...lines.map(cellsOf)];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  text.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const notes = lines.flatMap(({ bench, what, note }) => (note === undefined ? [] : [`${bench}, ${what}: ${note}`]));
  return `${text.join('\n')}\n\n${notes.map((note) => `  ${note}`).join('\n')}\n`;
}
