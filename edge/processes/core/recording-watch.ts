import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { MediaHealth, RecordingHealth } from '#edge/domain/recording.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import {
  type CameraPlace,
  deafCamera,
  deafSource,
  nothingRecorded,
  notRecorded,
  protectedSource,
  recordingSource,
  retentionSource,
  siteSource,
  siteTrouble,
  tooFewDays,
  tooMuchKept,
} from './recording-watch-words.ts';

export interface RecordingWatchOptions {
  readonly cameras: readonly CameraPlace[];
  /** Of footage that is kept, bytes: more, and evidence is deleted when the disk is full. */
  readonly protectedQuota: number;
  /** Sources whose alarm was open before the start. */
  readonly alarmed: Iterable<string>;
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly clock: Clock;
}

/** How long something must be so before people are told, and how long it must be well again, ms. */
const graces = { recording: 60_000, site: 15_000, kept: 60_000, retention: 600_000, deaf: 300_000 };
/** Of the quota: a figure that swings about it is one alarm. */
const keptMargin = 0.02;
const wellFor = 10_000;
/** What media said longer ago says nothing of now. */
const mediaAge = 60_000;

interface Standing {
  /** Monotonic ms; null: not now. */
  badSince: number | null;
  wellSince: number | null;
  told: boolean;
}

/**
 * Every silence of recording is known: cameras that should be recorded and are not, days that will not be reached, cameras whose events
 * stopped while their pictures live. One cause is one alarm: a disk that refuses hides its cameras, and a camera that is gone hides its own.
 */
export class RecordingWatch {
  readonly #options: RecordingWatchOptions;
  readonly #standing = new Map<string, Standing>();
  #media: MediaHealth | null = null;
  #heardAt = 0;

  constructor(options: RecordingWatchOptions) {
    this.#options = options;
    for (const source of options.alarmed) {
      if (this.isSource(source)) this.#standing.set(source, { badSince: null, wellSince: null, told: true });
    }
  }

  isSource(source: string): boolean {
    if (source === siteSource || source === protectedSource) return true;
    const [kind, name = ''] = [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)];
    return ['recording', 'retention', 'deaf'].includes(kind) && this.#options.cameras.some(({ id }) => id === name);
  }

  /** What media says of itself; undefined: it says nothing of recording. */
  hear(media: MediaHealth | undefined): void {
    if (media === undefined) return;
    this.#media = media;
    this.#heardAt = this.#options.clock.monotonic();
  }

  /** Media is gone: that is an alarm of its own, and nothing is judged on old words. */
  leave(): void {
    this.#media = null;
  }

  /** Call it about once a second. */
  tick(): void {
    const now = this.#options.clock.monotonic();
    const media = now - this.#heardAt > mediaAge ? null : this.#media;
    if (media === null) this.#wait();
    const decisions = media === null ? [] : this.#judge(media, now);
    if (decisions.length > 0) this.#options.decide(decisions);
  }

  /** Nothing is known now: what stands stands, and what had begun begins anew. */
  #wait(): void {
    for (const standing of this.#standing.values()) {
      standing.badSince = null;
      standing.wellSince = null;
    }
  }

  #judge(media: MediaHealth, now: number): readonly AlarmDecision[] {
    const said = new Map(media.cameras.map((recording) => [recording.camera, recording]));
    const trouble = siteTrouble(media);
    const decisions: (AlarmDecision | null)[] = [
      this.#look(siteSource, now, graces.site, trouble !== '' ? nothingRecorded(trouble) : null),
      this.#kept(media, now),
    ];
    for (const camera of this.#options.cameras) {
      const recording = said.get(camera.id);
      if (recording === undefined) continue;
      decisions.push(...this.#camera(camera, recording, trouble, now));
    }
    return decisions.filter((decision) => decision !== null);
  }

  #kept({ protectedBytes }: MediaHealth, now: number): AlarmDecision | null {
    const { protectedQuota } = this.#options;
    const isTold = this.#standing.get(protectedSource)?.told === true;
    const isTooMuch = protectedBytes > protectedQuota * (isTold ? 1 - keptMargin : 1);
    return this.#look(
      protectedSource,
      now,
      graces.kept,
      isTooMuch ? tooMuchKept(protectedBytes, protectedQuota) : null,
    );
  }

  #camera(camera: CameraPlace, recording: RecordingHealth, trouble: string, now: number): (AlarmDecision | null)[] {
    const { mode, state, daysExpected, daysRequired } = recording;
    // The disk has an alarm of its own.
    const isMissing = mode !== 'off' && state !== 'recording' && trouble === '';
    // A day more than is required before it is well again: a figure that is measured swings.
    const margin = this.#standing.get(retentionSource(camera.id))?.told === true ? 1 : 0;
    const isShort = mode !== 'off' && daysExpected !== null && daysExpected < daysRequired + margin;
    const isDeaf = this.#isDeaf(camera.id) && isAlive(recording);
    return [
      this.#look(recordingSource(camera.id), now, graces.recording, isMissing ? notRecorded(camera, recording) : null),
      this.#look(retentionSource(camera.id), now, graces.retention, isShort ? tooFewDays(camera, recording) : null),
      this.#look(deafSource(camera.id), now, graces.deaf, isDeaf ? deafCamera(camera) : null),
    ];
  }

  /** A camera that is known not to be listened to; one that never said so says nothing. */
  #isDeaf(camera: DeviceId): boolean {
    const reading = this.#options.latest().get(`${camera}/listening` as PointRef);
    return reading?.quality === 'good' && reading.value === false;
  }

  #look(source: string, now: number, grace: number, wanted: RaiseDecision | null): AlarmDecision | null {
    const standing = this.#standing.get(source) ?? { badSince: null, wellSince: null, told: false };
    this.#standing.set(source, standing);
    if (wanted !== null) {
      standing.wellSince = null;
      standing.badSince ??= now;
      if (standing.told || now - standing.badSince < grace) return null;
      standing.told = true;
      return wanted;
    }
    standing.badSince = null;
    if (!standing.told) return null;
    standing.wellSince ??= now;
    if (now - standing.wellSince < wellFor) return null;
    standing.told = false;
    return { kind: 'return', source, reason: 'it is well again' };
  }
}

function isAlive({ state, frameRate }: RecordingHealth): boolean {
  return state === 'recording' || (frameRate ?? 0) > 0;
}
