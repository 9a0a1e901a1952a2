import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CodedError } from '#edge/runtime/errors.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { decodeNumbers, encodeNumbers } from './numbers.ts';
import { kindOf, type StoredSample } from './sample.ts';

/*
 * The samples of one point in one hour as bytes, and back, bit for bit. Column after column: times (deltas against the
 * usual step, so that a poll's jitter is all that remains), the distance to the other time, codes (kind, quality, reason)
 * run-length, numbers, booleans run-length, text through a dictionary of this block. Then deflate, where it helps.
 * Raw deflate, not zstd: blocks are 0.2-4 KB, where zstd's frame and tables cost more than its matches save (measured:
 * see tests/unit/store/codec.test.ts).
 */
const plain = 0;
const deflated = 1;
/** No block is near this; a damaged length must not take the memory. */
const longest = 64 * 1024 * 1024;
/** What inflates from less mostly fits into a chunk from Node's pool of small buffers: no allocation a block. */
const smallBody = 1_024;

export function encodeBlock(samples: readonly StoredSample[]): Uint8Array {
  const writer = new ByteWriter();
  writer.unsigned(samples.length);
  if (samples.length > 0) {
    encodeTimes(samples, writer);
    encodeDistances(samples, writer);
    encodeRuns(
      samples.map((s) => s.code),
      writer,
    );
    encodeValues(samples, writer);
  }
  const bytes = writer.result();
  const packed = deflateRawSync(bytes, { level: 9, memLevel: 9 });
  const smaller = packed.length < bytes.length;
  const body = smaller ? packed : bytes;
  const out = new Uint8Array(body.length + 1);
  out[0] = smaller ? deflated : plain;
  out.set(body, 1);
  return out;
}

/** The samples of a block, column by column: entry i of each is of sample i. What lies at or after `count` means nothing. */
export interface Columns {
  readonly count: number;
  readonly times: Float64Array;
  readonly distances: Float64Array;
  /** Run-length, in order: `code` holds for the samples before index `end`. */
  readonly codes: readonly CodeRun[];
  readonly values: Values;
}

export interface CodeRun {
  readonly code: number;
  readonly end: number;
}

/** Numbers alone, as nearly every block has them, stay in a typed array. */
export type Values = Float32Array | Float64Array | readonly (number | string | null)[];

/** Throws STORE_BAD_BLOCK for bytes that are no block. */
export function decodeBlock(bytes: Uint8Array): StoredSample[] {
  const { times, distances, codes, values } = decodeColumns(bytes);
  const samples: StoredSample[] = [];
  for (const { code, end } of codes) {
    for (let i = samples.length; i < end; i++) {
      samples.push({ t: times[i] ?? 0, d: distances[i] ?? 0, value: values[i] ?? null, code });
    }
  }
  return samples;
}

/**
 * Columns are used again for the next block of up to so many samples (an hour of seconds). New ones for each lie outside of
 * V8's heap, where a month's worth makes it collect garbage over and over (measured: a third of the time of a long read).
 */
const roomFor = 4_096;
const rooms = {
  times: new Float64Array(roomFor),
  distances: new Float64Array(roomFor),
  numbers: new Float64Array(roomFor),
};
const roomOf = (column: keyof typeof rooms, count: number) =>
  count <= roomFor ? rooms[column] : new Float64Array(count);

/** The same without an object a sample; valid until the next block is decoded. Throws STORE_BAD_BLOCK. */
export function decodeColumns(bytes: Uint8Array): Columns {
  try {
    const reader = new ByteReader(unpack(bytes));
    const count = reader.unsigned();
    if (count > reader.left) throw new CodedError('STORE_BAD_BLOCK', `${count} samples in ${reader.left} bytes`);
    if (count === 0) return { count, times: rooms.times, distances: rooms.distances, codes: [], values: [] };
    const times = decodeTimes(reader, count);
    const distances = decodeDistances(reader, count);
    const codes = decodeCodes(reader, count);
    return { count, times, distances, codes, values: decodeValues(reader, codes, count) };
  } catch (error) {
    throw new CodedError('STORE_BAD_BLOCK', 'a stored block cannot be decoded', { cause: error });
  }
}

function unpack(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1);
  if (bytes[0] === plain) return body;
  if (bytes[0] === deflated) {
    const chunkSize = body.length < smallBody ? 3_072 : 16_384;
    return inflateRawSync(body, { maxOutputLength: longest, chunkSize });
  }
  throw new CodedError('STORE_BAD_BLOCK', `unknown packing ${bytes[0]}`);
}

