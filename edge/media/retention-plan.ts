import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange } from '#edge/domain/recording.ts';
import type { FootageFile } from './footage-names.ts';
import type { FootageTable } from './footage-table.ts';

/*
 * What is to be deleted, as a pure function of what there is. First what is older than it has to be, then what a camera's quota, the
 * quota of all and the free-space floor demand; of what gives way the oldest continuous footage first, then clips that belong to no
 * incident, and protected footage only where it is more than its own quota and the disk would be full otherwise.
 */

/** `clip`: kept after what is continuous, and no longer than days and bytes allow; `kept`: exempt from both. */
export interface ProtectedRange extends FootageRange {
  readonly kind: 'clip' | 'kept';
}

export interface RetentionCamera {
  readonly camera: DeviceId;
  /** In the order of their starts. */
  readonly files: Pick<FootageTable, 'bytes' | 'at' | 'between' | 'find'>;
  /** Files written while our clock was behind, by their start: when they were really written, as far as anybody knows. */
  readonly writtenAt?: ReadonlyMap<number, number>;
  /** Days that must be kept; older footage goes. */
  readonly days: number;
  /** Bytes; null: none of its own. */
  readonly quota: number | null;
  /** As `arrangeRanges` makes them. */
  readonly ranges: readonly ProtectedRange[];
}

export interface RetentionLimits {
  /** Of all unprotected footage, bytes; null: only the free-space floor. */
  readonly quota: number | null;
  readonly protectedQuota: number;
  readonly freeSpaceFloor: number;
  /** Freed beyond what a limit demands, so that it is not met again with the next file, bytes. */
  readonly spare: number;
}

export interface RetentionMoment {
  /** What footage is as old against, ms since epoch; null: nothing goes for its age now. */
  readonly ageNow: number | null;
  /** null: not known, and then the floor asks for nothing. */
  readonly freeBytes: number | null;
}

export const deletionReasons = ['age', 'camera-quota', 'quota', 'free-space', 'protected-quota'] as const;
export type DeletionReason = (typeof deletionReasons)[number];

export interface Deletion {
  readonly camera: DeviceId;
  readonly file: FootageFile;
  readonly why: DeletionReason;
}

export interface RetentionPlan {
  readonly deletions: readonly Deletion[];
  /** Before any deletion. */
  readonly protectedBytes: number;
  /** Bytes that a limit still demands and that may not be deleted. */
  readonly short: number;
  /** There was more to delete than one run does. */
  readonly more: boolean;
}

const day = 86_400_000;
/** So that the days required are there whole when somebody counts them. */
export const ageSlack = 3_600_000;
/** Files of one run: unlinking goes on beside recording. */
export const mostDeletions = 10_000;

type Rank = 'continuous' | 'clip' | 'kept';

export function planRetention(
  cameras: readonly RetentionCamera[],
  limits: RetentionLimits,
  moment: RetentionMoment,
): RetentionPlan {
  const planning = new Planning(cameras);
  const { protectedBytes } = planning;
  planning.dropOld(moment.ageNow);
  let short = 0;
  for (const { camera, quota } of cameras) {
    if (quota === null) continue;
    const over = planning.unprotectedBytes(camera) - quota;
    short += planning.free(over, limits.spare, 'camera-quota', camera);
  }
  if (limits.quota !== null) {
    short += planning.free(planning.unprotectedBytes() - limits.quota, limits.spare, 'quota');
  }
  if (moment.freeBytes !== null) {
    const missing = limits.freeSpaceFloor - moment.freeBytes - planning.freed;
    const left = planning.free(missing, limits.spare, 'free-space');
    short += planning.freeProtected(Math.min(left, protectedBytes - limits.protectedQuota), left);
  }
  return { deletions: planning.deletions, protectedBytes, short: Math.max(0, short), more: planning.isFull };
}

