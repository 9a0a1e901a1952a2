/*
 * A baseline JPEG encoder (ITU-T T.81), 4:4:4, with the example tables of its annex K: enough for a simulated camera to
 * send pictures that any decoder shows, with no native code.
 */

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGB, row by row. */
  readonly rgb: Uint8Array;
}

// Annex K.1: quantisation of luminance and chrominance, in rows.
const luminance = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const chrominance = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];
// Annex K.3: how many codes of each length, then their values. One pair of tables serves all three components.
const dcCounts = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const dcValues = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const acCounts = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d];
const acValues = [
  ...Buffer.from(
    '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738' +
      '393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3' +
      'a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
    'hex',
  ),
];

/** Order in which the coefficients of a block are written, as row * 8 + column. */
const zigzag = (() => {
  const order: number[] = [];
  for (let sum = 0; sum < 15; sum++) {
    const diagonal: number[] = [];
    for (let row = Math.max(0, sum - 7); row <= Math.min(7, sum); row++) diagonal.push(row * 8 + (sum - row));
    order.push(...(sum % 2 === 0 ? diagonal.reverse() : diagonal));
  }
  return order;
})();

const cosine = Float64Array.from({ length: 64 }, (_, i) => {
  const frequency = i >> 3;
  const scale = frequency === 0 ? Math.SQRT1_2 / 2 : 0.5;
  return scale * Math.cos(((2 * (i & 7) + 1) * frequency * Math.PI) / 16);
});

type Codes = ReadonlyMap<number, readonly [code: number, length: number]>;

function huffman(counts: readonly number[], values: readonly number[]): Codes {
  const codes = new Map<number, readonly [number, number]>();
  let code = 0;
  let next = 0;
  counts.forEach((count, index) => {
    for (let i = 0; i < count; i++) codes.set(values[next++] ?? 0, [code++, index + 1]);
    code <<= 1;
  });
  return codes;
}

const dcCodes = huffman(dcCounts, dcValues);
const acCodes = huffman(acCounts, acValues);

function scaled(table: readonly number[], quality: number): number[] {
  const factor = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return table.map((entry) => Math.min(255, Math.max(1, Math.floor((entry * factor + 50) / 100))));
}

/** Bits to bytes, with a zero stuffed after every 0xff. */
function bitWriter() {
  const bytes: number[] = [];
  let pending = 0;
  let held = 0;
  const put = (value: number, length: number) => {
    pending = (pending << length) | (value & ((1 << length) - 1));
    held += length;
    while (held >= 8) {
      const byte = (pending >> (held - 8)) & 0xff;
      bytes.push(byte);
      if (byte === 0xff) bytes.push(0);
      held -= 8;
    }
    pending &= (1 << held) - 1;
  };
  return { put, bytes };
}

/** Rows, then columns, of the 8 x 8 discrete cosine transform, quantised, in zigzag order. */
function transform(block: Float64Array, table: readonly number[], out: Int32Array): void {
  const rows = new Float64Array(64);
  for (let y = 0; y < 8; y++) {
    for (let u = 0; u < 8; u++) {
      let sum = 0;
      for (let x = 0; x < 8; x++) sum += (block[y * 8 + x] ?? 0) * (cosine[u * 8 + x] ?? 0);
      rows[y * 8 + u] = sum;
    }
  }
  zigzag.forEach((place, index) => {
    const v = place >> 3;
    const u = place & 7;
    let sum = 0;
    for (let y = 0; y < 8; y++) sum += (rows[y * 8 + u] ?? 0) * (cosine[v * 8 + y] ?? 0);
    out[index] = Math.round(sum / (table[place] ?? 1));
  });
}

type Put = (value: number, length: number) => void;

function putSymbol(put: Put, codes: Codes, symbol: number): void {
  const [code, length] = codes.get(symbol) ?? [0, 0];
  put(code, length);
}

const sizeOf = (value: number) => 32 - Math.clz32(Math.abs(value));
const bitsOf = (value: number, size: number) => (value < 0 ? value + (1 << size) - 1 : value);

function putBlock(put: Put, coefficients: Int32Array, previous: number): number {
  const dc = coefficients[0] ?? 0;
  const step = dc - previous;
  putSymbol(put, dcCodes, sizeOf(step));
  if (step !== 0) put(bitsOf(step, sizeOf(step)), sizeOf(step));
  let zeros = 0;
  for (let i = 1; i < 64; i++) {
    const value = coefficients[i] ?? 0;
    if (value === 0) {
      zeros += 1;
      continue;
    }
    for (; zeros > 15; zeros -= 16) putSymbol(put, acCodes, 0xf0);
    const size = sizeOf(value);
    putSymbol(put, acCodes, (zeros << 4) | size);
    put(bitsOf(value, size), size);
    zeros = 0;
  }
  if (zeros > 0) putSymbol(put, acCodes, 0);
  return dc;
}

function segment(marker: number, body: readonly number[]): number[] {
  const length = body.length + 2;
  return [0xff, marker, length >> 8, length & 0xff, ...body];
}

function headers(width: number, height: number, tables: readonly (readonly number[])[]): number[] {
  const [luma = [], chroma = []] = tables;
  const size = [height >> 8, height & 0xff, width >> 8, width & 0xff];
  return [
    ...[0xff, 0xd8],
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...zigzag.map((place) => luma[place] ?? 1), 1, ...zigzag.map((place) => chroma[place] ?? 1)]),
    ...segment(0xc0, [8, ...size, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1]),
    ...segment(0xc4, [0x00, ...dcCounts, ...dcValues, 0x10, ...acCounts, ...acValues]),
    ...segment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
  ];
}

/** RGB to one component, minus 128: Y, Cb, Cr as JFIF defines them. */
const weights = [
  [0.299, 0.587, 0.114, -128],
  [-0.168736, -0.331264, 0.5, 0],
  [0.5, -0.418688, -0.081312, 0],
] as const;

/** @param quality 1 (worst) to 100. Edges that are no multiple of 8 repeat their last pixels. */
export function encodeJpeg({ width, height, rgb }: Picture, quality: number): Buffer {
  const tables = [scaled(luminance, quality), scaled(chrominance, quality)];
  const writer = bitWriter();
  const block = new Float64Array(64);
  const coefficients = new Int32Array(64);
  const previous = [0, 0, 0];
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      weights.forEach(([r, g, b, shift], component) => {
        for (let i = 0; i < 64; i++) {
          const y = Math.min(height - 1, top + (i >> 3));
          const at = (y * width + Math.min(width - 1, left + (i & 7))) * 3;
          block[i] = r * (rgb[at] ?? 0) + g * (rgb[at + 1] ?? 0) + b * (rgb[at + 2] ?? 0) + shift;
        }
        transform(block, tables[component === 0 ? 0 : 1] ?? [], coefficients);
        previous[component] = putBlock(writer.put, coefficients, previous[component] ?? 0);
      });
    }
  }
  writer.put(0x7f, 7);
  return Buffer.concat([
    Buffer.from(headers(width, height, tables)),
    Buffer.from(writer.bytes),
    Buffer.from([0xff, 0xd9]),
  ]);
}
