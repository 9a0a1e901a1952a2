import { type CsvRow, readCsv } from '../csv.ts';
import { type Asset, emptyAsset } from './register.ts';
import { columnOf, deviceColumn } from './table.ts';

/* A table of assets as somebody brings it: first all of it is understood, then all of it is written, or nothing. */

export interface Mistake {
  readonly line: number;
  readonly message: string;
}

export interface Planned {
  readonly device: string;
  readonly body: Asset;
  /** For the audit. */
  readonly line: number;
}

export interface Import {
  readonly changes: readonly Planned[];
  readonly same: number;
  readonly mistakes: readonly Mistake[];
}

const mostMistakes = 100;

type Column = NonNullable<ReturnType<typeof columnOf>>;

/**
 * `before`: what is stored of a device, undefined for one that this person does not see. Columns that are missing stay as
 * they are; an empty cell empties the field. Throws BAD_CSV for what is no table.
 */
export function planImport(bytes: Buffer, before: (device: string) => Asset | null | undefined): Import {
  const [header, ...rows] = readCsv(bytes);
  const mistakes: Mistake[] = [];
  const columns = readHeader(header, mistakes);
  const changes: Planned[] = [];
  const seen = new Map<string, number>();
  let same = 0;
  for (const row of mistakes.length > 0 ? [] : rows) {
    const say = (message: string) => void mistakes.push({ line: row.line, message });
    const device = row.cells[columns.findIndex((column) => column?.zh === deviceColumn.zh)] ?? '';
    const stored = before(device);
    const twice = seen.get(device);
    seen.set(device, row.line);
    if (device === '') say(`column ${deviceColumn.en}: is empty`);
    else if (stored === undefined) say(`column ${deviceColumn.en}: there is no device "${device.slice(0, 63)}"`);
    else if (twice !== undefined) say(`column ${deviceColumn.en}: "${device}" is on line ${twice} already`);
    else {
      const body = { ...(stored ?? emptyAsset), ...readRow(row, columns, say) };
      if (isSame(body, stored ?? emptyAsset)) same++;
      else changes.push({ device, body, line: row.line });
    }
    if (mistakes.length >= mostMistakes) {
      mistakes.push({ line: row.line, message: `there are more mistakes: this stopped after ${mostMistakes}` });
      break;
    }
  }
  return { changes, same, mistakes };
}

function readHeader(header: CsvRow | undefined, mistakes: Mistake[]): readonly (Column | undefined)[] {
  const columns = (header?.cells ?? []).map(columnOf);
  const say = (message: string) => void mistakes.push({ line: header?.line ?? 1, message });
  header?.cells.forEach((cell, i) => {
    const column = columns[i];
    if (cell === '') return;
    if (column === undefined) say(`column ${i + 1}: "${cell.slice(0, 40)}" is no column of the register`);
    else if (columns.indexOf(column) < i) say(`column ${i + 1}: "${cell.slice(0, 40)}" is there twice`);
  });
  if (!columns.some((column) => column?.zh === deviceColumn.zh)) {
    say(`there is no column "${deviceColumn.zh}" (${deviceColumn.en}): it says which device a line is about`);
  }
  return columns;
}

function readRow(
  row: CsvRow,
  columns: readonly (Column | undefined)[],
  say: (message: string) => void,
): Partial<Asset> {
  let fields: Partial<Asset> = {};
  row.cells.forEach((cell, i) => {
    const column = columns[i];
    const read = column?.read?.(cell);
    if (read === undefined) {
      if (column === undefined && cell !== '') say(`column ${i + 1}: has no header`);
    } else if (read.ok) fields = { ...fields, ...read.value };
    else say(`column ${i + 1} (${column?.zh}): ${read.why}`);
  });
  return fields;
}

function isSame(a: Asset, b: Asset): boolean {
  const keys = Object.keys(emptyAsset) as (keyof Asset)[];
  return keys.every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]));
}