class Planning {
  readonly deletions: Deletion[] = [];
  readonly protectedBytes: number;
  freed = 0;
  readonly #cameras: readonly RetentionCamera[];
  /** Starts that go, by camera. */
  readonly #gone = new Map<DeviceId, Set<number>>();
  readonly #unprotected = new Map<DeviceId, number>();

  constructor(cameras: readonly RetentionCamera[]) {
    this.#cameras = cameras;
    let protectedBytes = 0;
    for (const camera of cameras) {
      const kept = keptBytes(camera);
      protectedBytes += kept;
      this.#unprotected.set(camera.camera, camera.files.bytes - kept);
      this.#gone.set(camera.camera, new Set());
    }
    this.protectedBytes = protectedBytes;
  }

  get isFull(): boolean {
    return this.deletions.length >= mostDeletions;
  }

  unprotectedBytes(camera?: DeviceId): number {
    if (camera !== undefined) return this.#unprotected.get(camera) ?? 0;
    return [...this.#unprotected.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  dropOld(ageNow: number | null): void {
    if (ageNow === null) return;
    for (const camera of this.#cameras) {
      const limit = ageNow - camera.days * day - ageSlack;
      const drop = (file: FootageFile) => {
        if (rankOf(camera, file) !== 'kept' && !this.isFull) this.#drop(camera.camera, file, 'age');
      };
      for (let row = 0; !this.isFull; row++) {
        const file = camera.files.at(row);
        if (file === null || file.from >= limit) break;
        if (file.to < limit && camera.writtenAt?.has(file.from) !== true) drop(file);
      }
      for (const { file, time } of lateFiles(camera)) if (time < limit) drop(file);
    }
  }

  /** Frees `bytes` (and then a little more) of unprotected footage; answers how many could not be freed. */
  free(bytes: number, spare: number, why: DeletionReason, only?: DeviceId): number {
    if (bytes <= 0) return 0;
    const cameras = this.#cameras.filter(({ camera }) => only === undefined || camera === only);
    let left = bytes + spare;
    for (const rank of ['continuous', 'clip'] as const) left -= this.#take(cameras, rank, left, why);
    return this.isFull ? 0 : Math.max(0, left - spare);
  }

  /** What of protected footage is beyond its quota may go when nothing else is left; answers how many bytes are still missing. */
  freeProtected(beyond: number, missing: number): number {
    if (beyond <= 0 || missing <= 0) return Math.max(0, missing);
    return missing - this.#take(this.#cameras, 'kept', beyond, 'protected-quota', true);
  }

  /** The oldest of that rank over all these cameras, until there are so many bytes; `within`: rather fewer than more. */
  #take(cameras: readonly RetentionCamera[], rank: Rank, bytes: number, why: DeletionReason, within = false): number {
    const cursors = cameras.flatMap((camera) => [
      { camera: camera.camera, next: this.#candidates(camera, rank) },
      { camera: camera.camera, next: this.#lateCandidates(camera, rank) },
    ]);
    const heads = cursors.map(({ next }) => next.next().value ?? null);
    let taken = 0;
    while (taken < bytes && !this.isFull) {
      const oldest = indexOfOldest(heads);
      const file = heads[oldest]?.file;
      const cursor = cursors[oldest];
      if (file === undefined || cursor === undefined || (within && taken + file.bytes > bytes)) break;
      this.#drop(cursor.camera, file, why);
      taken += file.bytes;
      heads[oldest] = cursor.next.next().value ?? null;
    }
    return taken;
  }

  *#candidates(camera: RetentionCamera, rank: Rank): Generator<Aged, undefined> {
    for (let row = 0; ; row++) {
      const file = camera.files.at(row);
      if (file === null) return undefined;
      const isCandidate = this.#isLeft(camera, file, rank) && camera.writtenAt?.has(file.from) !== true;
      if (isCandidate) yield { file, time: file.from };
    }
  }

  *#lateCandidates(camera: RetentionCamera, rank: Rank): Generator<Aged, undefined> {
    for (const aged of lateFiles(camera)) if (this.#isLeft(camera, aged.file, rank)) yield aged;
    return undefined;
  }

  #isLeft(camera: RetentionCamera, file: FootageFile, rank: Rank): boolean {
    return rankOf(camera, file) === rank && this.#gone.get(camera.camera)?.has(file.from) !== true;
  }

