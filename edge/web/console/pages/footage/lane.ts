import { stepTowards } from './drift.ts';
import { LaneBuffer, mediaSourceClass } from './lane-buffer.ts';
import { LaneLoader } from './lane-loader.ts';
import { Listing } from './listing.ts';
import type { PictureQueue } from './picture-queue.ts';
import { showable } from './window.ts';

/* One camera on the screen: plays what the clock says as video, or shows it picture by picture where the browser cannot. */

export type LaneState = 'looking' | 'loading' | 'shown' | 'nothing' | 'failed';
/** `codec`: the browser cannot show it; `decode`: it said that it can; `browser`: it plays no fragments at all. */
export type WhyPictures = 'codec' | 'decode' | 'browser';

export interface LaneView {
  readonly state: LaneState;
  /** Why there are pictures instead of video; null: there is video. */
  readonly pictures: WhyPictures | null;
  readonly codec: string;
  readonly isMasked: boolean;
  readonly error: unknown;
}

export interface Turn {
  readonly time: number;
  readonly rate: number;
  readonly isRunning: boolean;
  readonly isScrubbing: boolean;
}

export interface LaneOptions {
  readonly camera: string;
  readonly video: HTMLVideoElement;
  readonly image: HTMLImageElement;
  readonly queue: PictureQueue;
}

/** So much of the past can be gone back to before the timeline of the video is begun anew, ms. */
const reachBack = 30 * 86_400_000;
/** A place may lie so much before the next picture, s. */
const seam = 0.9;
/** Apart from each other, while pictures stand for video, ms. */
const pictureEvery = 1_000;
const pictureWidth = 960;
/** After so long without what was fetched it is fetched anew, ms. */
const lostAfter = 2_500;

export class Lane implements Disposable {
  readonly camera: string;
  readonly #options: LaneOptions;
  readonly #ending = new AbortController();
  readonly #listing: Listing;
  #buffer: LaneBuffer | null = null;
  #loader: LaneLoader | null = null;
  #pictures: WhyPictures | null = mediaSourceClass() === undefined ? 'browser' : null;
  #codec = '';
  #imageUrl = '';
  /** When what the image shows was taken; null: it shows nothing. */
  #imageTime: number | null = null;
  #askedFor = Number.NaN;
  #missingSince: number | null = null;
  #state: LaneState = 'looking';

  constructor(options: LaneOptions) {
    this.#options = options;
    this.camera = options.camera;
    this.#listing = new Listing(options.camera, this.#ending.signal);
  }

  get view(): LaneView {
    const error = this.#listing.error ?? this.#loader?.error ?? null;
    return {
      state: this.#state,
      pictures: this.#pictures,
      codec: this.#codec,
      isMasked: this.#listing.isMasked,
      error: this.#state === 'shown' || this.#state === 'nothing' ? null : error,
    };
  }

