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

/** Throws STORE_BAD_BLOCK for bytes that are no block. */
export function decodeBlock(bytes: Uint8Array): StoredSample[] {
  try {
    const reader = new ByteReader(unpack(bytes));
    const count = reader.unsigned();
    if (count === 0) return [];
    const times = decodeTimes(reader, count);
    const distances = decodeDistances(reader, count);
    const codes = decodeRuns(reader, count);
    const values = decodeValues(reader, codes);
    return times.map((t, i) => ({ t, d: distances[i] ?? 0, value: values[i] ?? null, code: codes[i] ?? 0 }));
  } catch (error) {
    throw new CodedError('STORE_BAD_BLOCK', 'a stored block cannot be decoded', { cause: error });
  }
}

function unpack(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1);
  if (bytes[0] === plain) return body;
  if (bytes[0] === deflated) return inflateRawSync(body, { maxOutputLength: longest });
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

function decodeTimes(reader: ByteReader, count: number): number[] {
  let t = reader.unsigned();
  const step = reader.unsigned();
  const times = [t];
  while (times.length < count) {
    t += step + reader.signed();
    times.push(t);
  }
  return times;
}

/** Mostly the same for all (a source without a clock: 0), else one small number each. */
function encodeDistances(samples: readonly StoredSample[], writer: ByteWriter): void {
  const constant = samples.every((s) => s.d === samples[0]?.d);
  writer.byte(constant ? 0 : 1);
  for (const sample of constant ? samples.slice(0, 1) : samples) writer.signed(sample.d);
}

function decodeDistances(reader: ByteReader, count: number): number[] {
  if (reader.byte() === 0) return new Array<number>(count).fill(reader.signed());
  return Array.from({ length: count }, () => reader.signed());
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

function decodeRuns(reader: ByteReader, count: number): number[] {
  const values: number[] = [];
  while (values.length < count) {
    const value = reader.unsigned();
    const run = reader.unsigned();
    if (run === 0 || values.length + run > count)
      throw new CodedError('STORE_BAD_BLOCK', `a run of ${run} is too long`);
    for (let i = 0; i < run; i++) values.push(value);
  }
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

function decodeValues(reader: ByteReader, codes: readonly number[]): (number | string | null)[] {
  const kinds = codes.map(kindOf);
  const countOf = (kind: string) => kinds.reduce((n, k) => (k === kind ? n + 1 : n), 0);
  const numbers = decodeNumbers(reader, countOf('number'));
  const booleans = decodeRuns(reader, countOf('boolean'));
  const texts = decodeTexts(reader, countOf('text'));
  let n = 0;
  let b = 0;
  let x = 0;
  return kinds.map((kind) => {
    if (kind === 'number') return numbers[n++] ?? null;
    if (kind === 'boolean') return booleans[b++] ?? null;
    return kind === 'text' ? (texts[x++] ?? null) : null;
  });
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
