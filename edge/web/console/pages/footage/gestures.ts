import { type RefObject, useEffect, useRef } from 'react';
import type { Bounds, Scale } from './scale.ts';
import { moved, pinched, timeAt, zoomed } from './scale.ts';

/* Mouse, wheel and fingers on the timeline: its strips are where one goes, its times are what one holds to move it. */

export interface GestureOptions {
  readonly scale: Scale;
  readonly bounds: Bounds;
  /** px from the top that belong to the times. */
  readonly ruler: number;
  readonly onScale: (scale: Scale) => void;
  readonly onScrub: (time: number) => void;
  readonly onScrubEnd: (time: number) => void;
  /** The pointer rests over a moment; null: it has gone. */
  readonly onHover: (time: number | null) => void;
}

/** Of one notch of a wheel. */
const wheelZoom = 1.25;

interface Finger {
  readonly began: number;
  at: number;
}

export function useGestures(box: RefObject<HTMLElement | null>, options: GestureOptions): void {
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const hand = new Hand(element, () => latest.current);
    return () => hand[Symbol.dispose]();
  }, [box]);
}

class Hand implements Disposable {
  readonly #element: HTMLElement;
  readonly #options: () => GestureOptions;
  readonly #ending = new AbortController();
  readonly #fingers = new Map<number, Finger>();
  #kind: 'none' | 'scrub' | 'move' | 'pinch' = 'none';
  #start: Scale | null = null;

  constructor(element: HTMLElement, options: () => GestureOptions) {
    this.#element = element;
    this.#options = options;
    const { signal } = this.#ending;
    element.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    element.addEventListener('pointermove', (event) => this.#move(event), { signal });
    element.addEventListener('pointerup', (event) => this.#up(event), { signal });
    element.addEventListener('pointercancel', (event) => this.#up(event), { signal });
    element.addEventListener('pointerleave', () => this.#options().onHover(null), { signal });
    element.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  #placeOf(event: PointerEvent | WheelEvent): { readonly x: number; readonly y: number } {
    const { left, top } = this.#element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 || event.target instanceof HTMLAnchorElement || event.target instanceof HTMLButtonElement)
      return;
    const { x, y } = this.#placeOf(event);
    const { scale, ruler, onScrub, onHover } = this.#options();
    this.#element.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, { began: x, at: x });
    this.#start = scale;
    onHover(null);
    if (this.#fingers.size === 2) {
      this.#kind = 'pinch';
      for (const [id, { at }] of this.#fingers) this.#fingers.set(id, { began: at, at });
    } else if (this.#fingers.size === 1) {
      this.#kind = y < ruler ? 'move' : 'scrub';
      if (this.#kind === 'scrub') onScrub(timeAt(scale, x));
    }
  }

  #move(event: PointerEvent): void {
    const { x, y } = this.#placeOf(event);
    const { scale, bounds, ruler, onScale, onScrub, onHover } = this.#options();
    const finger = this.#fingers.get(event.pointerId);
    if (finger === undefined) {
      if (event.pointerType === 'mouse') onHover(y < ruler ? null : timeAt(scale, x));
      return;
    }
    finger.at = x;
    const [one, other] = [...this.#fingers.values()];
    if (this.#kind === 'pinch' && this.#start !== null && one !== undefined && other !== undefined) {
      onScale(pinched(this.#start, [one.began, other.began], [one.at, other.at], bounds));
    } else if (this.#kind === 'move' && this.#start !== null) onScale(moved(this.#start, x - finger.began));
    else if (this.#kind === 'scrub') onScrub(timeAt(scale, Math.max(0, Math.min(scale.width, x))));
  }

  #up(event: PointerEvent): void {
    const finger = this.#fingers.get(event.pointerId);
    if (finger === undefined) return;
    this.#fingers.delete(event.pointerId);
    const { scale, onScrubEnd } = this.#options();
    if (this.#kind === 'scrub') onScrubEnd(timeAt(scale, Math.max(0, Math.min(scale.width, finger.at))));
    if (this.#fingers.size === 0) this.#kind = 'none';
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const { scale, bounds, onScale } = this.#options();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      onScale(moved(scale, -sideways));
      return;
    }
    const notches = Math.max(-3, Math.min(3, event.deltaY / (event.deltaMode === 0 ? 100 : 3)));
    onScale(zoomed(scale, wheelZoom ** notches, timeAt(scale, this.#placeOf(event).x), bounds));
  }
}
