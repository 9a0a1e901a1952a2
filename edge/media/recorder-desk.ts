import { statfs } from 'node:fs/promises';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { MediaHealth, RecordingHealth, RecordingMode } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RecordingPlan } from '#edge/runtime/site-cameras.ts';
import type { ClipCause } from './clips.ts';
import type { Footage } from './footage.ts';
import type { Streams } from './hub.ts';
import { CameraRecorder } from './recorder.ts';
import { daysExpected, type FootageFigures, figuresOf } from './recorder-figures.ts';
import type { WriteBudget } from './recorder-lane.ts';
import { WantedTimes } from './recorder-wanted.ts';
import type { ProtectedFootage } from './retention-protected.ts';
import type { RetentionWorker } from './retention-worker.ts';

export interface RecorderDeskOptions {
  readonly footage: Footage;
  readonly cameras: readonly { readonly id: DeviceId; readonly plan: RecordingPlan }[];
  readonly streams: Pick<Streams, 'hub'>;
  readonly kept: ProtectedFootage;
  readonly retention: RetentionWorker;
  readonly limits: { readonly quota: number | null; readonly freeSpaceFloor: number };
  readonly clock: Clock;
  readonly log: Log;
}

/** What recording knows of each camera; live views know the rest of `RecordingHealth`. */
export type CameraRecording = Omit<RecordingHealth, 'viewers' | 'frameRate' | 'codec'>;

export interface RecordingState extends Pick<MediaHealth, 'bytes' | 'protectedBytes' | 'freeBytes' | 'problem'> {
  readonly cameras: readonly CameraRecording[];
}

interface Desk {
  readonly id: DeviceId;
  readonly plan: RecordingPlan;
  readonly recorder: CameraRecorder;
  readonly wanted: WantedTimes;
  mode: RecordingMode;
  figures: FootageFigures;
}

/** All cameras' bytes that wait for the disk. */
const mostWaiting = 96_000_000;
const tickEvery = 1_000;
const spaceEvery = 10_000;
const minute = 60_000;
/** Told that core wants something kept, it is asked at most so often, ms. */
const hintGap = 2_000;
const nothing: FootageFigures = {
  oldest: null,
  bytes: 0,
  bytesPerDay: 0,
  daysThere: 0,
  complete24h: null,
  complete: null,
};

/** Every camera's recorder, what kind of time it is for them, and how it all goes. */
export class RecorderDesk implements AsyncDisposable {
  readonly #options: RecorderDeskOptions;
  readonly #desks = new Map<DeviceId, Desk>();
  readonly #budget: WriteBudget = { waiting: 0, most: mostWaiting };
  readonly #timers = new DisposableStack();
  #freeBytes: number | null = null;
  #hintedAt = Number.NEGATIVE_INFINITY;
  #isRoomWanted = false;

  constructor(options: RecorderDeskOptions) {
    this.#options = options;
    for (const { id, plan } of options.cameras) {
      const footage = options.footage.of(id);
      const recorder = new CameraRecorder({
        ...options,
        plan,
        footage,
        budget: this.#budget,
        refusal: () => this.#refusal(),
        onDiskTrouble: (_, code) => {
          this.#isRoomWanted ||= code === 'ENOSPC' || code === 'EDQUOT';
        },
        onFinished: (file) => options.retention.noteFinished(id, file),
      });
      const wanted = new WantedTimes(footage.folder, options.log);
      this.#desks.set(id, { id, plan, recorder, wanted, mode: 'off', figures: nothing });
    }
  }