  #drop(camera: DeviceId, file: FootageFile, why: DeletionReason): void {
    this.deletions.push({ camera, file, why });
    this.#gone.get(camera)?.add(file.from);
    this.freed += file.bytes;
    if (why === 'protected-quota') return;
    this.#unprotected.set(camera, (this.#unprotected.get(camera) ?? 0) - file.bytes);
  }
}

interface Aged {
  readonly file: FootageFile;
  /** What it is as old as. */
  readonly time: number;
}

/** Files whose names say an earlier time than they were written at, the oldest first. */
function lateFiles({ files, writtenAt = new Map() }: RetentionCamera): Aged[] {
  return [...writtenAt]
    .map(([from, time]) => ({ file: files.find(from), time }))
    .filter((aged): aged is Aged => aged.file !== null)
    .sort((a, b) => a.time - b.time);
}

function indexOfOldest(heads: readonly (Aged | null)[]): number {
  let oldest = -1;
  for (const [i, aged] of heads.entries()) {
    if (aged !== null && aged.time < (heads[oldest]?.time ?? Number.POSITIVE_INFINITY)) oldest = i;
  }
  return oldest;
}

function rankOf({ ranges }: RetentionCamera, file: FootageFile): Rank {
  const kind = kindAt(ranges, file.from, file.to);
  if (kind === 'kept') return 'kept';
  return kind === 'clip' || file.kind === 'event' ? 'clip' : 'continuous';
}

function keptBytes({ files, ranges }: RetentionCamera): number {
  let bytes = 0;
  let counted = Number.NEGATIVE_INFINITY;
  for (const { from, to, kind } of ranges) {
    if (kind !== 'kept') continue;
    for (const file of files.between(from, to)) {
      // Sorted, so a file that two ranges share comes again as one of the first.
      if (file.from <= counted) continue;
      bytes += file.bytes;
      counted = file.from;
    }
  }
  return bytes;
}

/** What the ranges say of [from, to); `kept` where any does. They are sorted by `from` and `arrangeRanges` has parted them. */
function kindAt(ranges: readonly ProtectedRange[], from: number, to: number): ProtectedRange['kind'] | null {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.to ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  let kind: ProtectedRange['kind'] | null = null;
  for (let i = low; i < ranges.length; i++) {
    const range = ranges[i];
    if (range === undefined || range.from >= to) return kind;
    if (range.kind === 'kept') return 'kept';
    kind = 'clip';
  }
  return kind;
}

/** Sorted and without overlaps, as `planRetention` wants them; where kinds overlap, `kept` wins. */
export function arrangeRanges(ranges: readonly ProtectedRange[]): ProtectedRange[] {
  const kept = merged(ranges.filter(({ kind }) => kind === 'kept'));
  const clips = merged(ranges.filter(({ kind }) => kind === 'clip')).flatMap((clip) => without(clip, kept));
  return [...kept, ...clips].sort((a, b) => a.from - b.from);
}

function merged(ranges: readonly ProtectedRange[]): ProtectedRange[] {
  const out: { from: number; to: number; kind: ProtectedRange['kind'] }[] = [];
  for (const range of ranges.filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else out.push({ ...range });
  }
  return out;
}

function without(clip: ProtectedRange, kept: readonly ProtectedRange[]): ProtectedRange[] {
  const parts: ProtectedRange[] = [];
  let { from } = clip;
  for (const range of kept) {
    if (range.to <= from) continue;
    if (range.from >= clip.to) break;
    if (range.from > from) parts.push({ ...clip, from, to: range.from });
    from = range.to;
  }
  if (from < clip.to) parts.push({ ...clip, from });
  return parts;
}
