import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Case } from '#edge/domain/case.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Clip, FootageRange } from '#edge/domain/recording.ts';
import { mergeRanges } from '#edge/media/clips.ts';
import { CodedError } from '#edge/runtime/errors.ts';
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

/** Some of what is kept. `next` asks for what follows; null: that is all. */
export interface KeptPage {
  readonly ranges: readonly KeptRange[];
  readonly next: KeptPlace | null;
}

/** Of one answer, so that its pages fit each other. */
export interface KeptPlace {
  readonly edition: number;
  readonly from: number;
}

interface Kept {
  readonly ranges: readonly KeptRange[];
  /** ms since epoch; null: until something changes. */
  readonly until: number | null;
}

/** Reasons to keep footage, by what they are worth; beyond it the oldest are forgotten, and that is counted. */
const mostReasons = { kept: 200_000, clip: 50_000 };
/** Read at a time, so that core's loop is not held up. */
const pageSize = 200;
/** Looked at before somebody else has a turn. */
const turnSize = 5_000;
/** Ranges of one answer: a line of the RPC has 1 MB. */
export const mostRanges = 5_000;
/** What was resolved long ago may have been opened longer ago still, ms. */
const longestOpen = 60 * 86_400_000;
/** A clock that is put back by more than this has told us nonsense before, ms. */
const stepBack = 60_000;
/** What is over is remembered a while, should the clock have been wrong, ms. */
const memory = 7 * 86_400_000;
/** Outcomes after which nobody will ask for the pictures. */
const needless: ReadonlySet<string | null> = new Set(['false-alarm', 'test']);

/**
 * Which footage must not be deleted, and why: clips that people or the one-key alarm keep, incidents until some time after they were
 * resolved, cases until they are let go. In memory, because media asks each minute.
 */
export class KeptFootage {
  readonly #options: KeptFootageOptions;
  /** The oldest first. */
  readonly #reasons = { kept: new Map<string, Kept>(), clip: new Map<string, Kept>() };
  /** Changed since the start: what is on disk may be older. */
  readonly #touched = new Set<string>();
  #loaded: Promise<void> | null = null;
  #latest = Number.NEGATIVE_INFINITY;
  #answer: { readonly edition: number; readonly ranges: readonly KeptRange[] } = { edition: 0, ranges: [] };
  dropped = 0;

  constructor(options: KeptFootageOptions) {
    this.#options = options;
  }

  clip(clip: Clip): void {
    this.#change(`clip ${clip.id}`, this.#ofClip(clip));
  }

  incident(incident: Incident): void {
    this.#change(`incident ${incident.id}`, this.#ofIncident(incident));
  }

  case(one: Case): void {
    this.#change(`case ${one.id}`, ofCase(one));
  }

  /**
   * Everything that is kept, merged by camera. Waits until what was stored is read. `now`: how late it surely is, ms. A clock that ran ahead
   * must not have ended anything. Throws what the reader throws.
   */
  async ranges(now: number): Promise<readonly KeptRange[]> {
    // What was passed over while the clock was ahead counts again.
    if (now < this.#latest - stepBack) this.#loaded = null;
    this.#latest = now;
    // What could not be read must not count as nothing: whoever asks asks again.
    this.#loaded ??= this.#load(now);
    try {
      await this.#loaded;
    } catch (error) {
      this.#loaded = null;
      throw error;
    }
    return [...(await this.#merged('kept', now)), ...(await this.#merged('clip', now))];
  }

  /** The same in pages. Throws KEPT_CHANGED when somebody else has asked anew meanwhile. */
  async page(now: number, place: KeptPlace | null): Promise<KeptPage> {
    if (place === null) this.#answer = { edition: this.#answer.edition + 1, ranges: await this.ranges(now) };
    const { edition, ranges } = this.#answer;
    if (place !== null && place.edition !== edition)
      throw new CodedError('KEPT_CHANGED', 'what is kept was asked for anew: begin again');
    const from = place?.from ?? 0;
    const end = from + mostRanges;
    return { ranges: ranges.slice(from, end), next: end < ranges.length ? { edition, from: end } : null };
  }

  async #merged(kind: KeptRange['kind'], now: number): Promise<KeptRange[]> {
    const byCamera = new Map<DeviceId, FootageRange[]>();
    let looked = 0;
    for (const [key, { ranges, until }] of this.#reasons[kind]) {
      if (++looked % turnSize === 0) await nextTurn();
      if (until !== null && until <= now - memory) {
        this.#reasons[kind].delete(key);
        this.#touched.delete(key);
      }
      if (until !== null && until <= now) continue;
      for (const { camera, from, to } of ranges) {
        const of = byCamera.get(camera) ?? [];
        byCamera.set(camera, of);
        of.push({ from, to });
      }
    }
    return [...byCamera].flatMap(([camera, of]) => mergeRanges(of).map((range) => ({ camera, ...range, kind })));
  }

  #ofClip({ camera, from, to, isProtected, state }: Clip): Kept | null {
    const kind = isProtected ? 'kept' : 'clip';
    // Footage that cannot be found now may be on a disk that comes back: what somebody was promised stays promised.
    return state === 'missing' && !isProtected ? null : { ranges: [{ camera, from, to, kind }], until: null };
  }

  #ofIncident({ devices, from, to, state, outcome, course, mergedInto }: Incident): Kept | null {
    const resolved = course.findLast(({ what }) => what === 'resolved' || what === 'merged')?.time ?? to;
    const until = state === 'resolved' ? resolved + this.#options.keepFootage : null;
    const { isCamera, rolls } = this.#options;
    const isKept = state !== 'resolved' || (mergedInto === undefined && !needless.has(outcome));
    const ranges = devices.filter(isCamera).map((camera): KeptRange => {
      const { preRoll, postRoll } = rolls(camera);
      return { camera, from: from - preRoll, to: to + postRoll, kind: 'kept' };
    });
    return isKept && ranges.length > 0 ? { ranges, until } : null;
  }

