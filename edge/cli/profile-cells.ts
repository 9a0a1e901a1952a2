import { isKnownUnit, knownUnits } from '#edge/profiles/units.ts';
import type { Cell, CsvRow } from './profile-csv.ts';

/* What people write into the cells of a list of registers, and what it means. */

export type Table = 'coil' | 'discrete' | 'holding' | 'input';
/** What addresses count from; 40001: their first digit is the table. */
export type Base = 0 | 1 | 40_001;
/** Says what is wrong with a cell. */
export type Fail = (cell: Cell, message: string) => null;

const tablesByDigit: Readonly<Record<string, Table>> = { '0': 'coil', '1': 'discrete', '3': 'input', '4': 'holding' };

/** `100`, `0x64`, `64H`; of 40001 and its like the first digit is the table and the rest counts from 1. */
export function addressOf(cell: Cell, base: Base, fail: Fail): { at: number; table: Table | null } | null {
  const text = cell.text.replaceAll(/\s/g, '');
  const isHex = /^0x[0-9a-f]+$/i.test(text) || /^[0-9a-f]+h$/i.test(text);
  const number = isHex
    ? Number.parseInt(text.replace(/^0x|h$/gi, ''), 16)
    : /^\d+$/.test(text)
      ? Number(text)
      : Number.NaN;
  if (Number.isNaN(number)) return fail(cell, `"${cell.text}" is no address such as 100, 0x64 or 64H`);
  if (base !== 40_001) {
    if (number < base || number > 65_535 + base)
      return fail(cell, `${cell.text} is not between ${base} and ${65_535 + base}`);
    return { at: number, table: null };
  }
  const [, digit = '', rest = ''] = /^(\d)(\d{4,5})$/.exec(text) ?? [];
  const table = tablesByDigit[digit];
  const at = Number(rest) - 1;
  if (isHex || table === undefined || at < 0 || at > 65_535) {
    return fail(cell, `"${cell.text}" is no number such as 40001 or 300001`);
  }
  return { at, table };
}

const functionTables: Readonly<Record<string, Table>> = {
  '1': 'coil',
  '2': 'discrete',
  '3': 'holding',
  '4': 'input',
  coil: 'coil',
  coils: 'coil',
  线圈: 'coil',
  discrete: 'discrete',
  discreteinput: 'discrete',
  离散输入: 'discrete',
  holding: 'holding',
  holdingregister: 'holding',
  保持寄存器: 'holding',
  input: 'input',
  inputregister: 'input',
  输入寄存器: 'input',
};

export function tableOf(cell: Cell | null, fail: Fail): Table | null | 'wrong' {
  if (cell === null) return null;
  const word = cell.text
    .toLowerCase()
    .replaceAll(/[\s_-]|^fc|^0x0?|h$/g, '')
    .replace(/^0(?=[1-4])/, '');
  // `03/06`: read and write; the first is what it is read with.
  const found = functionTables[word.split(/[/,、]/)[0]?.replace(/^0/, '') ?? ''];
  if (found === undefined) fail(cell, `"${cell.text}" is no table: coil, discrete, holding, input or function 1 to 4`);
  return found ?? 'wrong';
}

/** How people write types, without case and spaces. */
const types: readonly (readonly [RegExp, string])[] = [
  [/^(u16|uint16|ushort|word|unsigned(short|16)?|uint|无符号(整型|整数|16位)?|16位无符号.*)$/, 'u16'],
  [/^(s16|i16|int16|short|int|signed(short|16)?|有符号(整型|整数|16位)?|16位有符号.*)$/, 's16'],
  [/^(u32|uint32|ulong|dword|udint|unsigned(long|32)|无符号(长整型|32位)|32位无符号.*)$/, 'u32'],
  [/^(s32|i32|int32|long|dint|signed(long|32)|有符号(长整型|32位)|32位有符号.*|长整型)$/, 's32'],
  [/^(u64|uint64|ulonglong|ulint|qword)$/, 'u64'],
  [/^(s64|i64|int64|longlong|lint)$/, 's64'],
  [/^(f32|float|float32|real|single|浮点(型|数)?|单精度(浮点)?(型|数)?)$/, 'f32'],
  [/^(f64|double|float64|lreal|双精度(浮点)?(型|数)?)$/, 'f64'],
  [/^(bcd|bcd16)$/, 'bcd'],
  [/^bcd32$/, 'bcd32'],
  [/^(bool|boolean|bit|coil|开关量|布尔(型)?|线圈|位)$/, 'bool'],
];

