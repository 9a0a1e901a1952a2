import { type Box, BoxContent, boxesIn, boxOnWay, invalidMp4 } from './mp4-boxes.ts';

/** What an init segment (ftyp + moov) says about its picture track. */
export interface Mp4Track {
  readonly id: number;
  /** As RFC 6381 and browsers spell it: `avc1.64001f`, `hvc1.1.6.L93.B0`. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Units a second of the times in its fragments. */
  readonly timescale: number;
  /** Flags of a sample whose fragment says nothing about them. */
  readonly defaultFlags: number;
  readonly defaultDuration: number;
}

/** Fields of every visual sample entry (ISO/IEC 14496-12, 12.1.3) before the boxes in it. */
const visualEntryHeader = 78;

/** The picture track of an init segment. Throws `MP4_INVALID` where there is none of a known codec. */
export function readInit(bytes: Buffer): Mp4Track {
  const moov = boxesIn(bytes).find((box) => box.type === 'moov');
  if (moov === undefined) throw invalidMp4('there is no moov box', 0);
  const trak = boxesIn(bytes, moov.body, moov.end).find((box) => box.type === 'trak' && isVideo(bytes, box));
  if (trak === undefined) throw invalidMp4('there is no picture track', moov.start);
  const id = trackId(bytes, trak);
  const defaults = defaultsOf(bytes, moov, id);
  return { id, timescale: timescaleOf(bytes, trak), ...sampleEntry(bytes, trak), ...defaults };
}

function isVideo(bytes: Buffer, trak: Box): boolean {
  const handler = boxOnWay(bytes, trak, ['mdia', 'hdlr']);
  return handler !== null && new BoxContent(bytes, handler).skip(8).u32() === 0x76_69_64_65; // 'vide'
}

function trackId(bytes: Buffer, trak: Box): number {
  const content = new BoxContent(bytes, needed(bytes, trak, ['tkhd']));
  return content.full().version === 1 ? content.skip(16).u32() : content.skip(8).u32();
}

function timescaleOf(bytes: Buffer, trak: Box): number {
  const box = needed(bytes, trak, ['mdia', 'mdhd']);
  const content = new BoxContent(bytes, box);
  const timescale = content.full().version === 1 ? content.skip(16).u32() : content.skip(8).u32();
  if (timescale === 0) throw invalidMp4('the timescale is 0', box.start);
  return timescale;
}

function defaultsOf(bytes: Buffer, moov: Box, id: number): Pick<Mp4Track, 'defaultFlags' | 'defaultDuration'> {
  const mvex = boxOnWay(bytes, moov, ['mvex']);
  for (const box of mvex === null ? [] : boxesIn(bytes, mvex.body, mvex.end)) {
    if (box.type !== 'trex') continue;
    const content = new BoxContent(bytes, box).skip(4);
    if (content.u32() !== id) continue;
    const defaultDuration = content.skip(4).u32();
    return { defaultDuration, defaultFlags: content.skip(4).u32() };
  }
  return { defaultFlags: 0, defaultDuration: 0 };
}

function sampleEntry(bytes: Buffer, trak: Box): Pick<Mp4Track, 'codec' | 'width' | 'height'> {
  const stsd = needed(bytes, trak, ['mdia', 'minf', 'stbl', 'stsd']);
  const [entry] = boxesIn(bytes, stsd.body + 8, stsd.end);
  if (entry === undefined) throw invalidMp4('the track has no sample entry', stsd.start);
  const content = new BoxContent(bytes, entry).skip(24);
  const width = content.u16();
  const height = content.u16();
  const inner = boxesIn(bytes, entry.body + visualEntryHeader, entry.end);
  const avcC = inner.find((box) => box.type === 'avcC');
  if (avcC !== undefined && /^avc[13]$/.test(entry.type)) {
    return { codec: `${entry.type}.${avcProfile(bytes, avcC)}`, width, height };
  }
  const hvcC = inner.find((box) => box.type === 'hvcC');
  if (hvcC !== undefined && /^h[ev][cv]1$/.test(entry.type)) {
    return { codec: `${entry.type}.${hevcProfile(bytes, hvcC)}`, width, height };
  }
  throw invalidMp4(`video of the kind ${entry.type} is neither H.264 nor H.265`, entry.start);
}

function avcProfile(bytes: Buffer, avcC: Box): string {
  const content = new BoxContent(bytes, avcC).skip(1);
  return [content.u8(), content.u8(), content.u8()].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** ISO/IEC 14496-15 annex E: profile space and id, compatibility flags with their bits turned, tier and level, constraint bytes. */
function hevcProfile(bytes: Buffer, hvcC: Box): string {
  const content = new BoxContent(bytes, hvcC).skip(1);
  const first = content.u8();
  const compatibility = content.u32();
  const constraints = Array.from({ length: 6 }, () => content.u8());
  const level = content.u8();
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `${['', 'A', 'B', 'C'][first >> 6]}${first & 0x1f}`,
    turned(compatibility).toString(16).toUpperCase(),
    `${(first & 0x20) === 0 ? 'L' : 'H'}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

function turned(word: number): number {
  let out = 0;
  for (let bit = 0; bit < 32; bit++) out = ((out << 1) | ((word >>> bit) & 1)) >>> 0;
  return out;
}

function needed(bytes: Buffer, within: Box, way: readonly string[]): Box {
  const box = boxOnWay(bytes, within, way);
  if (box === null) throw invalidMp4(`there is no box ${way.join('/')}`, within.start);
  return box;
}
