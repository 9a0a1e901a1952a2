import { CodedError } from '#edge/runtime/errors.ts';
import {
  addressOf,
  type Base,
  type Fail,
  nameOf,
  numberOf,
  orderOf,
  type Table,
  tableOf,
  typeOf,
  unitOf,
} from './profile-cells.ts';
import type { CsvList, CsvRow } from './profile-csv.ts';

/* A list of registers -> the beginning of a profile: everything but the vectors, which only a manual or a device can give. */

export interface DraftOptions {
  /** `meter/demo-1`. */
  readonly path: string;
  readonly name: { readonly zh: string; readonly en: string };
  /** What the list counts from: 0, 1, or 40001 and its like (the table is then in the number). */
  readonly base: Base;
  readonly order: string;
  readonly source: string;
}

interface Value {
  readonly name: string;
  readonly label: { readonly zh: string; readonly en: string } | null;
  readonly at: number;
  readonly table: Table;
  readonly as: string;
  readonly unit: string;
  readonly scale: number;
  readonly order: string;
  readonly range: readonly [number, number] | null;
  readonly isWritable: boolean;
}

/** The draft as YAML. Throws PROFILE_CSV with a line for each cell that cannot be understood. */
export function draftProfile(list: CsvList, options: DraftOptions): string {
  const mistakes: string[] = [];
  const fail: Fail = (cell, message) => {
    mistakes.push(`${cell.place}: ${message}`);
    return null;
  };
  const values = list.rows.flatMap((row) => readValue(row, options, fail) ?? []);
  const lines = new Map<string, number>();
  for (const [i, { name }] of values.entries()) {
    const first = lines.get(name);
    const line = list.rows[i]?.line ?? 0;
    if (first !== undefined && mistakes.length === 0) {
      mistakes.push(`row ${line}: "${name}" is the name in row ${first} too`);
    }
    lines.set(name, line);
  }
  if (values.length === 0 && mistakes.length === 0) mistakes.push('there is no register in it');
  if (mistakes.length > 0) throw new CodedError('PROFILE_CSV', mistakes.slice(0, 50).join('\n'));
  return yamlOf(values, options);
}

function readValue(row: CsvRow, options: DraftOptions, fail: Fail): Value | null {
  const address = row.cell('address');
  const nameCell = row.cell('name');
  if (address === null || nameCell === null) {
    return fail({ text: '', place: `row ${row.line}` }, `has no ${address === null ? 'address' : 'name'}`);
  }
  const given = tableOf(row.cell('table'), fail);
  const where = addressOf(address, options.base, fail);
  if (where === null || given === 'wrong') return null;
  const table =
    where.table ?? given ?? (/^(bool|bit|coil|线圈)/i.test(row.cell('type')?.text ?? '') ? 'coil' : 'holding');
  const as = typeOf(row, table, fail);
  const unit = unitOf(row.cell('unit'), fail);
  const scale = numberOf(row.cell('scale'), 1, fail);
  const order = orderOf(row.cell('order'), options.order, fail);
  const low = numberOf(row.cell('min'), null, fail);
  const high = numberOf(row.cell('max'), null, fail);
  if (as === null || unit === null || scale === undefined || order === null) return null;
  if (low === undefined || high === undefined) return null;
  return {
    name: nameOf(nameCell.text, where.at),
    label: labelOf(row, nameCell.text),
    at: where.at,
    table,
    as,
    unit,
    scale: scale ?? 1,
    order,
    range: low === null || high === null ? null : [low, high],
    isWritable: /w|写/i.test(row.cell('access')?.text ?? '') && (table === 'coil' || table === 'holding'),
  };
}

function labelOf(row: CsvRow, name: string): Value['label'] {
  const isForeign = /[^\x20-\x7e]/.test(name);
  const zh = row.cell('label_zh')?.text ?? (isForeign ? name : undefined);
  const en = row.cell('label_en')?.text;
  if (zh === undefined && en === undefined) return null;
  return { zh: zh ?? en ?? name, en: en ?? zh ?? name };
}

const quoted = (text: string) => JSON.stringify(text);

function lineOf(value: Value, bus: { readonly table: Table; readonly order: string }): string {
  const isBit = value.table === 'coil' || value.table === 'discrete';
  const isEnergy = /Wh$|^m³$/.test(value.unit);
  const keys = [
    `at: ${value.at}`,
    ...(value.table === bus.table ? [] : [`fc: ${value.table}`]),
    ...(isBit ? [] : [`as: ${value.as}`]),
    ...(value.order === bus.order || !/32|64/.test(value.as) ? [] : [`order: ${value.order}`]),
    ...(value.scale === 1 ? [] : [`scale: ${value.scale}`]),
    ...(value.unit === '' ? [] : [`unit: ${quoted(value.unit)}`]),
    ...(value.range === null ? [] : [`range: [${value.range.join(', ')}]`]),
    ...(isEnergy ? ['counter: { reset: ask }', 'poll: slow'] : []),
    ...(value.label === null ? [] : [`label: { zh: ${quoted(value.label.zh)}, en: ${quoted(value.label.en)} }`]),
    'verified: one-source',
    ...(value.isWritable ? ['write: { fail_safe: keep }'] : []),
  ];
  return `  ${value.name}: { ${keys.join(', ')} }`;
}

/** The table and order that most values have are said once. */
function commonest<T>(all: readonly T[], otherwise: T): T {
  const times = new Map<T, number>();
  for (const one of all) times.set(one, (times.get(one) ?? 0) + 1);
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0] ?? otherwise;
}

const bytesOf: Readonly<Record<string, number>> = { u32: 4, s32: 4, f32: 4, bcd32: 4, u64: 8, s64: 8, f64: 8 };

function vectorOf({ name, table, as }: Value): string {
  const isBit = table === 'coil' || table === 'discrete';
  const text = /^str\((\d+)\)$/.exec(as)?.[1];
  const bytes = isBit ? 1 : text === undefined ? (bytesOf[as] ?? 2) : 2 * Number(text);
  return `  # - { value: ${name}, hex: "${Array.from({ length: bytes }, () => '..').join(' ')}", is: ... }`;
}

function yamlOf(values: readonly Value[], { path, name, base, source }: DraftOptions): string {
  const bus = {
    table: commonest(
      values.map(({ table }) => table),
      'holding',
    ),
    order: commonest(
      values.filter(({ as }) => /32|64/.test(as)).map(({ order }) => order),
      'ABCD',
    ),
  };
  return [
    '# yaml-language-server: $schema=../schema.json',
    `profile: ${path.slice(path.indexOf('/') + 1)}`,
    `name: { zh: ${quoted(name.zh)}, en: ${quoted(name.en)} }`,
    `kind: ${path.slice(0, path.indexOf('/')).replaceAll('-', '_')}`,
    'protocol: modbus',
    `bus: { fc: ${bus.table}, order: ${bus.order}${base === 1 ? ', base: 1' : ''} }`,
    '# A counter needs where it wraps and how fast it can rise (wrap, max_rate); a range what can be believed. edge/docs/adding-a-profile.md',
    'values:',
    ...values.map((value) => lineOf(value, bus)),
    '# Bytes from the manual or a real device and what they mean: one for each encoding, a negative, an invalid one.',
    'test:',
    ...values.map(vectorOf),
    '  []',
    'source:',
    `  - ${quoted(source)}`,
    '',
  ].join('\n');
}
