import type { DeviceId } from '#edge/domain/ids.ts';
import type { FootageRange, RecordingMode } from '#edge/domain/recording.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { RecordingPlan } from '#edge/runtime/site-cameras.ts';
import type { ClipCause } from './clips.ts';
import type { CameraFootage } from './footage.ts';
import type { FootageFile } from './footage-names.ts';
import type { Fragment, StreamInit, StreamState, Streams } from './hub.ts';
import { StreamClock } from './recorder-clock.ts';
import { RecorderLane, type WriteBudget } from './recorder-lane.ts';
import { rebased } from './recorder-rebase.ts';
import { RecorderSpool } from './recorder-spool.ts';
import { diskTrouble } from './recorder-words.ts';

export interface RecorderOptions {
  readonly plan: Pick<RecordingPlan, 'stream' | 'preRoll' | 'postRoll'>;
  readonly streams: Pick<Streams, 'hub'>;
  readonly footage: CameraFootage;
  readonly budget: WriteBudget;
  readonly clock: Clock;
  readonly log: Log;
  /** Why nothing may be written though the disk would take it (it is nearly full), for people; '' when it may. */
  readonly refusal?: () => string;
  /** A file has come to the footage that is kept. */
  readonly onFinished?: (file: FootageFile) => void;
  /** The disk refused: perhaps something can be deleted. */
  readonly onDiskTrouble?: (camera: DeviceId, code: string) => void;
}

export interface RecorderState {
  readonly mode: RecordingMode;
  readonly state: 'recording' | 'waiting' | 'stopped' | 'off';
  readonly message: string;
  readonly since: number;
  /** Groups of pictures, and bytes, that were thrown away because the disk was too slow. */
  readonly dropped: { readonly groups: number; readonly bytes: number };
}

/** A file of footage is cut at the first key frame after this, ms. */
const lengths = { continuous: 30_000, event: 10_000 };
/** A camera that sends no key frame for so long gets no longer file: what comes is left out until there is one, ms and bytes. */
const longest = 300_000;
const largest = 512_000_000;
/** Waiting bytes of one camera at which pictures are thrown away: 30 s of 2 Mbit/s. */
const mostWaiting = 8_000_000;
/** Our clock was set: no slewing is so quick, ms between two fragments. */
const clockStep = 500;
/** A disk that has not answered for so long is said to be stuck, ms. */
const stuckAfter = 10_000;
/** No picture for so long is no recording, ms. */
const silentAfter = 15_000;
/** How long a loss stays in the message, ms. */
const lossShown = 600_000;
const pauses = { first: 1_000, cap: 60_000 };

/** The file that is being written. Times of the stream and of the wall, ms. */
interface OpenFile {
  readonly isSpool: boolean;
  readonly from: number;
  readonly firstTime: number;
  readonly ticks: number;
  to: number;
  bytes: number;
}

/** Records one camera: a subscriber of its stream that never waits for the disk and never makes others wait. */
export class CameraRecorder implements AsyncDisposable {
  readonly camera: DeviceId;
  readonly #options: RecorderOptions;
  readonly #lane: RecorderLane;
  readonly #spool: RecorderSpool;
  readonly #pauses = new Backoff(pauses);
  #mode: RecordingMode = 'off';
  #subscription: Disposable | null = null;
  #stream: StreamState | null = null;
  #init: StreamInit | null = null;
  #streamClock: StreamClock | null = null;
  /** Wall minus monotonic: it changes when our clock is set, and only then. */
  #skew: number;
  #file: OpenFile | null = null;
  /** The next key frame begins a file, however short the open one is; `gap`: without pretending that the two belong together. */
  #cut: 'no' | 'soon' | 'gap' = 'no';
  #lastPicture = Number.NEGATIVE_INFINITY;
  /** The disk refuses until then (monotonic), and why. */
  #refused: { readonly code: string; readonly message: string; readonly until: number } | null = null;
  #isDropping = false;
  #dropped = { groups: 0, bytes: 0, at: Number.NEGATIVE_INFINITY };
  #said: RecorderState;

