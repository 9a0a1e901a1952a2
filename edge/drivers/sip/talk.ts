/* What the far end says back: measured, compared with what it was sent, and kept for whoever listens. */

export interface TalkFrame {
  /** Mono. */
  readonly pcm: Int16Array;
  /** Hz: 8000, with G.722 16000. */
  readonly rate: number;
  /** dBFS; -Infinity in digital silence. */
  readonly level: number;
  /** ms since epoch, when it came. */
  readonly at: number;
}

/** One far end's voice, for the length of a call. Whoever listens takes frames; what nobody takes in a second is dropped, oldest first. */
export interface Talk extends AsyncIterable<TalkFrame> {
  /** Frames that nobody took in time. */
  readonly dropped: number;
}

const mostWaiting = 50;

export class TalkBuffer implements Talk {
  #frames: TalkFrame[] = [];
  #wake: (() => void) | null = null;
  #isOver = false;
  dropped = 0;

  push(frame: TalkFrame): void {
    if (this.#isOver) return;
    this.#frames.push(frame);
    if (this.#frames.length > mostWaiting) {
      this.#frames.shift();
      this.dropped++;
    }
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** For one listener. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TalkFrame, void> {
    while (true) {
      const next = this.#frames.shift();
      if (next !== undefined) yield next;
      else if (this.#isOver) return;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        this.#wake = null;
      }
    }
  }
}

/** dBFS of a sine of full scale is -3. */
export function levelOf(pcm: Int16Array): number {
  let sum = 0;
  for (const value of pcm) sum += value * value;
  return sum === 0 || pcm.length === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / pcm.length / 32_768 ** 2);
}

/** Frequencies that are listened for, Hz: every 50 from 300 to 3400, what a telephone line carries. A frame of 20 ms tells 50 Hz apart. */
const bins = Array.from({ length: 63 }, (_, i) => 300 + i * 50);
const coefficients = bins.map((hertz) => 2 * Math.cos((2 * Math.PI * hertz) / 8_000));
/** Quieter than this is a room's hum, dBFS. */
const quietest = -50;

/** The tone that one frame mostly is (Goertzel), as a number of `bins`; null: speech, noise or nothing. */
export function toneOf(pcm: Int16Array): number | null {
  if (levelOf(pcm) < quietest) return null;
  let energy = 0;
  for (const value of pcm) energy += value * value;
  let best = 0;
  let strongest = 0;
  coefficients.forEach((coefficient, bin) => {
    let before = 0;
    let last = 0;
    for (const value of pcm) [before, last] = [last, value + coefficient * last - before];
    const power = before * before + last * last - coefficient * before * last;
    if (power > strongest) [best, strongest] = [bin, power];
  });
  // All energy in one bin is power = energy * n / 2.
  return strongest / ((energy * pcm.length) / 2) > 0.4 ? best : null;
}

/** Of how many frames one is looked at: ten a second tell as much as fifty. */
const every = 5;
/** Frames looked at that a room and its terminal may take to send back what it hears: 1.5 s. */
const memory = 15;
/** So many tones of ours must come back before it is no accident. */
const enough = 10;

/**
 * Does the far end send back the tones that it is sent? A terminal that hears itself is a loudspeaker that is proved to sound. What
 * people say in the room has no tone for long, and not the one that was just played.
 */
export class EchoJudge {
  readonly #sent: (number | null)[] = [];
  #matches = 0;
  #turn = { sent: 0, received: 0 };

  /** 8 kHz, asked for only when it is wanted. */
  sent(pcm: () => Int16Array): void {
    if (this.#turn.sent++ % every !== 0) return;
    this.#sent.push(toneOf(pcm()));
    if (this.#sent.length > memory) this.#sent.shift();
  }

  /** True once it is proved. */
  received(pcm: Int16Array): boolean {
    if (this.#turn.received++ % every !== 0) return this.isProved;
    const tone = toneOf(pcm);
    const isOurs = tone !== null && this.#sent.some((played) => played !== null && Math.abs(played - tone) <= 1);
    if (isOurs) this.#matches++;
    return this.isProved;
  }

  get isProved(): boolean {
    return this.#matches >= enough;
  }
}

/** 16 kHz -> 8 kHz, well enough to look for tones below 3.4 kHz. */
export function halved(pcm: Int16Array): Int16Array {
  return Int16Array.from({ length: pcm.length >> 1 }, (_, i) => ((pcm[2 * i] ?? 0) + (pcm[2 * i + 1] ?? 0)) >> 1);
}