  /** Reads what was wanted before, and begins to record. Times of day count from `setTimes` on. */
  async start(): Promise<void> {
    await Promise.all([...this.#desks.values()].map(({ wanted }) => wanted.load()));
    await this.#lookAtSpace();
    this.setTimes([], []);
    this.#reckon();
    this.#timers.use(new Ticker(tickEvery, () => this.#tick()));
    this.#timers.use(new Ticker(spaceEvery, () => this.#lookAtSpace()));
    this.#timers.use(new Ticker(minute, () => this.#tidy()));
    await this.#tidy();
  }

  /** Labels of the calendar that hold now, and modes of the campus that are on. */
  setTimes(labels: readonly string[], modes: readonly string[]): void {
    const now = this.#options.clock.now();
    for (const desk of this.#desks.values()) {
      desk.mode = modeOf(desk.plan, new Set([...labels, ...modes]));
      desk.recorder.setMode(desk.mode);
      void desk.wanted.note(desk.mode, now);
    }
  }

  /** Something happened in front of a camera. */
  note(camera: DeviceId, cause: ClipCause): void {
    this.#desks.get(camera)?.recorder.note(cause);
  }

  /** Core may want more kept than before. */
  hint(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#hintedAt < hintGap) return;
    this.#hintedAt = now;
    void this.#options.kept.refresh().then(() => this.#keep());
  }

  get state(): RecordingState {
    const { footage, retention } = this.#options;
    const { protectedBytes } = retention.state;
    const room = this.#roomForAll(footage.bytes, protectedBytes);
    const all = { bytesPerDay: this.#all(({ figures }) => figures.bytesPerDay), room };
    const cameras = [...this.#desks.values()].map((desk) => this.#cameraState(desk, all));
    const stopped = cameras.find(({ state }) => state === 'stopped');
    const problem = stopped?.message ?? '';
    return { bytes: footage.bytes, protectedBytes, freeBytes: this.#freeBytes, problem, cameras };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers.dispose();
    await Promise.all([...this.#desks.values()].map(({ recorder }) => recorder[Symbol.asyncDispose]()));
  }

  #cameraState({ id, plan, recorder, figures }: Desk, all: Parameters<typeof daysExpected>[1]): CameraRecording {
    const { mode, state, message, since } = recorder.state;
    const { days, quota } = plan;
    const expected = daysExpected({ bytesPerDay: figures.bytesPerDay, quota, days }, all);
    return { camera: id, mode, state, message, since, daysRequired: days, ...figures, daysExpected: expected };
  }

  /** Bytes that unprotected footage can have in the end. */
  #roomForAll(bytes: number, protectedBytes: number): number | null {
    const { quota, freeSpaceFloor } = this.#options.limits;
    const disk = this.#freeBytes === null ? null : bytes - protectedBytes + this.#freeBytes - freeSpaceFloor;
    if (quota === null || disk === null) return quota ?? disk;
    return Math.min(quota, disk);
  }

  #all(of: (desk: Desk) => number): number {
    return [...this.#desks.values()].reduce((sum, desk) => sum + of(desk), 0);
  }

  #tick(): void {
    for (const { recorder } of this.#desks.values()) recorder.tick();
    if (!this.#isRoomWanted) return;
    this.#isRoomWanted = false;
    void this.#options.retention.run();
  }

  async #tidy(): Promise<void> {
    await this.#options.retention.run();
    this.#keep();
    this.#reckon();
  }

  #keep(): void {
    for (const { id, recorder } of this.#desks.values()) recorder.keep(this.#options.kept.ranges(id));
  }

  #reckon(): void {
    const { footage, clock } = this.#options;
    for (const desk of this.#desks.values()) {
      desk.figures = figuresOf(footage.of(desk.id), desk.wanted, desk.plan.days, clock.now());
    }
  }

  async #lookAtSpace(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.#options.footage.folder);
      this.#freeBytes = bavail * bsize;
    } catch {
      this.#freeBytes = null; // the folder is gone or the disk does not answer: the recorder says so
    }
  }

  /** Others live on this disk: footage is not what fills it. */
  #refusal(): string {
    const { freeSpaceFloor } = this.#options.limits;
    if (this.#freeBytes === null || this.#freeBytes >= freeSpaceFloor / 2) return '';
    const { message } = this.#options.retention.state;
    const why = message === '' ? 'what is there must be kept' : message;
    return `only ${Math.round(this.#freeBytes / 1e6)} MB of the disk are free; ${why}`;
  }
}

/** The first of `during` that holds, in the order of the site file; else what is usual. */
export function modeOf(plan: Pick<RecordingPlan, 'mode' | 'during'>, holds: ReadonlySet<string>): RecordingMode {
  return Object.entries(plan.during).find(([label]) => holds.has(label))?.[1] ?? plan.mode;
}