export function typeOf(row: CsvRow, table: Table, fail: Fail): string | null {
  if (table === 'coil' || table === 'discrete') return 'bool';
  const cell = row.cell('type');
  const registers = numberOf(row.cell('registers'), null, fail);
  if (registers === undefined) return null;
  if (cell === null) return registers === 2 ? 'u32' : registers === 4 ? 'u64' : 'u16';
  const word = cell.text.toLowerCase().replaceAll(/[\s_-]/g, '');
  const text = /^(?:str|string|ascii|char|字符串?)\(?(\d+)?\)?$/.exec(word);
  if (text !== null) {
    const length = Number(text[1] ?? registers ?? 0);
    return length >= 1 && length <= 125
      ? `str(${length})`
      : fail(cell, 'how many registers has the text? write str(8), or say it in a column "registers"');
  }
  const found = types.find(([pattern]) => pattern.test(word))?.[1];
  if (found === undefined)
    return fail(cell, `unknown type "${cell.text}": write u16, s16, u32, s32, f32, bool, str(8) ...`);
  // "int" beside two registers is a long.
  const wide: Readonly<Record<string, string>> = { u16: 'u32', s16: 's32' };
  return registers === 2 ? (wide[found] ?? found) : found;
}

export function unitOf(cell: Cell | null, fail: Fail): string | null {
  if (cell === null || cell.text === '-' || cell.text === '/') return '';
  if (isKnownUnit(cell.text)) return cell.text;
  const meant = knownUnits.find((unit) => unit.toLowerCase() === cell.text.toLowerCase());
  return meant ?? fail(cell, `unknown unit "${cell.text}": ${knownUnits.slice(2, 30).join(' ')} ...`);
}

/** undefined: wrong, and said. `1/10` and `x0.1` are ways people write 0.1. */
export function numberOf<T>(cell: Cell | null, otherwise: T, fail: Fail): number | T | undefined {
  if (cell === null) return otherwise;
  const text = cell.text.replaceAll(/[\s,x×*]/gi, '');
  const [, above, below] = /^(-?[\d.]+)\/([\d.]+)$/.exec(text) ?? [];
  const number = above === undefined ? Number(text) : Number(above) / Number(below);
  if (text !== '' && Number.isFinite(number)) return number;
  fail(cell, `"${cell.text}" is no number`);
  return undefined;
}

export function orderOf(cell: Cell | null, otherwise: string, fail: Fail): string | null {
  if (cell === null) return otherwise;
  const word = cell.text.toUpperCase().replaceAll(/[\s-]/g, '');
  return /^(ABCD|CDAB|BADC|DCBA)$/.test(word) ? word : fail(cell, `"${cell.text}" is none of ABCD, CDAB, BADC, DCBA`);
}

/** What Chinese manuals call the usual quantities. */
const usualNames: readonly (readonly [RegExp, string])[] = [
  [/视在功率/, 'apparent_power'],
  [/无功功率/, 'reactive_power'],
  [/功率因数/, 'power_factor'],
  [/功率/, 'power'],
  [/反向有功?(总)?电(能|度|量)/, 'energy_export'],
  [/正向有功?(总)?电(能|度|量)/, 'energy_import'],
  [/电(能|度|量)/, 'energy_total'],
  [/电压/, 'voltage'],
  [/电流/, 'current'],
  [/频率/, 'frequency'],
  [/湿度/, 'humidity'],
  [/温度/, 'temperature'],
  [/二氧化碳|CO2/i, 'co2'],
  [/(表|序列|出厂编)号/, 'serial'],
];

export function nameOf(text: string, at: number): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 60);
  if (!/[^\x20-\x7e]/.test(text) && /^[a-z]/.test(slug)) return slug;
  const phase = /([ABCabc])\s*相/.exec(text)?.[1]?.toUpperCase();
  const found = usualNames.find(([pattern]) => pattern.test(text))?.[1];
  if (found === undefined) return `register_${at}`;
  return phase === undefined ? found : `${found}_l${'ABC'.indexOf(phase) + 1}`;
}
