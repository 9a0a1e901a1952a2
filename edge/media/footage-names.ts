import { type DeviceId, slugPattern } from '#edge/domain/ids.ts';

/*
 * Names of footage files: they are the index. `<startMs>-<endMs>-<bytes>.mp4`, with `-event` before the ending where it was kept
 * because something happened. The size is in the name because asking a hard disk for 700,000 sizes takes minutes, and reading the
 * names takes seconds; a name without it is good too and costs that question.
 */

/** Why a file was kept when it was written. */
export type FootageKind = 'continuous' | 'event';

/** One file of footage, as its name says. Times are ms since epoch, `to` exclusive. */
export interface FootageFile {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly kind: FootageKind;
}

const segmentPattern = /^(\d{1,15})-(\d{1,15})(?:-(\d{1,12}))?(-event)?\.mp4$/;
const partPattern = /^(\d{1,15})\.part$/;
const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

/** Where the rolling past of a camera lies that records events only. */
export const spoolFolder = 'spool';

/** No file of ours is longer (ms) or larger (bytes): a name that says so was not written by us. */
const longest = 3_600_000;
const largest = 2 ** 32 - 1;

export function segmentName({ from, to, bytes, kind }: FootageFile): string {
  return `${from}-${to}-${bytes}${kind === 'event' ? '-event' : ''}.mp4`;
}

/** A file that is being written, or was when its process died. */
export function partName(from: number): string {
  return `${from}.part`;
}

/** What a file's name says; `bytes` null: not said. null: it is none of ours. */
export function parseSegmentName(
  name: string,
): (Omit<FootageFile, 'bytes'> & { readonly bytes: number | null }) | null {
  const found = segmentPattern.exec(name);
  if (found === null) return null;
  const [from, to, size] = [Number(found[1]), Number(found[2]), found[3] === undefined ? null : Number(found[3])];
  if (to <= from || to - from > longest || (size ?? 0) > largest) return null;
  return { from, to, bytes: size, kind: found[4] === undefined ? 'continuous' : 'event' };
}

/** When an unfinished file begins; null: it is none of ours. */
export function parsePartName(name: string): number | null {
  const found = partPattern.exec(name);
  return found === null ? null : Number(found[1]);
}

/** The folder of a moment: its day in UTC, which no change of zone or summer time moves. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

export function isDay(name: string): boolean {
  return dayPattern.test(name);
}

/** Folders that could be a camera's; what else lies there is left alone. */
export function isCameraFolder(name: string): name is DeviceId {
  return slugPattern.test(name);
}
