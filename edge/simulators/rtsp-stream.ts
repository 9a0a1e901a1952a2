import type { Clock } from '#edge/runtime/clock.ts';
import type { AccessUnit, RtspClip } from './rtsp-clip.ts';

/** Somebody who is sent what a camera films. */
export interface StreamListener {
  /** `time` counts 1/90,000 s since the stream began. */
  picture(picture: AccessUnit, clip: RtspClip, time: number): void;
}

const rtpClock = 90_000;
/** More than a loop of any clip has. */
const remembered = 4_096;

/** One lens: it films whether or not somebody looks, and all who look see the same picture at the same time. */
export class LiveStream implements Disposable {
  readonly #clip: () => RtspClip | null;
  readonly #clock: Clock;
  readonly #listeners = new Set<StreamListener>();
  readonly #sentAt = new Map<number, number>();
  readonly #began: number;
  #timer: NodeJS.Timeout | null = null;
  #playing: RtspClip | null = null;
  #next = 0;

  constructor(clip: () => RtspClip | null, clock: Clock) {
    this.#clip = clip;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** What is filmed now; null: nothing. */
  get clip(): RtspClip | null {
    return this.#clip();
  }

  /** When the picture of this number was last sent, ms since epoch. */
  sentAt(picture: number): number | null {
    return this.#sentAt.get(picture) ?? null;
  }

  add(listener: StreamListener): Disposable {
    this.#listeners.add(listener);
    if (this.#timer === null) this.#begin();
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #begin(): void {
    this.#playing = this.#clip();
    const rate = this.#playing?.frameRate ?? 1;
    this.#next = Math.ceil(((this.#clock.monotonic() - this.#began) * rate) / 1000);
    this.#wait();
  }

  /** Times are reckoned from the beginning, so that late timers do not add up. */
  #wait(): void {
    const rate = this.#playing?.frameRate ?? 1;
    const due = this.#began + (this.#next * 1000) / rate;
    this.#timer = setTimeout(() => this.#film(), Math.max(0, due - this.#clock.monotonic()));
  }

  #film(): void {
    const clip = this.#playing;
    if (clip !== null) {
      const index = this.#next % clip.pictures.length;
      const picture = clip.pictures[index];
      const time = Math.round((this.#next * rtpClock) / clip.frameRate);
      if (this.#sentAt.size < remembered || this.#sentAt.has(index)) this.#sentAt.set(index, this.#clock.now());
      if (picture !== undefined) for (const listener of this.#listeners) listener.picture(picture, clip, time);
    }
    const before = clip?.frameRate ?? 1;
    this.#next += 1;
    const upcoming = this.#clip();
    if (upcoming !== clip && this.#isCut(upcoming)) {
      this.#next = Math.ceil((this.#next * (upcoming?.frameRate ?? 1)) / before);
      this.#playing = upcoming;
    }
    if (this.#timer !== null) this.#wait();
  }

  /** Another clip begins where both have a key frame. */
  #isCut(upcoming: RtspClip | null): boolean {
    if (upcoming === null || this.#playing === null) return true;
    if (upcoming.frameRate !== this.#playing.frameRate) return true;
    return upcoming.pictures[this.#next % upcoming.pictures.length]?.isKey === true;
  }
}
