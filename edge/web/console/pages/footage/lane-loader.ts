import { ApiError, call } from '../../api.ts';
import { canShow, type LaneBuffer } from './lane-buffer.ts';
import type { Listing, Segment } from './listing.ts';
import { factsOf, pictureTimes, wholeEnd } from './mp4.ts';
import { nextPiece, outside } from './window.ts';

/* Files of footage on their way from the box into the buffer of one camera: the one that is needed first, then what follows. */

interface Held {
  readonly id: string;
  readonly from: number;
  /** As the listing said it when it was fetched: one that is being written grows. */
  to: number;
  /** Bytes of it that are in the buffer. */
  consumed: number;
  tries: number;
  timescale: number;
  /** When its pictures begin, ms since epoch. */
  pictures: number[];
}

export interface LoaderEvents {
  /** The browser cannot show this codec. */
  refused(codec: string): void;
}

/** Masks are burnt in while one waits. */
const patience = 60_000;
/** Bytes that are handed over at once. */
const gulp = 131_072;
const mostTries = 4;
const pauseAfterError = 2_000;
/** What is written grows by more than this before it is fetched anew as a whole, ms. */
const grown = 2_000;
/** No picture stands for longer, ms. */
const beside = 5_000;

export class LaneLoader implements Disposable {
  readonly #listing: Listing;
  readonly #buffer: LaneBuffer;
  readonly #events: LoaderEvents;
  readonly #ending = new AbortController();
  readonly #held = new Map<string, Held>();
  #loading: { readonly id: string; readonly ending: AbortController } | null = null;
  #notBefore = 0;
  /** The file that was added to last; a part of another may have broken off. */
  #last = '';
  error: unknown = null;
  codec = '';

  constructor(listing: Listing, buffer: LaneBuffer, events: LoaderEvents) {
    this.#listing = listing;
    this.#buffer = buffer;
    this.#events = events;
  }

