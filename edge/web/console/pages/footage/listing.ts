import type { z } from 'zod';
import type { footageSchema } from '../../../footage-schemas.ts';
import { api, query } from '../../api.ts';
import { now as serverNow } from '../../kit/ticker.ts';
import { covers, nextStart, type Range, seam } from './coverage.ts';

/* Which files of one camera there are around a moment, asked for as the moment moves. */

export type FootageView = z.infer<typeof footageSchema>;
export type Segment = Omit<FootageView['segments'][number], 'isProtected'>;

const reach = { before: 90_000, after: 240_000 } as const;
/** So much is to be known ahead of the clock. */
const wantedAhead = 70_000;
/** Between two questions, and after one that failed, ms. */
const pause = { usual: 3_000, failed: 4_000 } as const;
const day = 86_400_000;

export class Listing {
  readonly camera: string;
  readonly #signal: AbortSignal;
  segments: readonly Segment[] = [];
  /** Whether its masks are burnt in for whoever looks. */
  isMasked = false;
  error: unknown = null;
  /** What the segments tell all of; nothing of the future is known. */
  #known: Range | null = null;
  #isAsking = false;
  #notBefore = 0;

  constructor(camera: string, signal: AbortSignal) {
    this.camera = camera;
    this.#signal = signal;
  }

  /** The file that shows a moment; null: none does; undefined: not known yet. */
  at(time: number): Segment | null | undefined {
    const found = this.segments.find(({ from, to }, index) => {
      const next = this.segments[index + 1];
      const isSeam = next !== undefined && next.from - to < seam;
      return time >= from && time < (isSeam ? next.from : to);
    });
    if (found !== undefined) return found;
    const isKnown = this.#known !== null && time >= this.#known.from && time < this.#known.to;
    return isKnown ? null : undefined;
  }

  /** Asks for what is not known around the moment. */
  keep(time: number): void {
    const known = this.#known;
    const isEnough = known !== null && time >= known.from && time + wantedAhead <= known.to;
    if (isEnough || this.#isAsking || performance.now() < this.#notBefore) return;
    void this.#ask(time);
  }

  /** A file was not there: what is known is old. */
  forget(): void {
    this.#known = null;
  }

  /** Where it goes on after a moment; null: it does not (yet). Throws ApiError. */
  async next(time: number): Promise<number | null> {
    const now = Math.ceil(serverNow());
    for (const span of [day, 7 * day, Number.POSITIVE_INFINITY]) {
      const to = Math.min(now, time + span);
      if (to <= time) return null;
      const asked = query({ from: Math.floor(time), to: Math.ceil(to), segments: 'no' });
      const { ranges } = await api.get<FootageView>(`cameras/${this.camera}/footage${asked}`, this.#signal);
      const found = covers(ranges, time) ? time : nextStart(ranges, time);
      if (found !== null) return found;
      if (to >= now) return null;
    }
    return null;
  }

  async #ask(time: number): Promise<void> {
    this.#isAsking = true;
    const [from, to] = [Math.max(0, Math.floor(time - reach.before)), Math.floor(time + reach.after)];
    try {
      const asked = serverNow();
      const path = `cameras/${this.camera}/footage${query({ from, to })}`;
      const said = await api.get<FootageView>(path, this.#signal);
      this.segments = said.segments;
      this.isMasked = said.isMasked;
      this.#known = { from, to: Math.min(to, asked) };
      this.error = null;
      this.#notBefore = performance.now() + (to > asked ? pause.usual : 0);
    } catch (error) {
      if (!this.#signal.aborted) this.error = error;
      this.#notBefore = performance.now() + pause.failed;
    } finally {
      this.#isAsking = false;
    }
  }
}
