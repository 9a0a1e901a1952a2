import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/* Tables for and from spreadsheets. What strangers wrote into a cell must not become a formula on somebody's desk. */

/** A spreadsheet takes a cell for a formula that begins so, full-width signs included (OWASP, CSV injection). */
const formula = /^'*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;

/** A cell as it may be written: text stays text. */
export function safeCell(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** And back: what we put before it is taken away again. */
export function plainCell(text: string): string {
  return text.startsWith("'") && formula.test(text.slice(1)) ? text.slice(1) : text;
}

/** A whole table: UTF-8 with BOM, so that spreadsheets read Chinese. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${csvRows(rows)}`;
}

/** Rows of one, without its beginning; lines end as they do on Windows. */
export function csvRows(rows: readonly (readonly string[])[]): string {
  return stringify(
    rows.map((row) => row.map(safeCell)),
    { record_delimiter: 'windows' },
  );
}

const mostRows = 20_000;
const mostColumns = 100;
const longestCell = 10_000;

export interface CsvRow {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Rows as they stand in a file that a spreadsheet wrote: UTF-8, or GB18030 as Chinese ones do by default. Throws BAD_CSV
 * naming the line.
 */
export function readCsv(bytes: Buffer): CsvRow[] {
  const text = decode(bytes);
  const first = text.slice(0, text.search(/[\r\n]|$/));
  try {
    const delimiter = [',', ';', '\t'].toSorted((a, b) => first.split(b).length - first.split(a).length)[0] ?? ',';
    const rows: CsvRow[] = [];
    parse(text, {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 64_000,
      on_record: (cells: string[], { lines }: { lines: number }) => {
        rows.push({ line: lines - breaksIn(cells), cells });
        if (rows.length > mostRows) throw new CodedError('BAD_CSV', `more than ${mostRows} lines`);
        if (cells.length > mostColumns)
          throw new CodedError('BAD_CSV', `line ${lines}: more than ${mostColumns} columns`);
        if (cells.some((cell) => cell.length > longestCell)) {
          throw new CodedError('BAD_CSV', `line ${lines}: a cell of more than ${longestCell} characters`);
        }
        return null;
      },
    });
    return rows.map(({ line, cells }) => ({ line, cells: cells.map((cell) => plainCell(cell.trim())) }));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('BAD_CSV', `this is no table: ${messageOf(error).slice(0, 200)}`);
  }
}

/** The parser counts to the end of a row; people look for its beginning. */
function breaksIn(cells: readonly string[]): number {
  return cells.reduce((breaks, cell) => breaks + cell.split(/\r\n|\r|\n/).length - 1, 0);
}

/** What is valid UTF-8 is UTF-8: text in GB18030 of any length is not. */
function decode(bytes: Buffer): string {
  for (const encoding of ['utf-8', 'gb18030']) {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      if (!text.includes('\0')) return text;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new CodedError('BAD_CSV', 'it is neither UTF-8 nor GB18030 text: save it as CSV (UTF-8)');
}