  /** When what is on the screen was filmed, ms since epoch; null: nothing is. */
  get shownTime(): number | null {
    if (!this.#options.image.hidden) return this.#imageTime;
    const { video } = this.#options;
    if (this.#buffer === null || video.readyState < 2) return null;
    return this.#buffer.anchor + video.currentTime * 1000;
  }

  /** When the picture before or after the one of a moment begins, ms since epoch; null: it is not here. */
  pictureBeside(time: number, by: 1 | -1): number | null {
    return this.#loader?.pictureBeside(time, by) ?? null;
  }

  /** What there is of a moment, and whether it can be seen at once. */
  stateAt(time: number): LaneState {
    const segment = this.#listing.at(time);
    if (segment === null) return 'nothing';
    if (segment === undefined) return this.#listing.error === null ? 'looking' : 'failed';
    if (this.#pictures !== null) return 'shown';
    const { video } = this.#options;
    const isThere = this.#placeOf(time) !== null && video.readyState >= 2 && !video.seeking;
    if (isThere) return 'shown';
    return this.#loader !== null && this.#loader.error !== null ? 'failed' : 'loading';
  }

  /** Where footage goes on after a moment; null: it does not. Throws ApiError. */
  next(time: number): Promise<number | null> {
    return this.#listing.next(time);
  }

  forget(): void {
    this.#listing.forget();
  }

  turn(turn: Turn): void {
    const { time } = turn;
    this.#listing.keep(time);
    this.#state = this.stateAt(time);
    if (this.#pictures !== null) {
      this.#showPictures(turn);
      return;
    }
    this.#prepare(time);
    if (!turn.isScrubbing) this.#loader?.keep(time);
    const place = this.#placeOf(time);
    if (place === null) this.#miss(turn);
    else this.#follow(place, turn);
    this.#cover(turn, place !== null);
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#options.queue.forget(this.camera);
    this.#loader?.[Symbol.dispose]();
    this.#buffer?.[Symbol.dispose]();
    if (this.#imageUrl !== '') URL.revokeObjectURL(this.#imageUrl);
  }

  /** A buffer whose timeline reaches back far enough. */
  #prepare(time: number): void {
    if (this.#buffer !== null && time > this.#buffer.anchor + 3_600_000) return;
    this.#loader?.[Symbol.dispose]();
    this.#buffer?.[Symbol.dispose]();
    const anchor = Math.floor(time / 1000) * 1000 - reachBack;
    this.#buffer = new LaneBuffer(this.#options.video, anchor, () => this.#fallBack('decode'));
    this.#loader = new LaneLoader(this.#listing, this.#buffer, {
      refused: (codec) => {
        this.#codec = codec;
        this.#fallBack('codec');
      },
    });
  }

  #fallBack(why: WhyPictures): void {
    if (this.#ending.signal.aborted || this.#pictures !== null) return;
    this.#codec = this.#loader?.codec || this.#codec;
    this.#pictures = why;
    this.#loader?.[Symbol.dispose]();
    this.#buffer?.[Symbol.dispose]();
    this.#loader = null;
    this.#buffer = null;
  }

  #placeOf(time: number): number | null {
    if (this.#buffer === null || this.#listing.at(time) == null) return null;
    return showable(this.#buffer.stretches, (time - this.#buffer.anchor) / 1000, seam);
  }

  #miss({ time, isScrubbing }: Turn): void {
    const { video } = this.#options;
    if (!video.paused) video.pause();
    const isExpected = this.#listing.at(time) != null && !isScrubbing && this.#loader?.isLoading === false;
    if (!isExpected) this.#missingSince = null;
    else this.#missingSince ??= performance.now();
    if (this.#missingSince === null || performance.now() - this.#missingSince < lostAfter) return;
    this.#missingSince = null;
    this.#loader?.lost(time);
  }

  #follow(place: number, { rate, isRunning }: Turn): void {
    const { video } = this.#options;
    this.#missingSince = null;
    if (video.seeking) return;
    if (!isRunning) {
      if (!video.paused) video.pause();
      if (Math.abs(video.currentTime - place) > 0.004) video.currentTime = place;
      return;
    }
    const here = this.#buffer?.stretches.find(
      ({ start, end }) => video.currentTime >= start && video.currentTime <= end,
    );
    // At the end of a file, before a seam, a browser would wait for ever.
    const isStuck = here !== undefined && place >= here.end;
    const step = stepTowards({ wanted: place, shown: video.currentTime, rate });
    if (isStuck) video.currentTime = place;
    else if (step.kind === 'seek') video.currentTime = Math.min(step.to, this.#endAt(place));
    else if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
    if (video.paused) void video.play().catch(() => {}); // muted video may always be played; the next turn tries again
  }

  #endAt(place: number): number {
    const stretch = this.#buffer?.stretches.find(({ start, end }) => place >= start && place < end);
    return stretch === undefined ? place : Math.max(place, stretch.end - 0.1);
  }

  /** While video is not there a picture of the moment may stand for it. */
  #cover({ time, isScrubbing }: Turn, isThere: boolean): void {
    const { image, video } = this.#options;
    if (isThere && !video.seeking && video.readyState >= 2) {
      image.hidden = true;
      this.#askedFor = Number.NaN;
    } else if (isScrubbing && !isThere) this.#ask(time);
  }

  #showPictures({ time, isScrubbing, rate }: Turn): void {
    const apart = isScrubbing ? 200 : pictureEvery * Math.max(1, rate);
    // Nothing was asked for yet, or long enough ago.
    if (Number.isNaN(this.#askedFor) || Math.abs(time - this.#askedFor) >= apart) this.#ask(time);
  }

  #ask(time: number): void {
    const at = Math.round(time / 500) * 500;
    if (at === this.#askedFor || this.#listing.at(time) === null) return;
    this.#askedFor = at;
    this.#options.queue.ask(this.camera, { camera: this.camera, at, width: pictureWidth }, (picture) => {
      if (picture === null || this.#ending.signal.aborted || Number.isNaN(this.#askedFor)) return;
      const before = this.#imageUrl;
      this.#imageUrl = URL.createObjectURL(picture.blob);
      this.#imageTime = picture.time;
      this.#options.image.src = this.#imageUrl;
      this.#options.image.hidden = false;
      if (before !== '') URL.revokeObjectURL(before);
    });
  }
}
