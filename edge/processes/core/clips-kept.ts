import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Case } from '#edge/domain/case.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Clip, FootageRange } from '#edge/domain/recording.ts';
import { mergeRanges } from '#edge/media/clips.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Reader } from '#edge/store/reader.ts';

export interface KeptRange extends FootageRange {
  readonly camera: DeviceId;
  /** `clip`: kept after what is continuous, and no longer than days and bytes allow; `kept`: exempt from both. */
  readonly kind: 'clip' | 'kept';
}

export interface KeptFootageOptions {
  readonly reader: Pick<Reader, 'incidents' | 'clips' | 'cases'>;
  /** Footage of an incident is kept so long after it was resolved, ms. */
  readonly keepFootage: number;
  readonly isCamera: (device: DeviceId) => boolean;
  /** How much before and after what happened, ms. */
  readonly rolls: (camera: DeviceId) => { readonly preRoll: number; readonly postRoll: number };
  readonly log: Log;
}

interface Kept {
  readonly ranges: readonly KeptRange[];
  /** ms since epoch; null: until something changes. */
  readonly until: number | null;
}

/** Reasons to keep footage, each with its ranges; beyond it the oldest are forgotten, and that is counted. */
const mostReasons = 50_000;
/** Read at a time, so that core's loop is not held up. */
const pageSize = 200;
/** What was resolved long ago may have been opened longer ago still, ms. */
const longestOpen = 60 * 86_400_000;
/** Outcomes after which nobody will ask for the pictures. */
const needless: ReadonlySet<string | null> = new Set(['false-alarm', 'test']);

/**
 * Which footage must not be deleted, and why: clips that people or the one-key alarm keep, incidents until some time after they were
 * resolved, cases until they are let go. In memory, because media asks each minute.
 */
export class KeptFootage {
  readonly #options: KeptFootageOptions;
  readonly #kept = new Map<string, Kept>();
  #loaded: Promise<void> | null = null;
  dropped = 0;

  constructor(options: KeptFootageOptions) {
    this.#options = options;
  }

  clip(clip: Clip): void {
    const { id, camera, from, to, isProtected, state } = clip;
    const kind = isProtected ? 'kept' : 'clip';
    this.#put(`clip ${id}`, state === 'missing' ? null : { ranges: [{ camera, from, to, kind }], until: null });
  }

  incident(incident: Incident): void {
    const { id, devices, from, to, state, outcome, course } = incident;
    const resolved = course.findLast(({ what }) => what === 'resolved' || what === 'merged')?.time ?? to;
    const until = state === 'resolved' ? resolved + this.#options.keepFootage : null;
    const { isCamera, rolls } = this.#options;
    const isKept = state !== 'resolved' || (incident.mergedInto === undefined && !needless.has(outcome));
    const ranges = devices.filter(isCamera).map((camera): KeptRange => {
      const { preRoll, postRoll } = rolls(camera);
      return { camera, from: from - preRoll, to: to + postRoll, kind: 'kept' };
    });
    this.#put(`incident ${id}`, isKept && ranges.length > 0 ? { ranges, until } : null);
  }

  case({ id, cameras, from, to, state }: Case): void {
    const isKept = state === 'ready' || state === 'building';
    const ranges = cameras.map((camera): KeptRange => ({ camera, from, to, kind: 'kept' }));
    this.#put(`case ${id}`, isKept ? { ranges, until: null } : null);
  }

  /** Everything that is kept now, merged by camera. Waits until what was stored is read. Throws what the reader throws. */
  async ranges(now: number): Promise<readonly KeptRange[]> {
    // What could not be read must not count as nothing: whoever asks asks again.
    this.#loaded ??= this.#load(now);
    try {
      await this.#loaded;
    } catch (error) {
      this.#loaded = null;
      throw error;
    }
    for (const [key, { until }] of this.#kept) if (until !== null && until <= now) this.#kept.delete(key);
    const all = [...this.#kept.values()].flatMap(({ ranges }) => ranges);
    const byCamera = Map.groupBy(all, ({ camera, kind }) => `${camera} ${kind}`);
    return [...byCamera.values()].flatMap((of) => {
      const [first] = of;
      if (first === undefined) return [];
      return mergeRanges(of).map((range) => ({ camera: first.camera, ...range, kind: first.kind }));
    });
  }

  #put(key: string, kept: Kept | null): void {
    this.#kept.delete(key);
    if (kept === null) return;
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size <= mostReasons || oldest === undefined) return;
    this.#kept.delete(oldest);
    if (this.dropped++ === 0)
      this.#options.log.warn({ mostReasons }, 'more footage is kept than fits: the oldest is not');
  }

  /** Oldest last, in turns. What changed meanwhile is newer and stays. */
  async #load(now: number): Promise<void> {
    const { reader, keepFootage } = this.#options;
    const known = new Set(this.#kept.keys());
    const take = (key: string, put: () => void) => {
      if (!known.has(key)) put();
    };
    const from = now - keepFootage - longestOpen;
    await inPages(
      (after) => reader.incidents({ from, limit: pageSize, ...after }),
      (one) => take(`incident ${one.id}`, () => this.incident(one)),
    );
    for (const isProtected of [true, false]) {
      await inPages(
        (after) => reader.clips({ isProtected, from: isProtected ? 0 : from, limit: pageSize, ...after }),
        (one) => take(`clip ${one.id}`, () => this.clip(one)),
      );
    }
    await inPages(
      (after) => reader.cases({ states: ['ready', 'building'], limit: pageSize, ...after }),
      (one) => take(`case ${one.id}`, () => this.case(one)),
    );
  }
}

async function inPages<T extends { readonly id: string }>(
  read: (cursor: { readonly after?: string }) => readonly T[],
  take: (one: T) => void,
): Promise<void> {
  for (let cursor: { readonly after?: string } = {}; ; await nextTurn()) {
    const page = readOrNone(read, cursor);
    for (const one of page) take(one);
    const last = page.at(-1);
    if (page.length < pageSize || last === undefined) return;
    cursor = { after: last.id };
  }
}

/** A campus that has no database yet has nothing to keep. */
function readOrNone<T>(
  read: (cursor: { readonly after?: string }) => readonly T[],
  cursor: { readonly after?: string },
) {
  try {
    return read(cursor);
  } catch (error) {
    if (codeOf(error) === 'STORE_NOT_READY') return [];
    throw error;
  }
}
