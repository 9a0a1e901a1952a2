import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import type { Footage, FootagePath } from './footage.ts';
import { type FootageContent, type FragmentPlace, readFootage } from './footage-file.ts';
import { type FootageFfmpeg, maskedCodec, maskFilter, runFfmpeg } from './picture-ffmpeg.ts';
import { placedAt } from './recorder-rebase.ts';

/** One file that was taken out: cut at key frames, so it shows a little more than was asked for. */
export interface ExportedFile {
  readonly camera: DeviceId;
  /** Below the folder. */
  readonly file: string;
  /** What it really shows, ms since epoch. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  /** Where there is no footage: the picture before it stands still for so long. */
  readonly gaps: readonly FootageRange[];
  readonly isMasked: boolean;
}

export interface ExportWish {
  readonly camera: DeviceId;
  readonly from: number;
  readonly to: number;
  /** For the file's own metadata. */
  readonly name: string;
  /** Covered; empty: nothing is recoded. */
  readonly masks: readonly PictureMask[];
}

export interface ExportTools {
  readonly footage: Footage;
  readonly ffmpeg: FootageFfmpeg;
  /** Where files are put; there already. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Bytes of footage that were read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

/** Between two files that belong together, ms: see `footage-table.ts`. */
const seam = 1_500;
/** An hour of masked video takes a good part of an hour. */
const longest = 4 * 3_600_000;

/** A piece that one mp4 can hold: files with the same init. */
interface Stretch {
  readonly content: FootageContent;
  readonly parts: readonly Part[];
}

interface Part {
  readonly file: FootagePath;
  readonly fragments: readonly FragmentPlace[];
  /** Of the first fragment, ms since epoch; and how much its clock is stretched. */
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Takes [from, to) of one camera out: one mp4, or more where size or codec changed in between. Throws what ffmpeg and the disk say. */
export async function writeExport(wish: ExportWish, tools: ExportTools): Promise<ExportedFile[]> {
  const stretches = await findStretches(wish, tools.footage);
  const files: ExportedFile[] = [];
  for (const [i, stretch] of stretches.entries()) {
    const file = `${wish.camera}${stretches.length === 1 ? '' : `-${i + 1}`}.mp4`;
    files.push(await writeStretch(stretch, file, wish, tools));
  }
  return files;
}

async function findStretches({ camera, from, to }: ExportWish, footage: Footage): Promise<Stretch[]> {
  const stretches: { content: FootageContent; parts: Part[] }[] = [];
  for (const segment of footage.segments(camera, from, to)) {
    const file = footage.find(camera, segment.from);
    const content = await readFootage(file.path);
    const part = cutPart(file, content, from, to);
    if (part === null) continue;
    const last = stretches.at(-1);
    if (last?.content.init.equals(content.init) === true) last.parts.push(part);
    else stretches.push({ content, parts: [part] });
  }
  return stretches;
}

/** What of a file lies within: from the key frame at or before `from`. null: nothing. */
function cutPart(file: FootagePath, { fragments }: FootageContent, from: number, to: number): Part | null {
  const [first] = fragments;
  const last = fragments.at(-1);
  if (first === undefined || last === undefined) return null;
  const length = last.time + last.duration - first.time;
  const scale = length > 0 && !file.isOpen ? (file.to - file.from) / length : 1;
  const wall = (time: number) => file.from + (time - first.time) * scale;
  const begin = Math.max(
    0,
    fragments.findLastIndex(({ isKey, time }) => isKey && wall(time) <= from),
  );
  const wanted = fragments.slice(begin).filter(({ time }) => wall(time) < to);
  const [head] = wanted;
  const tail = wanted.at(-1);
  if (head === undefined || tail === undefined) return null;
  const end = wall(tail.time + tail.duration);
  return { file, fragments: wanted, from: Math.round(wall(head.time)), to: Math.round(end), scale };
}

async function writeStretch(
  { content, parts }: Stretch,
  name: string,
  { camera, name: title, masks }: ExportWish,
  { ffmpeg, folder, signal, onProgress }: ExportTools,
): Promise<ExportedFile> {
  const path = join(folder, name);
  const from = parts[0]?.from ?? 0;
  const to = Math.max(...parts.map((part) => part.to));
  const iso = (time: number) => new Date(time).toISOString();
  const codec = masks.length > 0 ? ['-vf', maskFilter(masks), ...maskedCodec] : ['-c:v', 'copy'];
  const tag = masks.length === 0 && /^h[ev][cv]1/.test(content.track.codec) ? ['-tag:v', 'hvc1'] : [];
  const about = [
    ...['-metadata', `title=${title}`],
    ...['-metadata', `creation_time=${iso(from)}`],
    ...['-metadata', `comment=${camera} ${iso(from)} - ${iso(to)}${masks.length > 0 ? ', masked' : ''}`],
  ];
  const args = ['-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', ...codec, ...tag, ...about];
  await runFfmpeg({
    ffmpeg,
    args: [...args, '-movflags', '+faststart', '-f', 'mp4', '-y', path],
    input: readStretch(content, parts, from, onProgress),
    mostOutput: 1_000_000,
    timeout: longest,
    signal,
  });
  await using handle = await open(path, 'r');
  const { size: bytes } = await handle.stat();
  return { camera, file: name, from, to, bytes, gaps: gapsOf(parts), isMasked: masks.length > 0 };
}

/** The pieces as one stream whose times count from its beginning on our clock: a gap stays as long as it was. */
async function* readStretch(
  { init, track }: FootageContent,
  parts: readonly Part[],
  start: number,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  yield init;
  let end = 0;
  for (const { file, fragments, from, scale } of parts) {
    await using handle = await open(file.path, 'r');
    const [first] = fragments;
    const base = Math.max(end, from - start);
    for (const { offset, size, time, duration } of fragments) {
      const { buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, offset);
      const at = base + (time - (first?.time ?? 0)) * scale;
      yield* placedAt(buffer, Math.round((at * track.timescale) / 1000));
      end = at + duration * scale;
      onProgress(size);
    }
  }
}

function gapsOf(parts: readonly Part[]): FootageRange[] {
  return parts.flatMap(({ from }, i) => {
    const before = parts[i - 1]?.to ?? from;
    return from - before > seam ? [{ from: before, to: from }] : [];
  });
}
