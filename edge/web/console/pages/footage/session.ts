import { api, call, query } from '../../api.ts';
import { now as serverNow } from '../../kit/ticker.ts';
import { Lane, type LaneOptions, type LaneView } from './lane.ts';
import type { FootageView } from './listing.ts';
import { PictureQueue } from './picture-queue.ts';
import { type Rate, StepClock } from './step-clock.ts';

/* Up to four cameras on one clock: it goes on while all that should be seen is there, waits while it comes, and jumps what is not. */

export interface SessionView {
  readonly isPlaying: boolean;
  /** It waits for pictures. */
  readonly isHeld: boolean;
  /** There is nothing after this (yet). */
  readonly isEnded: boolean;
  readonly isScrubbing: boolean;
  readonly rate: Rate;
  /** Of the clock, whole: what people read. */
  readonly second: number;
  /** The last gap that was jumped; `number` tells two of them apart. */
  readonly jumped: { readonly from: number; readonly to: number; readonly number: number } | null;
  readonly lanes: ReadonlyMap<string, LaneView>;
}

const turnEvery = 100;
/** One camera that does not come does not hold up the others for longer, ms. */
const mostWaiting = 20_000;
const pauseAfterError = 3_000;

export class FootageSession implements Disposable {
  readonly queue: PictureQueue;
  readonly #clock: StepClock;
  readonly #lanes = new Map<string, Lane>();
  readonly #waitingSince = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isPlaying = false;
  #isEnded = false;
  #isScrubbing = false;
  #jumped: SessionView['jumped'] = null;
  /** Of the present search for where it goes on; grows when somebody goes elsewhere. */
  #search = 0;
  #isSearching = false;
  #notBefore = 0;
  #view: SessionView;
  #signature = '';

  constructor(time: number) {
    this.#clock = new StepClock(time);
    this.queue = new PictureQueue(fetchPicture);
    this.#view = this.#look();
    this.#timer = setInterval(() => this.#turn(), turnEvery);
  }

  /** ms since epoch, now. */
  get time(): number {
    return this.#clock.timeAt(performance.now());
  }

