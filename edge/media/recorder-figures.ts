import type { FootageRange } from '#edge/domain/recording.ts';
import type { CameraFootage } from './footage.ts';
import type { WantedTimes } from './recorder-wanted.ts';

/** What `RecordingHealth` says of a camera's footage; see domain/recording.ts. */
export interface FootageFigures {
  readonly oldest: number | null;
  readonly bytes: number;
  readonly bytesPerDay: number;
  readonly daysThere: number;
  readonly complete24h: number | null;
  readonly complete: number | null;
}

const day = 86_400_000;
/** Less footage than this says nothing about a day, ms. */
const enough = 600_000;
/** A hole of so much wanted time is the end of what was kept continuously, ms. */
const hole = day;

export function figuresOf(
  { files, open }: Pick<CameraFootage, 'files' | 'open'>,
  wanted: Pick<WantedTimes, 'continuous'>,
  days: number,
  now: number,
): FootageFigures {
  const isBreak = (from: number, to: number) => to - from > hole && lengthOf(wanted.continuous(from, to)) > hole;
  // What a clock that was ahead has named is of a time that nobody has seen yet.
  const oldest = files.unbrokenSince(isBreak, now + hole);
  const newest = Math.max(files.newest(now + hole)?.to ?? 0, open?.to ?? 0);
  const covered = (range: FootageRange) => files.covered(range.from, range.to) + shared(range, open);
  const complete = (from: number) => {
    const ranges = wanted.continuous(from, now);
    const should = lengthOf(ranges);
    if (should <= 0) return null;
    return Math.min(1, ranges.reduce((sum, range) => sum + covered(range), 0) / should);
  };
  return {
    oldest: oldest ?? open?.from ?? null,
    bytes: files.bytes + (open?.bytes ?? 0),
    bytesPerDay: bytesPerDay(files, now),
    daysThere: oldest === null ? 0 : rounded(Math.max(0, Math.min(now, newest) - oldest) / day),
    complete24h: complete(now - day),
    complete: complete(now - days * day),
  };
}

/** As many as fit into what each camera may use: its own quota, and its part of what all may use. null: not known. */
export function daysExpected(
  camera: { readonly bytesPerDay: number; readonly quota: number | null; readonly days: number },
  all: { readonly bytesPerDay: number; readonly room: number | null },
): number | null {
  if (camera.bytesPerDay <= 0) return null;
  const own = camera.quota === null ? Number.POSITIVE_INFINITY : camera.quota / camera.bytesPerDay;
  const shared =
    all.room === null ? Number.POSITIVE_INFINITY : all.room / Math.max(all.bytesPerDay, camera.bytesPerDay);
  return rounded(Math.max(0, Math.min(own, shared, camera.days)));
}

/** Of the last day; of a week where little is recorded (only when something happens). */
function bytesPerDay(files: CameraFootage['files'], now: number): number {
  const covered = files.covered(now - day, now);
  const first = files.at(0)?.from ?? now;
  if (covered >= day / 2) return Math.round((files.bytesBetween(now - day, now) / covered) * day);
  const span = Math.min(7 * day, now - first);
  if (span >= day) return Math.round(files.bytesBetween(now - span, now) / (span / day));
  return covered < enough ? 0 : Math.round((files.bytesBetween(now - day, now) / covered) * day);
}

function lengthOf(ranges: readonly FootageRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

function shared(range: FootageRange, open: FootageRange | null): number {
  if (open === null) return 0;
  return Math.max(0, Math.min(range.to, open.to) - Math.max(range.from, open.from));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
