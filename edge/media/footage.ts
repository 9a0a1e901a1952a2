import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange, FootageSegment } from '#edge/domain/recording.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { dayOf, type FootageFile, partName, segmentName, spoolFolder } from './footage-names.ts';
import { FootageTable } from './footage-table.ts';

/*
 * All footage of this campus: the files are the truth, their names are the index, which is in memory only. Layout:
 * <folder>/<camera>/<yyyy-mm-dd UTC>/<startMs>-<endMs>-<bytes>.mp4, what is being written <startMs>.part, and below <camera>/spool/
 * the rolling past of cameras that record events only.
 */

/** What is being written now: it plays up to where it has got. */
export interface OpenFootage extends FootageRange {
  readonly path: string;
  readonly bytes: number;
}

/** One file to look at. */
export interface FootagePath extends FootageRange {
  readonly path: string;
  readonly bytes: number;
  /** It still grows: what was there when it was asked for may be sent, and nothing of it kept. */
  readonly isOpen: boolean;
}

/** Footage of one camera. */
export class CameraFootage {
  readonly camera: DeviceId;
  readonly folder: string;
  readonly files = new FootageTable();
  /** In the order of writing, which no clock can turn round. */
  spool: readonly FootageFile[] = [];
  open: OpenFootage | null = null;

  constructor(root: string, camera: DeviceId) {
    this.camera = camera;
    this.folder = join(root, camera);
  }

  /** Where a finished file lies. */
  pathOf(file: FootageFile): string {
    return join(this.folder, dayOf(file.from), segmentName(file));
  }

  spoolPathOf(file: FootageFile): string {
    return join(this.folder, spoolFolder, segmentName(file));
  }

  partPathOf(from: number, isSpool: boolean): string {
    return join(this.folder, isSpool ? spoolFolder : dayOf(from), partName(from));
  }

  /** A start that neither a finished file, nor the spool, nor the open one has: nothing is ever written over. */
  freeStart(from: number): number {
    let free = this.files.freeStart(Math.max(0, Math.round(from)));
    while (this.files.has(free) || this.open?.from === free || this.spool.some((file) => file.from === free)) free++;
    return free;
  }
}

const notThere: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ERR_FS_EISDIR']);

/** Most segments of one answer. */
export const mostSegments = 5_000;

export class Footage {
  readonly folder: string;
  readonly #cameras = new Map<DeviceId, CameraFootage>();

  /** `openFootage` reads what is there. */
  constructor(folder: string) {
    this.folder = folder;
  }

  get cameras(): readonly CameraFootage[] {
    return [...this.#cameras.values()];
  }

  get bytes(): number {
    return this.cameras.reduce((sum, { files }) => sum + files.bytes, 0);
  }

  /** Made when it is new. */
  of(camera: DeviceId): CameraFootage {
    const known = this.#cameras.get(camera);
    if (known !== undefined) return known;
    const fresh = new CameraFootage(this.folder, camera);
    this.#cameras.set(camera, fresh);
    return fresh;
  }

  /** What there is of [from, to) of one camera, without the seams between files. */
  ranges(camera: DeviceId, from: number, to: number): readonly FootageRange[] {
    const known = this.#cameras.get(camera);
    if (known === undefined) return [];
    const ranges = known.files.ranges(from, to);
    const { open } = known;
    if (open === null || open.from >= to || open.to <= from) return ranges;
    const last = ranges.at(-1);
    const follows = last !== undefined && Math.abs(open.from - last.to) < 1_500;
    if (!follows) return [...ranges, { from: open.from, to: open.to }];
    return [...ranges.slice(0, -1), { from: last.from, to: Math.max(last.to, open.to) }];
  }

  /** Files that have something of [from, to), the oldest first, and what is being written. */
  segments(
    camera: DeviceId,
    from: number,
    to: number,
    isProtected: (camera: DeviceId, range: FootageRange) => boolean = () => false,
  ): readonly FootageSegment[] {
    const known = this.#cameras.get(camera);
    if (known === undefined) return [];
    const segments: FootageSegment[] = [];
    const put = (file: FootageRange & { readonly bytes: number }) =>
      segments.push({
        id: String(file.from),
        from: file.from,
        to: file.to,
        bytes: file.bytes,
        isProtected: isProtected(camera, file),
      });
    for (const file of known.files.between(from, to)) {
      if (segments.length === mostSegments) return segments;
      put(file);
    }
    if (known.open !== null && known.open.from < to && known.open.to > from) put(known.open);
    return segments;
  }

  /** The file that began then. Throws FOOTAGE_NOT_FOUND. */
  find(camera: DeviceId, from: number): FootagePath {
    const known = this.#cameras.get(camera);
    const file = known?.files.find(from) ?? null;
    if (known !== undefined && file !== null) {
      return { path: known.pathOf(file), from: file.from, to: file.to, bytes: file.bytes, isOpen: false };
    }
    if (known?.open?.from === from) return { ...known.open, isOpen: true };
    throw new CodedError('FOOTAGE_NOT_FOUND', `there is no footage of "${camera}" that begins at ${from}`);
  }

  /** The file that shows a moment; null: there is a gap. */
  at(camera: DeviceId, time: number): FootagePath | null {
    const known = this.#cameras.get(camera);
    if (known === undefined) return null;
    const { open } = known;
    if (open !== null && open.from <= time && time < open.to) return { ...open, isOpen: true };
    const file = [...known.files.between(time, time + 1)].at(-1);
    return file === undefined ? null : { ...file, path: known.pathOf(file), isOpen: false };
  }

  /** Somebody else took the file away: it is not spoken of any more. */
  forget(camera: DeviceId, from: number): void {
    this.#cameras.get(camera)?.files.remove(from);
  }

  /** Deletes one file. False: it was gone already. Throws what the disk throws, and then the file is still here. */
  async remove(camera: DeviceId, file: FootageFile): Promise<boolean> {
    const known = this.of(camera);
    try {
      await rm(known.pathOf(file));
    } catch (error) {
      // A folder that calls itself footage is none, and is nobody's to remove.
      if (!notThere.has(codeOf(error))) throw error;
      known.files.remove(file.from);
      return false;
    }
    known.files.remove(file.from);
    return true;
  }
}
