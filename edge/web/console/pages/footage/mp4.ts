/*
 * As much of an MP4 as a player has to know before it hands it to the browser (ISO/IEC 14496-12, 14496-15): the codec by its RFC 6381
 * name, and when each picture begins. Pure; what is cut off or nonsense is null.
 */

export interface Box {
  readonly type: string;
  /** Of its content, and its end. */
  readonly body: number;
  readonly end: number;
}

export interface Facts {
  /** `avc1.64001f`, `hvc1.1.6.L93.B0`. */
  readonly codec: string;
  readonly timescale: number;
}

/** Whole boxes of [from, to). */
export function boxesOf(view: DataView, from = 0, to = view.byteLength): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const small = view.getUint32(at);
    const isLarge = small === 1 && at + 16 <= to;
    const size = isLarge ? Number(view.getBigUint64(at + 8)) : small;
    const end = at + size;
    if (size < 8 || end > to) break;
    boxes.push({ type: textAt(view, at + 4, 4), body: at + (isLarge ? 16 : 8), end });
    at = end;
  }
  return boxes;
}

/** The end of the last whole box: what follows is still on its way. */
export function wholeEnd(view: DataView): number {
  return boxesOf(view).at(-1)?.end ?? 0;
}

function find(view: DataView, path: readonly string[], inside: { readonly body: number; readonly end: number }) {
  let box: { readonly body: number; readonly end: number } | undefined = inside;
  for (const type of path) {
    if (box === undefined) return;
    box = boxesOf(view, box.body, box.end).find((one) => one.type === type);
  }
  return box;
}

/** null: the init segment is not whole, or of a codec that is not known here. */
export function factsOf(view: DataView): Facts | null {
  const media = find(view, ['moov', 'trak', 'mdia'], { body: 0, end: view.byteLength });
  if (media === undefined) return null;
  const header = find(view, ['mdhd'], media);
  const table = find(view, ['minf', 'stbl', 'stsd'], media);
  if (header === undefined || table === undefined) return null;
  const timescale = view.getUint32(header.body + (view.getUint8(header.body) === 1 ? 20 : 12));
  const [entry] = boxesOf(view, table.body + 8, table.end);
  if (entry === undefined) return null;
  // A visual sample entry has 78 bytes before its boxes.
  const parts = boxesOf(view, entry.body + 78, entry.end);
  const codec = codecOf(view, entry, parts);
  return codec === null ? null : { codec, timescale };
}

function codecOf(view: DataView, entry: Box, parts: readonly Box[]): string | null {
  const avc = parts.find(({ type }) => type === 'avcC');
  if (avc !== undefined) {
    const bytes = [1, 2, 3].map((at) =>
      view
        .getUint8(avc.body + at)
        .toString(16)
        .padStart(2, '0'),
    );
    return `${entry.type}.${bytes.join('')}`;
  }
  const hevc = parts.find(({ type }) => type === 'hvcC');
  return hevc === undefined ? null : `${entry.type}.${hevcText(view, hevc.body)}`;
}

/** ISO/IEC 14496-15 E.3: profile, compatibility turned round, tier and level, constraints without the zeros at the end. */
function hevcText(view: DataView, at: number): string {
  const first = view.getUint8(at + 1);
  const space = ['', 'A', 'B', 'C'][first >> 6] ?? '';
  const compatibility = reversed(view.getUint32(at + 2)).toString(16);
  const level = `${(first & 0x20) === 0 ? 'L' : 'H'}${view.getUint8(at + 12)}`;
  const constraints = [6, 7, 8, 9, 10, 11].map((place) => view.getUint8(at + place));
  const kept = constraints.slice(0, constraints.findLastIndex((byte) => byte !== 0) + 1);
  return [`${space}${first & 0x1f}`, compatibility, level, ...kept.map((byte) => byte.toString(16).toUpperCase())].join(
    '.',
  );
}

function reversed(bits: number): number {
  let turned = 0;
  for (let index = 0; index < 32; index++) turned = turned * 2 + ((bits >>> index) & 1);
  return turned;
}

/** When each picture of these fragments begins, s of the file's own clock, as they are decoded. */
export function pictureTimes(view: DataView, timescale: number): number[] {
  const times: number[] = [];
  for (const box of boxesOf(view)) {
    if (box.type !== 'moof') continue;
    const header = find(view, ['traf', 'tfhd'], box);
    const time = find(view, ['traf', 'tfdt'], box);
    const run = find(view, ['traf', 'trun'], box);
    if (header === undefined || time === undefined || run === undefined) continue;
    const isLong = view.getUint8(time.body) === 1;
    let at = isLong ? Number(view.getBigUint64(time.body + 4)) : view.getUint32(time.body + 4);
    for (const length of lengthsOf(view, run, usualLength(view, header))) {
      times.push(at / Math.max(1, timescale));
      at += length;
    }
  }
  return times;
}

type Inside = Pick<Box, 'body' | 'end'>;

/** Optional fields of 4 bytes that stand before each other, by their flags. */
const [dataOffset, firstFlags] = [0x1, 0x4];
const [hasLength, perSample] = [0x100, [0x100, 0x200, 0x400, 0x800]];

/** Of the samples of a run, in its timescale (ISO/IEC 14496-12 8.8.8). */
function lengthsOf(view: DataView, run: Inside, usual: number): number[] {
  const flags = view.getUint32(run.body) & 0xffffff;
  const size = perSample.filter((flag) => (flags & flag) !== 0).length * 4;
  const first = run.body + 8 + ((flags & dataOffset) === 0 ? 0 : 4) + ((flags & firstFlags) === 0 ? 0 : 4);
  const room = size === 0 ? mostPictures : Math.floor((run.end - first) / size);
  const count = Math.min(view.getUint32(run.body + 4), room, mostPictures);
  return Array.from({ length: count }, (_, index) =>
    (flags & hasLength) === 0 ? usual : view.getUint32(first + index * size),
  );
}

/** Of one fragment: two minutes at 100 a second. */
const mostPictures = 12_000;

/** The length of samples that say none (8.8.7); 0: it is not said here. */
function usualLength(view: DataView, header: Inside): number {
  const flags = view.getUint32(header.body) & 0xffffff;
  if ((flags & 0x8) === 0) return 0;
  const at = header.body + 8 + ((flags & 0x1) === 0 ? 0 : 8) + ((flags & 0x2) === 0 ? 0 : 4);
  return at + 4 <= header.end ? view.getUint32(at) : 0;
}

function textAt(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, index) => view.getUint8(at + index)));
}
