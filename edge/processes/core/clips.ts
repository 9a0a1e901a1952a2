import type { AuditLine } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId } from '#edge/domain/ids.ts';
import type { Clip, FootageRange, RecordingMode } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RecordingPlan } from '#edge/runtime/site-cameras.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { AskFootage } from './clips-media.ts';
import type { IncidentPerson } from './incident-desk.ts';

export interface ClipDeskOptions {
  readonly isCamera: (device: DeviceId) => boolean;
  readonly planOf: (camera: DeviceId) => RecordingPlan;
  readonly during: (label: string, time: number) => boolean;
  readonly reader: Pick<Reader, 'clips' | 'clip'>;
  readonly ask: AskFootage;
  readonly commit: (batch: Batch) => Promise<void>;
  /** A clip is as it now is. */
  readonly onChange: (clip: Clip) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A clip that grows with every leaf that moves is cut here, ms. */
const longest = 600_000;
/** A person may mark as much, ms. */
const longestMark = 4 * 3_600_000;
/** Of the one-key alarm: before and after it was pressed, ms. */
const emergencyRoll = { before: 60_000, after: 300_000 };
/** Footage is written some time after it was seen: its file is cut after 30 s, and then at the next key frame. */
const settleAfter = 45_000;
/** What is not there by then will not come. */
const givenUpAfter = 600_000;
/** Media was not there to ask for so long: it is not waited for any more. */
const forgottenAfter = 7 * 86_400_000;
/** A clip whose footage lacks no more than this is whole, ms: files are cut at key frames. */
const tolerance = 4_000;
const mostPending = 5_000;
const mostAtOnce = 50;

/** Footage that is kept because something happened, somebody marked it, or the one-key alarm was pressed: rows, and a promise. */
export class ClipDesk {
  readonly #options: ClipDeskOptions;
  readonly #pending = new Map<string, Clip>();
  /** Grown, and not written since. */
  readonly #dirty = new Set<string>();
  #settling: Promise<void> | null = null;
  #isAway = false;

