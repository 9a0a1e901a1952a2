import type { SnmpConfig } from './config.ts';

/** One value to ask for: `column` and the last number of its index for a row of a table. */
export interface Cell {
  readonly oid: string;
  /** Rows that follow each other in a column can be had with one GETBULK. */
  readonly row: { readonly column: string; readonly index: number } | null;
}

export type Ask<T extends Cell> =
  | { readonly kind: 'get'; readonly cells: readonly T[] }
  /** `rows` instances after each of these; a row that is missing is seen by what came instead. */
  | {
      readonly kind: 'bulk';
      readonly after: readonly string[];
      readonly rows: number;
      readonly cells: readonly T[];
    };

/** An answer of 1,472 bytes holds about 50 values of a table; more is a fragmented datagram, which small switches lose. */
export const mostValues = 40;
/** Fewer rows are asked for by name. */
const worthBulk = 3;

/** Where a value of a profile is at this agent. */
export function locate(
  {
    oid,
    row,
  }: { readonly oid: string; readonly row: { readonly of: 'interface' | 'poe'; readonly number: number } | null },
  { interfaces, poe }: Pick<SnmpConfig, 'interfaces' | 'poe'>,
): Cell {
  if (row === null) return { oid, row: null };
  const isPort = row.of === 'poe';
  const column = isPort ? `${oid}.${poe.group}` : oid;
  const index = isPort ? poe.first + row.number - 1 : interfaces.first + (row.number - 1) * interfaces.step;
  return { oid: `${column}.${index}`, row: { column, index } };
}

/** Columns with the same rows go together into one GETBULK; the rest is asked for by name. At most `most` values each. */
export function planAsks<T extends Cell>(cells: readonly T[], most = mostValues): Ask<T>[] {
  const single: T[] = [];
  const runs = new Map<string, { first: number; rows: number; columns: Map<string, T[]> }>();
  for (const { column, run } of columnRuns(cells)) {
    const first = run[0]?.row?.index ?? 0;
    if (run.length < worthBulk || first === 0) {
      single.push(...run);
      continue;
    }
    const key = `${first} ${run.length}`;
    const known = runs.get(key) ?? { first, rows: run.length, columns: new Map<string, T[]>() };
    known.columns.set(column, run);
    runs.set(key, known);
  }
  single.unshift(...cells.filter(({ row }) => row === null));
  return [
    ...slices(single, most).map((some): Ask<T> => ({ kind: 'get', cells: some })),
    ...[...runs.values()].flatMap((run) => planBulks(run, most)),
  ];
}

function planBulks<T extends Cell>(
  { first, rows, columns }: { first: number; rows: number; columns: ReadonlyMap<string, readonly T[]> },
  most: number,
): Ask<T>[] {
  const height = Math.min(rows, most);
  const width = Math.max(1, Math.floor(most / height));
  const asks: Ask<T>[] = [];
  for (let from = 0; from < rows; from += height) {
    for (const some of slices([...columns], width)) {
      asks.push({
        kind: 'bulk',
        after: some.map(([column]) => `${column}.${first + from - 1}`),
        rows: Math.min(height, rows - from),
        cells: some.flatMap(([, run]) => run.slice(from, from + height)),
      });
    }
  }
  return asks;
}

/** Each column's cells, cut where an index is left out. */
function* columnRuns<T extends Cell>(cells: readonly T[]): Generator<{ column: string; run: T[] }> {
  const columns = new Map<string, T[]>();
  for (const cell of cells) {
    if (cell.row === null) continue;
    const known = columns.get(cell.row.column) ?? [];
    known.push(cell);
    columns.set(cell.row.column, known);
  }
  for (const [column, list] of columns) {
    const sorted = list.toSorted((a, b) => (a.row?.index ?? 0) - (b.row?.index ?? 0));
    let run: T[] = [];
    for (const cell of sorted) {
      const last = run.at(-1)?.row?.index;
      if (last !== undefined && cell.row?.index !== last + 1) {
        yield { column, run };
        run = [];
      }
      run.push(cell);
    }
    yield { column, run };
  }
}

function slices<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