  #change(key: string, kept: Kept | null): void {
    this.#touched.delete(key);
    this.#touched.add(key);
    const [oldest] = this.#touched;
    if (this.#touched.size > mostReasons.kept && oldest !== undefined) this.#touched.delete(oldest);
    this.#reasons.kept.delete(key);
    this.#reasons.clip.delete(key);
    const [first] = kept?.ranges ?? [];
    if (kept === null || first === undefined) return;
    this.#reasons[first.kind].set(key, kept);
    this.#limit(first.kind);
  }

  #limit(kind: KeptRange['kind']): void {
    for (const key of this.#reasons[kind].keys()) {
      if (this.#reasons[kind].size <= mostReasons[kind]) return;
      this.#reasons[kind].delete(key);
      if (this.dropped++ === 0)
        this.#options.log.warn({ mostReasons }, 'more footage is kept than fits: the oldest is not');
    }
  }

  /** Newest first, in turns. What changed meanwhile is newer and stays. */
  async #load(now: number): Promise<void> {
    const { reader, keepFootage } = this.#options;
    const found = { kept: new Map<string, Kept>(), clip: new Map<string, Kept>() };
    const take = (key: string, kept: Kept | null) => {
      const [first] = kept?.ranges ?? [];
      if (kept !== null && first !== undefined && !this.#touched.has(key)) found[first.kind].set(key, kept);
    };
    const from = now - keepFootage - longestOpen;
    const takeIncident = (one: Incident) => take(`incident ${one.id}`, this.#ofIncident(one));
    await inPages((after) => reader.incidents({ from, limit: pageSize, ...after }), takeIncident);
    // However long ago they began.
    const states = ['new', 'claimed', 'escalated'] as const;
    await inPages((after) => reader.incidents({ states, limit: pageSize, ...after }), takeIncident);
    for (const isProtected of [true, false]) {
      await inPages(
        (after) => reader.clips({ isProtected, from: isProtected ? 0 : from, limit: pageSize, ...after }),
        (one) => take(`clip ${one.id}`, this.#ofClip(one)),
      );
    }
    await inPages(
      (after) => reader.cases({ states: ['ready', 'building'], limit: pageSize, ...after }),
      (one) => take(`case ${one.id}`, ofCase(one)),
    );
    for (const kind of ['kept', 'clip'] as const) this.#adopt(kind, found[kind]);
  }

  /** In the order of time: what is oldest is forgotten first. */
  #adopt(kind: KeptRange['kind'], found: ReadonlyMap<string, Kept>): void {
    const reasons = this.#reasons[kind];
    const age = ({ ranges }: Kept) => ranges[0]?.from ?? 0;
    const all = [...new Map([...found, ...reasons])].sort(([, a], [, b]) => age(a) - age(b));
    reasons.clear();
    for (const [key, kept] of all) reasons.set(key, kept);
    this.#limit(kind);
  }
}

function ofCase({ cameras, from, to, state }: Case): Kept | null {
  const isKept = state === 'ready' || state === 'building';
  return isKept ? { ranges: cameras.map((camera) => ({ camera, from, to, kind: 'kept' })), until: null } : null;
}

async function inPages<T extends { readonly id: string }>(
  read: (cursor: { readonly after?: string }) => readonly T[],
  take: (one: T) => void,
): Promise<void> {
  for (let cursor: { readonly after?: string } = {}; ; await nextTurn()) {
    const page = read(cursor);
    for (const one of page) take(one);
    const last = page.at(-1);
    if (page.length < pageSize || last === undefined) return;
    cursor = { after: last.id };
  }
}
