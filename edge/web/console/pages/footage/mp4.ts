/*
 * As much of an MP4 as a player has to know before it hands it to the browser (ISO/IEC 14496-12, 14496-15): the codec by its RFC 6381
 * name, and how long a picture lasts. Pure; what is cut off or nonsense is null.
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

/** How long a picture lasts, s: from where two fragments begin and how many pictures the first has; null: not known yet. */
export function pictureTime(view: DataView, timescale: number): number | null {
  const fragments = boxesOf(view).flatMap((box) => {
    if (box.type !== 'moof') return [];
    const time = find(view, ['traf', 'tfdt'], box);
    const run = find(view, ['traf', 'trun'], box);
    if (time === undefined || run === undefined) return [];
    const isLong = view.getUint8(time.body) === 1;
    const begin = isLong ? Number(view.getBigUint64(time.body + 4)) : view.getUint32(time.body + 4);
    return [{ begin, pictures: view.getUint32(run.body + 4) }];
  });
  const [first] = fragments;
  const last = fragments.at(-1);
  if (first === undefined || last === undefined || first === last) return null;
  const pictures = fragments.slice(0, -1).reduce((sum, one) => sum + one.pictures, 0);
  const length = (last.begin - first.begin) / Math.max(1, timescale);
  return pictures === 0 || length <= 0 ? null : length / pictures;
}

function textAt(view: DataView, at: number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, (_, index) => view.getUint8(at + index)));
}
