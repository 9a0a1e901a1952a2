import { parse } from 'csv-parse/sync';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/* A list of registers as people export it from a manual: what its columns are, and each row with its place. */

const maxBytes = 1024 * 1024;
const maxRows = 2_000;

/** What a column can be about, and the headings that say so (without case, spaces and punctuation). */
const headings = {
  name: ['name', 'id', 'key', 'point', 'quantity', 'parameter', '名称', '参数', '变量', '变量名', '标识', '测点'],
  label_zh: ['zh', 'labelzh', 'chinese', '中文', '中文名', '中文名称', '说明', '描述'],
  label_en: ['en', 'label', 'labelen', 'english', 'description', '英文', '英文名', '英文名称'],
  address: ['address', 'addr', 'register', 'reg', 'at', 'offset', '地址', '寄存器', '寄存器地址', '起始地址', '偏移'],
  type: ['type', 'as', 'datatype', 'format', 'encoding', '类型', '数据类型', '格式'],
  registers: ['registers', 'length', 'size', 'words', 'count', '长度', '寄存器数', '寄存器个数', '字数'],
  unit: ['unit', 'units', '单位'],
  scale: ['scale', 'factor', 'multiplier', 'resolution', '倍率', '系数', '比例', '分辨率', '精度'],
  table: ['table', 'fc', 'function', 'functioncode', '功能码', '功能', '区域'],
  order: ['order', 'byteorder', 'wordorder', '字节序', '字节顺序', '字序'],
  min: ['min', 'minimum', 'low', '最小', '最小值', '下限'],
  max: ['max', 'maximum', 'high', '最大', '最大值', '上限'],
  access: ['access', 'rw', 'readwrite', '读写', '读写属性', '权限'],
} as const;

export type Column = keyof typeof headings;
const columns = Object.keys(headings) as readonly Column[];

/** What is in a cell and where: `row 5, column 3 (unit)`. */
export interface Cell {
  readonly text: string;
  readonly place: string;
}

/** A register of the list; a cell that is empty or whose column is missing is not there. */
export interface CsvRow {
  readonly line: number;
  cell(column: Column): Cell | null;
}

export interface CsvList {
  readonly rows: readonly CsvRow[];
  /** Headings that mean nothing here: they are left out, and said. */
  readonly ignored: readonly string[];
}

/** UTF-8, or what a Chinese office suite writes otherwise. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

const plain = (heading: string) => heading.toLowerCase().replaceAll(/[\s_\-./()（）:：]/g, '');

function columnOf(heading: string): Column | null {
  const word = plain(heading);
  return columns.find((column) => (headings[column] as readonly string[]).includes(word)) ?? null;
}

/** The sign that the first line has most of. */
function delimiterOf(text: string): string {
  const [first = ''] = text.split('\n', 1);
  const counted = [',', ';', '\t'].map((sign) => ({ sign, times: first.split(sign).length }));
  return counted.sort((a, b) => b.times - a.times)[0]?.sign ?? ',';
}

/** Throws PROFILE_CSV naming row and column. The first line must hold the headings. */
export function readRegisterList(bytes: Buffer): CsvList {
  if (bytes.length > maxBytes) throw new CodedError('PROFILE_CSV', `is larger than ${maxBytes} bytes`);
  const text = textOf(bytes).replace(/^\ufeff/, '');
  const [heads, ...body] = tableOf(text);
  if (heads === undefined) throw new CodedError('PROFILE_CSV', 'is empty: the first row must hold the headings');
  const meant = heads.cells.map(columnOf);
  for (const column of ['name', 'address'] as const) {
    if (!meant.includes(column)) throw missingColumn(column, heads.cells);
  }
  for (const [i, column] of meant.entries()) {
    if (column !== null && meant.indexOf(column) < i) {
      throw new CodedError('PROFILE_CSV', `row 1, column ${i + 1}: "${heads.cells[i]}" means ${column} once more`);
    }
  }
  if (body.length > maxRows)
    throw new CodedError('PROFILE_CSV', `has ${body.length} rows; at most ${maxRows} are read`);
  return {
    rows: body.map(({ line, cells }) => rowOf(line, cells, heads.cells, meant)),
    ignored: heads.cells.filter((_, i) => meant[i] === null && heads.cells[i] !== ''),
  };
}

interface Line {
  readonly line: number;
  readonly cells: readonly string[];
}

function tableOf(text: string): Line[] {
  let parsed: unknown;
  try {
    parsed = parse(text, {
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    throw new CodedError('PROFILE_CSV', messageOf(error), { cause: error });
  }
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((entry: { readonly info: { readonly lines: number }; readonly record: readonly string[] }) =>
    entry.record.every((cell) => cell === '') ? [] : [{ line: entry.info.lines, cells: entry.record }],
  );
}

function missingColumn(column: Column, heads: readonly string[]): CodedError {
  const words = headings[column].slice(0, 4).join(', ');
  const last = headings[column].find((word) => /[^a-z]/.test(word)) ?? '';
  return new CodedError(
    'PROFILE_CSV',
    `row 1: no column is the ${column} (such as ${words}, ${last}); there are ${heads.join(', ')}`,
  );
}

function rowOf(
  line: number,
  cells: readonly string[],
  heads: readonly string[],
  meant: readonly (Column | null)[],
): CsvRow {
  return {
    line,
    cell: (column) => {
      const at = meant.indexOf(column);
      const text = at < 0 ? '' : (cells[at] ?? '');
      return text === '' ? null : { text, place: `row ${line}, column ${at + 1} (${heads[at]})` };
    },
  };
}
