import { crc32 } from 'node:zlib';
import { type Picture, refusePicture, requireSize } from './picture.ts';

/*
 * A PNG is judged by its frame, never decoded: a few kilobytes may unfold to gigabytes. What unfolds in the browser is
 * bounded by the size in its header. PNG (Third Edition), W3C, sections 5 and 11.
 */

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colour type -> bit depths, table 12. */
const depths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const critical = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const mostChunks = 20_000;

interface Chunk {
  readonly type: string;
  readonly at: number;
  readonly body: Buffer;
}

/** Throws BAD_PICTURE with what is wrong and at which byte. */
export function checkPng(bytes: Buffer): Picture {
  if (!bytes.subarray(0, 8).equals(signature)) throw refusePicture('this is not a PNG picture: its first bytes differ');
  const chunks = readChunks(bytes);
  const [first] = chunks;
  if (first?.type !== 'IHDR' || first.body.length !== 13) throw refusePicture('byte 8: a PNG begins with its header');
  const size = readHeader(first.body);
  const types = chunks.map(({ type }) => type);
  if (types.lastIndexOf('IHDR') > 0) throw refusePicture('a PNG has one header only');
  if (!types.includes('IDAT')) throw refusePicture('there is no picture in it');
  if (types.includes('acTL')) throw refusePicture('moving pictures are not taken');
  return { format: 'png', ...requireSize(size.width, size.height, 'pixels') };
}

function readHeader(header: Buffer): { readonly width: number; readonly height: number } {
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = header.subarray(8);
  if (!depths[colour]?.includes(depth))
    throw refusePicture(`byte 24: there is no PNG of ${depth} bits, type ${colour}`);
  if (compression !== 0 || filter !== 0 || interlace > 1) throw refusePicture('byte 26: an unknown way of packing');
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4) };
}

function readChunks(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  let at = signature.length;
  while (chunks.at(-1)?.type !== 'IEND') {
    if (at + 12 > bytes.length) throw refusePicture(`byte ${at}: the file ends in the middle`);
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type) || end > bytes.length) throw refusePicture(`byte ${at}: a broken part`);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) {
      throw refusePicture(`byte ${at}: the part ${type} is damaged`);
    }
    // A capital first letter: nobody may show the picture without understanding it.
    if (type.charCodeAt(0) < 0x61 && !critical.has(type)) throw refusePicture(`byte ${at}: an unknown part ${type}`);
    if (chunks.length === mostChunks) throw refusePicture(`more than ${mostChunks} parts`);
    chunks.push({ type, at, body: bytes.subarray(at + 8, end - 4) });
    at = end;
  }
  if (at !== bytes.length) throw refusePicture(`byte ${at}: there is something after the end of the picture`);
  return chunks;
}