  /** Fetches what is missing around the moment, and lets go of what lies too far from it. */
  keep(time: number): void {
    for (const held of outside(this.#held.values(), time)) {
      if (held.id === this.#loading?.id) this.#loading.ending.abort();
      this.#held.delete(held.id);
      void this.#buffer.remove(held.from, held.to).catch(() => {}); // it is over, or goes with the buffer
    }
    const next = nextPiece(this.#listing.segments, time, (piece) => this.#isWanted(piece));
    if (this.#loading !== null) {
      // Somebody has gone elsewhere: what is needed now comes first.
      const isNeeded =
        next === null || next.id === this.#loading.id || this.#held.has(this.#listing.at(time)?.id ?? '');
      if (!isNeeded) this.#loading.ending.abort();
      return;
    }
    if (next === null || performance.now() < this.#notBefore) return;
    void this.#load(next);
  }

  /** The browser has thrown away what it had of a moment, or never took it: it is fetched anew. */
  lost(time: number): void {
    const id = this.#listing.at(time)?.id;
    if (id === undefined || id === this.#loading?.id) return;
    const held = this.#held.get(id);
    if (held !== undefined && held.tries < mostTries) Object.assign(held, { consumed: 0, tries: held.tries + 1 });
  }

  /** When the picture before or after that of a moment begins, ms since epoch; null: it is not here. */
  pictureBeside(time: number, by: 1 | -1): number | null {
    const around = [...this.#held.values()].filter(({ from, to }) => to > time - beside && from < time + beside);
    const pictures = around.flatMap((held) => held.pictures).toSorted((a, b) => a - b);
    const shown = pictures.findLastIndex((begin) => begin <= time + 1);
    return pictures[shown + by] ?? null;
  }

  get isLoading(): boolean {
    return this.#loading !== null;
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#loading?.ending.abort();
  }

  #isWanted(piece: Segment): boolean {
    const held = this.#held.get(piece.id);
    if (held === undefined || this.#loading?.id === piece.id) return true;
    if (held.tries >= mostTries) return false;
    if (held.consumed === 0) return true;
    return this.#listing.isMasked ? piece.to > held.to + grown : piece.bytes > held.consumed;
  }

  async #load(piece: Segment): Promise<void> {
    const ending = new AbortController();
    this.#loading = { id: piece.id, ending };
    const held = this.#held.get(piece.id) ?? {
      ...{ id: piece.id, from: piece.from, to: piece.to, consumed: 0, tries: 0, timescale: 1, pictures: [] },
    };
    this.#held.set(piece.id, held);
    try {
      await this.#fetch(piece, held, AbortSignal.any([ending.signal, this.#ending.signal]));
      this.error = null;
    } catch (error) {
      if (ending.signal.aborted && held.consumed === 0) this.#held.delete(piece.id);
      if (!ending.signal.aborted && !this.#ending.signal.aborted) this.#failed(error, held);
    } finally {
      this.#loading = null;
    }
  }

  #failed(error: unknown, held: Held): void {
    if (error instanceof ApiError && error.status === 416) return; // nothing was added to it
    held.tries++;
    const wait = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
    this.#notBefore = performance.now() + Math.max(wait, pauseAfterError);
    if (error instanceof ApiError && error.status === 404) this.#listing.forget();
    else if (error instanceof DOMException && error.name === 'QuotaExceededError') this.#makeRoom(held);
    else this.error = error;
  }

  /** The browser keeps less than we thought: everything but what plays goes. */
  #makeRoom(held: Held): void {
    for (const other of this.#held.values()) {
      if (other === held) continue;
      this.#held.delete(other.id);
      void this.#buffer.remove(other.from, other.to).catch(() => {}); // it goes with the buffer
    }
  }

  async #fetch(piece: Segment, held: Held, signal: AbortSignal): Promise<void> {
    const { camera, isMasked } = this.#listing;
    // What is recoded comes out anew each time, and after another file a browser wants a key frame first: there is no rest then.
    if (isMasked || this.#last !== held.id) held.consumed = 0;
    const range = held.consumed === 0 ? {} : { range: `bytes=${held.consumed}-` };
    const path = `cameras/${camera}/footage/segments/${piece.id}`;
    const response = await call(path, { signal, patience, ...range });
    if (held.consumed > 0 && response.status !== 206) held.consumed = 0;
    const before = held.consumed;
    await this.#drink(response, held, signal);
    held.to = piece.to;
    // Nothing new came though the listing said so: it is not asked for again at once.
    if (held.consumed === before) this.#notBefore = performance.now() + pauseAfterError;
  }

  async #drink(response: Response, held: Held, signal: AbortSignal): Promise<void> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined) rest = joined(rest, value);
      if (rest.byteLength >= gulp || done) {
        const taken = await this.#swallow(rest, held);
        signal.throwIfAborted();
        rest = rest.slice(taken);
      }
      if (done) return;
    }
  }

  /** Hands over what is whole, and answers how much that was. */
  async #swallow(bytes: Uint8Array<ArrayBuffer>, held: Held): Promise<number> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = wholeEnd(view);
    if (end === 0) return 0;
    if (held.consumed === 0) {
      const facts = factsOf(view);
      if (facts === null) return 0;
      this.codec = facts.codec;
      if (!canShow(facts.codec)) {
        this.#events.refused(facts.codec);
        throw new ApiError(0, 'codec', facts.codec);
      }
      held.timescale = facts.timescale;
      held.pictures = [];
      this.#last = '';
      await this.#buffer.begin(facts.codec, held.from);
    }
    await this.#buffer.append(bytes.slice(0, end));
    const whole = new DataView(bytes.buffer, bytes.byteOffset, end);
    for (const time of pictureTimes(whole, held.timescale)) held.pictures.push(held.from + time * 1000);
    held.consumed += end;
    this.#last = held.id;
    return end;
  }
}

function joined(first: Uint8Array<ArrayBuffer>, second: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (first.byteLength === 0) return second;
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}