function encodeTimes(samples: readonly StoredSample[], writer: ByteWriter): void {
  const first = samples[0]?.t ?? 0;
  writer.unsigned(first);
  const deltas: number[] = [];
  for (let i = 1, before = first; i < samples.length; i++) {
    const t = samples[i]?.t ?? before;
    deltas.push(t - before);
    before = t;
  }
  const step = deltas.toSorted((a, b) => a - b)[deltas.length >> 1] ?? 0;
  writer.unsigned(step);
  for (const delta of deltas) writer.signed(delta - step);
}

function decodeTimes(reader: ByteReader, count: number): Float64Array {
  const times = roomOf('times', count);
  let t = reader.unsigned();
  const step = reader.unsigned();
  times[0] = t;
  reader.column(times, 1, count);
  for (let i = 1; i < count; i++) {
    t += step + (times[i] ?? 0);
    times[i] = t;
  }
  return times;
}

/** Mostly the same for all (a source without a clock: 0), else one small number each. */
function encodeDistances(samples: readonly StoredSample[], writer: ByteWriter): void {
  const constant = samples.every((s) => s.d === samples[0]?.d);
  writer.byte(constant ? 0 : 1);
  for (const sample of constant ? samples.slice(0, 1) : samples) writer.signed(sample.d);
}

function decodeDistances(reader: ByteReader, count: number): Float64Array {
  const distances = roomOf('distances', count);
  if (reader.byte() === 0) return distances.fill(reader.signed(), 0, count);
  reader.column(distances, 0, count);
  return distances;
}

function encodeRuns(values: readonly number[], writer: ByteWriter): void {
  for (let i = 0; i < values.length; ) {
    const value = values[i] ?? 0;
    let end = i + 1;
    while (end < values.length && values[end] === value) end++;
    writer.unsigned(value);
    writer.unsigned(end - i);
    i = end;
  }
}

function decodeCodes(reader: ByteReader, count: number): CodeRun[] {
  const runs: CodeRun[] = [];
  for (let end = 0; end < count; ) {
    const code = reader.unsigned();
    const run = reader.unsigned();
    if (run === 0 || end + run > count) throw new CodedError('STORE_BAD_BLOCK', `a run of ${run} is too long`);
    end += run;
    runs.push({ code, end });
  }
  return runs;
}

function decodeRuns(reader: ByteReader, count: number): number[] {
  const values: number[] = [];
  for (const { code, end } of decodeCodes(reader, count)) while (values.length < end) values.push(code);
  return values;
}

function encodeValues(samples: readonly StoredSample[], writer: ByteWriter): void {
  const numbers: number[] = [];
  const booleans: number[] = [];
  const texts: string[] = [];
  for (const { value, code } of samples) {
    const kind = kindOf(code);
    if (typeof value === 'string') texts.push(value);
    else if (value !== null) (kind === 'boolean' ? booleans : numbers).push(value);
  }
  if (numbers.length > 0) encodeNumbers(numbers, writer);
  if (booleans.length > 0) encodeRuns(booleans, writer);
  if (texts.length > 0) encodeTexts(texts, writer);
}

function decodeValues(reader: ByteReader, codes: readonly CodeRun[], count: number): Values {
  const counts = { none: 0, number: 0, boolean: 0, text: 0 };
  let from = 0;
  for (const { code, end } of codes) {
    counts[kindOf(code)] += end - from;
    from = end;
  }
  const numbers = decodeNumbers(reader, counts.number, rooms.numbers);
  if (counts.number === count) return numbers;
  const columns = {
    none: [],
    number: numbers,
    boolean: decodeRuns(reader, counts.boolean),
    text: decodeTexts(reader, counts.text),
  };
  const taken = { none: 0, number: 0, boolean: 0, text: 0 };
  const values: (number | string | null)[] = [];
  for (const { code, end } of codes) {
    const kind = kindOf(code);
    while (values.length < end) values.push(columns[kind][taken[kind]++] ?? null);
  }
  return values;
}

function encodeTexts(texts: readonly string[], writer: ByteWriter): void {
  const index = new Map<string, number>();
  for (const text of texts) if (!index.has(text)) index.set(text, index.size);
  writer.unsigned(index.size);
  for (const text of index.keys()) {
    const utf8 = new TextEncoder().encode(text);
    writer.unsigned(utf8.length);
    writer.bytes(utf8);
  }
  encodeRuns(
    texts.map((text) => index.get(text) ?? 0),
    writer,
  );
}

function decodeTexts(reader: ByteReader, count: number): string[] {
  if (count === 0) return [];
  const size = reader.unsigned();
  const dictionary: string[] = [];
  while (dictionary.length < size) dictionary.push(new TextDecoder().decode(reader.bytes(reader.unsigned())));
  return decodeRuns(reader, count).map((i) => dictionary[i] ?? '');
}