  constructor(options: RecorderOptions) {
    const { footage, clock } = options;
    this.camera = footage.camera;
    this.#options = options;
    this.#skew = clock.now() - clock.monotonic();
    this.#lane = new RecorderLane({
      ...options,
      onWritten: () => this.#written(),
      onFinished: (file, isSpool) => {
        if (isSpool) this.#spool.grown();
        else options.onFinished?.(file);
      },
      onFailed: (error) => this.#failed(error),
    });
    this.#spool = new RecorderSpool({ ...options, lane: this.#lane, times: options.plan });
    this.#said = { mode: 'off', state: 'off', message: '', since: clock.now(), dropped: { groups: 0, bytes: 0 } };
  }

  /** What is recorded from the next key frame on. */
  setMode(mode: RecordingMode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#cut = 'soon';
    if (mode === 'off') this.#leave();
    else this.#join();
  }

  /** Something happened in front of this camera. */
  note(cause: ClipCause): void {
    this.#spool.note(cause);
  }

  /** Somebody wants this kept: of a camera that records events only it is no longer thrown away. */
  keep(ranges: readonly FootageRange[]): void {
    this.#spool.keep(ranges);
  }

  /** Once a second: writes what waits, looks for a stream that was not there, forgets what is over. */
  tick(): void {
    this.#lane.flush();
    if (this.#mode !== 'off' && this.#subscription === null) this.#join();
    this.#spool.tick();
  }

  /** When the disk has done what it was asked so far. */
  settled(): Promise<void> {
    return this.#lane.idle();
  }

  get state(): RecorderState {
    const now = this.#judge();
    const before = this.#said;
    const isSame = before.state === now.state && before.mode === now.mode;
    this.#said = { ...now, since: isSame ? before.since : this.#options.clock.now() };
    return this.#said;
  }

  // --- the stream -----------------------------------------------------------------------------------------------------

  #begin(init: StreamInit): void {
    this.#end();
    this.#init = init;
    this.#streamClock = null;
  }

  #changed(state: StreamState): void {
    this.#stream = state;
    if (state.kind !== 'running') this.#end();
  }

  #take(fragment: Fragment): void {
    const { clock } = this.#options;
    this.#lastPicture = clock.monotonic();
    this.#noteClock();
    this.#streamClock ??= fragment.isKey ? new StreamClock(fragment.time, fragment.arrived) : null;
    this.#streamClock?.observe(fragment.time, fragment.arrived);
    if (this.#isTooMuch(fragment)) return;
    if (fragment.isKey && this.#shouldCut(fragment)) this.#next(fragment);
    if (this.#file !== null) this.#write(this.#file, fragment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    await this.#lane.idle();
  }

  #join(): void {
    const hub = this.#options.streams.hub(this.camera, this.#options.plan.stream);
    if (hub === null || this.#subscription !== null) return;
    this.#stream = hub.state;
    this.#subscription = hub.subscribe(
      {
        init: (init) => this.#begin(init),
        fragment: (fragment) => this.#take(fragment),
        state: (state) => this.#changed(state),
        ended: () => this.#leave(),
      },
      { fromKeyFrame: true },
    );
  }

  #leave(): void {
    this.#end();
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = null;
    this.#init = null;
    this.#stream = null;
  }

  /** A clock that was put forward or back must neither stretch footage nor write over any: a new file begins at the new time. */
  #noteClock(): void {
    const { clock, log } = this.#options;
    const skew = clock.now() - clock.monotonic();
    const step = skew - this.#skew;
    this.#skew = skew;
    if (Math.abs(step) < clockStep) return;
    log.warn({ camera: this.camera, seconds: Math.round(step / 1000) }, 'the clock was set while recording');
    this.#streamClock?.shift(step);
    this.#cut = 'gap';
  }

  // --- files ----------------------------------------------------------------------------------------------------------

  #shouldCut(fragment: Fragment): boolean {
    const file = this.#file;
    if (file === null || this.#cut !== 'no') return true;
    return fragment.time - file.firstTime >= (this.#mode === 'event' ? lengths.event : lengths.continuous);
  }

  /** Ends the open file where the next one begins. */
  #next(fragment: Fragment): void {
    const { footage } = this.#options;
    const streamClock = this.#streamClock;
    const init = this.#init;
    if (streamClock === null || init === null || !this.#mayWrite()) {
      this.#end();
      return;
    }
    const placed = streamClock.place(fragment.time);
    const isSeamless = placed.isSeamless && this.#cut !== 'gap';
    this.#cut = 'no';
    this.#end(isSeamless && this.#file !== null ? placed.wall : null);
    const isSpool = this.#mode === 'event';
    const from = footage.freeStart(placed.wall);
    const ticks = Math.round((fragment.time * init.timescale) / 1000);
    this.#file = { isSpool, from, firstTime: fragment.time, ticks, to: from, bytes: init.bytes.length };
    this.#lane.begin(from, isSpool, init.bytes);
  }

  #write(file: OpenFile, fragment: Fragment): void {
    const length = fragment.time + fragment.duration - file.firstTime;
    if (length > longest || file.bytes + fragment.bytes.length > largest) {
      this.#end();
      return;
    }
    file.to = Math.max(file.to, Math.round(file.from + length));
    file.bytes += fragment.bytes.length;
    this.#lane.append(rebased(fragment.bytes, file.ticks), file.to);
  }

  /** `to`: where the next file begins, when it follows without a gap. */
  #end(to: number | null = null): void {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    const end = Math.max(file.from + 1, to ?? file.to);
    const isWanted = file.isSpool && this.#spool.wants({ from: file.from, to: end });
    const kind = file.isSpool ? 'event' : 'continuous';
    this.#lane.finish(end, kind, file.isSpool && !isWanted);
  }

  #written(): void {
    if (this.#refused === null) return;
    this.#options.log.info({ camera: this.camera }, 'recording goes on: the disk takes it again');
    this.#refused = null;
    this.#pauses.reset();
  }

  // --- what stands in the way -----------------------------------------------------------------------------------------

  /** True while pictures are thrown away because the disk does not keep up; whole groups, up to the next key frame. */
  #isTooMuch(fragment: Fragment): boolean {
    const { budget, clock, log } = this.#options;
    const { waiting } = this.#lane;
    const isFull = waiting + fragment.bytes.length > mostWaiting || budget.waiting > budget.most;
    const hasRoom = waiting < mostWaiting / 2 && budget.waiting < budget.most;
    if (this.#isDropping && fragment.isKey && hasRoom) this.#isDropping = false;
    else if (!this.#isDropping && isFull && this.#file !== null) {
      this.#isDropping = true;
      this.#end();
      this.#dropped.groups++;
      log.warn({ camera: this.camera, waiting }, 'pictures are lost: the disk is too slow');
    } else if (this.#isDropping && fragment.isKey) this.#dropped.groups++;
    if (!this.#isDropping) return false;
    this.#dropped.bytes += fragment.bytes.length;
    this.#dropped.at = clock.monotonic();
    return true;
  }

  #mayWrite(): boolean {
    const { refusal, clock } = this.#options;
    if ((refusal?.() ?? '') !== '') return false;
    return this.#refused === null || clock.monotonic() >= this.#refused.until;
  }

  #failed(error: unknown): void {
    const { clock, log, onDiskTrouble } = this.#options;
    const { code, message } = diskTrouble(error);
    if (this.#refused === null) log.error({ camera: this.camera, code }, 'recording stops: the disk refuses');
    this.#refused = { code, message, until: clock.monotonic() + this.#pauses.next() };
    this.#file = null;
    onDiskTrouble?.(this.camera, code);
  }

  #judge(): Omit<RecorderState, 'since'> {
    const { clock, refusal } = this.#options;
    const mode = this.#mode;
    const { groups, bytes, at } = this.#dropped;
    const dropped = { groups, bytes };
    if (mode === 'off') return { mode, state: 'off', message: '', dropped };
    const refused = refusal?.() ?? '';
    const isStuck = this.#lane.silence > stuckAfter;
    if (isStuck) return { mode, state: 'stopped', message: 'the disk does not answer', dropped };
    if (this.#refused !== null) return { mode, state: 'stopped', message: this.#refused.message, dropped };
    if (refused !== '' && this.#file === null) return { mode, state: 'stopped', message: refused, dropped };
    const isSilent = clock.monotonic() - this.#lastPicture > silentAfter;
    if (this.#file === null || isSilent) {
      const message = this.#subscription === null ? 'no stream of this camera is known yet' : this.#waitingWords();
      return { mode, state: 'waiting', message, dropped };
    }
    const isLosing = clock.monotonic() - at < lossShown;
    const message = isLosing ? `the disk is too slow: ${groups} groups of pictures were lost` : '';
    return { mode, state: 'recording', message, dropped };
  }

  #waitingWords(): string {
    const said = this.#stream?.message ?? '';
    return said === '' ? 'no pictures come yet' : said;
  }
}