  constructor(options: ClipDeskOptions) {
    this.#options = options;
    for (const clip of this.#stored()) this.#pending.set(clip.id, clip);
  }

  /** Clips of events at cameras that record by event. New ones are to be stored with the events; what only grows follows within a second. */
  hear(events: readonly CampusEvent[], of: ReadonlyMap<string, HappeningId>): readonly Clip[] {
    const made: Clip[] = [];
    for (const event of events) {
      const { device, time, id } = event;
      if (device === undefined || !this.#options.isCamera(device)) continue;
      const plan = this.#options.planOf(device);
      if (this.#modeAt(plan, time) !== 'event') continue;
      // The end of something stuck is of no use long after.
      const range = { from: time - plan.preRoll, to: time + plan.postRoll };
      const home = this.#growing(device, range, of.get(id));
      if (home !== undefined) this.#grow(home, range, of.get(id));
      else if (event.active !== false) made.push(this.#make(device, range, 'event', of.get(id), event.type));
    }
    return made;
  }

  /** Of the one-key alarm, to be stored with it. */
  emergency(cameras: readonly DeviceId[], time: number, incident: HappeningId): readonly Clip[] {
    const range = { from: time - emergencyRoll.before, to: time + emergencyRoll.after };
    return cameras.map((camera) => this.#make(camera, range, 'emergency', incident, ''));
  }

  /** A person marks it. Throws CLIP_REFUSED with the reason. */
  mark(camera: DeviceId, range: FootageRange, note: string, incident?: HappeningId): Clip {
    const { isCamera, clock } = this.#options;
    if (!isCamera(camera)) throw new CodedError('CAMERA_NOT_FOUND', `there is no camera "${camera}"`);
    const length = range.to - range.from;
    if (length <= 0 || length > longestMark)
      throw new CodedError('CLIP_REFUSED', 'a clip is between 1 ms and 4 h long');
    if (range.from > clock.now()) throw new CodedError('CLIP_REFUSED', 'it is in the future');
    return this.#make(camera, range, 'person', incident, note);
  }

  /** What a person or the one-key alarm keeps is kept no longer. Throws CLIP_NOT_FOUND, CLIP_REFUSED, what the store throws. */
  async unprotect(id: string, why: string, { who, from }: Omit<IncidentPerson, 'name'>): Promise<Clip> {
    const clip = this.#find(id);
    if (!clip.isProtected) throw new CodedError('CLIP_REFUSED', 'nothing keeps it: it goes when its days are over');
    const freed: Clip = { ...clip, isProtected: false };
    await this.#commit([freed], [this.#line(`clip.unprotect ${id} (${clip.camera})`, why, who, from, 'let go')]);
    return freed;
  }

  /** Of a person's own words: they are stored by whoever asked for the clip. */
  markLine(clip: Clip, { who, from }: Omit<IncidentPerson, 'name'>): AuditLine {
    const span = `${new Date(clip.from).toISOString()} to ${new Date(clip.to).toISOString()}`;
    return this.#line(`clip.mark ${clip.id} (${clip.camera}, ${span})`, clip.note, who, from, 'kept');
  }

  /** Call it about once a second. */
  tick(): void {
    const grown = [...this.#dirty].flatMap((id) => this.#pending.get(id) ?? []);
    this.#dirty.clear();
    if (grown.length > 0) this.#commit(grown, []).catch(() => {}); // owed to the disk, and an alarm
  }

  /** Call it now and then: which clips are whole by now. One look at a time. */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    const due = [...this.#pending.values()].filter(({ to }) => to + settleAfter < now || to - now > longestMark);
    for (const [camera, clips] of Map.groupBy(due.slice(0, mostAtOnce), (clip) => clip.camera)) {
      const found = await this.#footage(camera, clips);
      const settled = clips.flatMap((clip): Clip[] => {
        const state = found === null ? this.#withoutMedia(clip, now) : stateOf(clip, found, now);
        return state === 'pending' ? [] : [{ ...clip, state }];
      });
      if (settled.length > 0) await this.#commit(settled, []);
      if (found === null) return;
    }
  }

  async #footage(camera: DeviceId, clips: readonly Clip[]): Promise<readonly FootageRange[] | null> {
    const from = Math.min(...clips.map((clip) => clip.from));
    const to = Math.max(...clips.map((clip) => clip.to));
    try {
      const ranges = await this.#options.ask(camera, { from, to });
      this.#isAway = false;
      return ranges;
    } catch (error) {
      // Once: media away is an alarm of its own.
      if (!this.#isAway) this.#options.log.warn({ error }, 'clips wait for media to say what there is');
      this.#isAway = true;
      return null;
    }
  }

  #withoutMedia({ to }: Clip, now: number): Clip['state'] {
    return now - to > forgottenAfter ? 'missing' : 'pending';
  }

  #find(id: string): Clip {
    const clip = this.#pending.get(id) ?? this.#options.reader.clip(id);
    if (clip === null) throw new CodedError('CLIP_NOT_FOUND', `there is no clip ${id}`);
    return clip;
  }

  #make(
    camera: DeviceId,
    range: FootageRange,
    why: Clip['why'],
    incident: HappeningId | undefined,
    note: string,
  ): Clip {
    const clip: Clip = {
      id: newHappeningId(this.#options.clock),
      camera,
      ...range,
      why,
      state: 'pending',
      isProtected: why !== 'event',
      ...(incident === undefined ? {} : { incident }),
      note,
    };
    this.#take(clip);
    return clip;
  }

  /** The clip of an event that this one touches, of the same incident, while it may still grow. */
  #growing(camera: DeviceId, { from, to }: FootageRange, incident: HappeningId | undefined): Clip | undefined {
    for (const clip of this.#pending.values()) {
      if (clip.camera !== camera || clip.why !== 'event' || from > clip.to || to < clip.from) continue;
      const isOther = clip.incident !== undefined && incident !== undefined && clip.incident !== incident;
      if (!isOther && Math.max(clip.to, to) - Math.min(clip.from, from) <= longest) return clip;
    }
    return undefined;
  }

  #grow(clip: Clip, { from, to }: FootageRange, incident: HappeningId | undefined): void {
    const isSame = from >= clip.from && to <= clip.to && (clip.incident !== undefined || incident === undefined);
    if (isSame) return;
    const grown: Clip = {
      ...clip,
      from: Math.min(clip.from, from),
      to: Math.max(clip.to, to),
      ...(clip.incident === undefined && incident !== undefined ? { incident } : {}),
    };
    this.#take(grown);
    this.#dirty.add(clip.id);
  }

  #take(clip: Clip): void {
    if (clip.state === 'pending') this.#pending.set(clip.id, clip);
    else this.#pending.delete(clip.id);
    const [oldest] = this.#pending.keys();
    // It is on disk as pending, and looked at again after the next start.
    if (this.#pending.size > mostPending && oldest !== undefined) this.#pending.delete(oldest);
    this.#options.onChange(clip);
  }

  async #commit(clips: readonly Clip[], audit: readonly AuditLine[]): Promise<void> {
    for (const clip of clips) this.#take(clip);
    await this.#options.commit({ clips, ...(audit.length > 0 ? { audit } : {}) });
  }

  #line(what: string, why: string, who: string, from: string, result: string): AuditLine {
    return { time: this.#options.clock.now(), who, from, what, why: why.slice(0, 300), result };
  }

  #modeAt({ mode, during }: RecordingPlan, time: number): RecordingMode {
    const held = Object.entries(during).find(([label]) => this.#options.during(label, time));
    return held?.[1] ?? mode;
  }

  #stored(): readonly Clip[] {
    try {
      return this.#options.reader.clips({ state: 'pending', limit: mostPending });
    } catch (error) {
      if (!codeOf(error).startsWith('STORE_')) throw error;
      return [];
    }
  }
}

/** `found`: what footage there is of its camera. */
export function stateOf(clip: FootageRange, found: readonly FootageRange[], now: number): Clip['state'] {
  const there = found.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, clip.to) - Math.max(from, clip.from)),
    0,
  );
  if (there >= clip.to - clip.from - tolerance) return 'ready';
  if (now - clip.to < givenUpAfter) return 'pending';
  return there > 0 ? 'ready' : 'missing';
}
