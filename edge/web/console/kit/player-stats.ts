/* What a picture is measured by: when the first came, how many a second, how far behind. */

export interface PlayerStats {
  /** ms from asking to the first picture on the screen; null: none yet. */
  readonly firstPicture: number | null;
  /** Pictures a second on the screen. */
  readonly rate: number | null;
  /** Pictures on the screen since the player began. */
  readonly shown: number;
}

const span = 3_000;

export class FrameCounter implements Disposable {
  readonly #began = performance.now();
  readonly #ending = new AbortController();
  readonly #onFirst: () => void;
  #first: number | null = null;
  #times: number[] = [];
  #shown = 0;

  /** Counts what the video shows; `onFirst` once. */
  constructor(video: HTMLVideoElement | null, onFirst: () => void) {
    this.#onFirst = onFirst;
    if (video === null) return;
    if (!('requestVideoFrameCallback' in HTMLVideoElement.prototype)) {
      video.addEventListener('timeupdate', () => this.count(), { signal: this.#ending.signal });
      return;
    }
    const next = (): void => {
      if (this.#ending.signal.aborted) return;
      this.count();
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }

  count(): void {
    const now = performance.now();
    this.#shown += 1;
    this.#times.push(now);
    if (this.#times.length > 400) this.#times = this.#times.slice(-200);
    if (this.#first !== null) return;
    this.#first = now - this.#began;
    this.#onFirst();
  }

  stats(): PlayerStats {
    const now = performance.now();
    const recent = this.#times.filter((at) => now - at < span);
    const first = recent[0];
    const rate = first === undefined || recent.length < 2 ? null : (recent.length - 1) / ((now - first) / 1000);
    return { firstPicture: this.#first === null ? null : Math.round(this.#first), rate, shown: this.#shown };
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }
}