  get view(): SessionView {
    return this.#view;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** One more camera; it leaves with what is answered. */
  addLane(options: Omit<LaneOptions, 'queue'>): Disposable {
    const lane = new Lane({ ...options, queue: this.queue });
    this.#lanes.set(options.camera, lane);
    return {
      [Symbol.dispose]: () => {
        lane[Symbol.dispose]();
        if (this.#lanes.get(options.camera) === lane) this.#lanes.delete(options.camera);
        this.#waitingSince.delete(options.camera);
      },
    };
  }

  /** When what a camera shows was filmed; null: it shows nothing. */
  shownTime(camera: string): number | null {
    return this.#lanes.get(camera)?.shownTime ?? null;
  }

  play(): void {
    this.#isPlaying = true;
    this.#isEnded = false;
    for (const lane of this.#lanes.values()) if (lane.stateAt(this.time) === 'nothing') lane.forget();
    this.#turn();
  }

  pause(): void {
    this.#isPlaying = false;
    this.#stopSearch();
    this.#turn();
  }

  setRate(rate: Rate): void {
    this.#clock.setRate(rate, performance.now());
    this.#turn();
  }

  seek(time: number): void {
    this.#isScrubbing = false;
    this.#go(time);
  }

  /** While a hand is on the timeline: pictures instead of files. */
  scrub(time: number): void {
    this.#isScrubbing = true;
    this.#go(time);
  }

  /** One picture on or back, of the camera that has the nearest. */
  step(by: 1 | -1): void {
    this.#isPlaying = false;
    const { time } = this;
    const found = [...this.#lanes.values()].flatMap((lane) => lane.pictureBeside(time, by) ?? []);
    const next = by === 1 ? Math.min(...found) : Math.max(...found);
    // Just behind its begin: browsers round to either side.
    this.seek(found.length === 0 ? time + by * 1_000 : next + 2);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const lane of this.#lanes.values()) lane[Symbol.dispose]();
    this.#lanes.clear();
    this.queue[Symbol.dispose]();
    this.#listeners.clear();
  }

  #go(time: number): void {
    this.#stopSearch();
    this.#isEnded = false;
    this.#waitingSince.clear();
    this.#clock.set(Math.max(0, time), performance.now());
    this.#turn();
  }

  #stopSearch(): void {
    this.#search++;
    this.#isSearching = false;
  }

  #turn(): void {
    const monotonic = performance.now();
    const time = this.#clock.timeAt(monotonic);
    const states = [...this.#lanes.values()].map((lane) => ({ camera: lane.camera, state: lane.stateAt(time) }));
    const isNothing = states.length > 0 && states.every(({ state }) => state === 'nothing');
    const mustWait = isNothing || states.length === 0 || !this.#isSomethingSeen(states, monotonic);
    const isWanted = this.#isPlaying && !this.#isScrubbing;
    if (isWanted && isNothing) this.#jump(time);
    this.#clock.run(isWanted && !mustWait, monotonic);
    const { isRunning, rate } = this.#clock;
    for (const lane of this.#lanes.values()) {
      lane.turn({ time: this.#clock.timeAt(monotonic), rate, isRunning, isScrubbing: this.#isScrubbing });
    }
    this.#tell();
  }

  /** Whether all that can be seen now is there; who has kept the others waiting for long is not waited for. */
  #isSomethingSeen(states: readonly { readonly camera: string; readonly state: string }[], now: number): boolean {
    let isAnyShown = false;
    let isAllThere = true;
    for (const { camera, state } of states) {
      if (state === 'shown') isAnyShown = true;
      if (state === 'loading' || state === 'looking') {
        const since = this.#waitingSince.get(camera) ?? now;
        this.#waitingSince.set(camera, since);
        if (now - since < mostWaiting) isAllThere = false;
      } else this.#waitingSince.delete(camera);
    }
    return isAnyShown && isAllThere;
  }

  /** Nothing is there of any of them: goes to where something is. */
  #jump(time: number): void {
    if (this.#isSearching || performance.now() < this.#notBefore) return;
    this.#isSearching = true;
    const search = ++this.#search;
    void this.#nextOfAll(time).then(
      (next) => {
        if (search !== this.#search) return;
        this.#isSearching = false;
        if (next === null) {
          this.#isPlaying = false;
          this.#isEnded = true;
        } else if (next > time) {
          this.#jumped = { from: time, to: next, number: search };
          this.#clock.set(next, performance.now());
        } else for (const lane of this.#lanes.values()) lane.forget();
        this.#tell();
      },
      () => {
        if (search === this.#search) this.#isSearching = false;
        this.#notBefore = performance.now() + pauseAfterError;
      },
    );
  }

  async #nextOfAll(time: number): Promise<number | null> {
    const starts = await Promise.all([...this.#lanes.values()].map((lane) => lane.next(time)));
    const found = starts.filter((start) => start !== null);
    return found.length === 0 ? null : Math.min(...found);
  }

  #look(): SessionView {
    return {
      isPlaying: this.#isPlaying,
      isHeld: this.#isPlaying && !this.#clock.isRunning,
      isEnded: this.#isEnded,
      isScrubbing: this.#isScrubbing,
      rate: this.#clock.rate,
      second: Math.floor(this.time / 1000) * 1000,
      jumped: this.#jumped,
      lanes: new Map([...this.#lanes].map(([camera, lane]) => [camera, lane.view])),
    };
  }

  /** Whoever listens hears only of what people can see. */
  #tell(): void {
    const view = this.#look();
    const lanes = [...view.lanes].map(([camera, { error, ...lane }]) => [camera, lane, String(error)]);
    const signature = JSON.stringify([{ ...view, lanes }]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#view = view;
    for (const listener of this.#listeners) listener();
  }
}

async function fetchPicture(
  { camera, at, width }: { readonly camera: string; readonly at: number; readonly width: number },
  signal: AbortSignal,
) {
  const path = `cameras/${camera}/footage/picture${query({ at: Math.max(0, Math.round(at)), width })}`;
  const response = await call(path, { signal, patience: 20_000 });
  return { blob: await response.blob(), time: Number(response.headers.get('x-footage-time') ?? at) };
}

/** Where the latest footage of any of these ends, ms since epoch; null: there is none of the last 24 h. Throws ApiError. */
export async function latestOf(cameras: readonly string[]): Promise<number | null> {
  const to = Math.ceil(serverNow()) + 5_000;
  const asked = query({ from: to - 86_400_000, to, segments: 'no' });
  const all = await Promise.all(cameras.map((camera) => api.get<FootageView>(`cameras/${camera}/footage${asked}`)));
  const ends = all.flatMap(({ ranges }) => ranges.at(-1)?.to ?? []);
  return ends.length === 0 ? null : Math.max(...ends);
}
