import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { centred, framed, layerOf, onPlan, type Size, type Spot, settled, type View, zoomed } from './view.ts';

/* The window onto a plan: how far in, which piece, and what fingers, wheel and keys do to it. */

export interface Stage {
  readonly box: RefObject<HTMLElement | null>;
  /** px; null until it is measured. */
  readonly size: Size | null;
  /** Of the whole plan as it is drawn, px. */
  readonly layer: Size;
  readonly view: View;
  readonly zoomBy: (factor: number, at?: Spot) => void;
  readonly panBy: (right: number, down: number) => void;
  readonly whole: () => void;
  /** At least as close as `zoom`; lower than the middle, so that a card has room above it. */
  readonly centreOn: (spot: Spot, zoom: number) => void;
  readonly frame: (spots: readonly Spot[]) => void;
  /** The spot of the plan under a pointer; null outside of the stage or beside the plan. */
  readonly spotAt: (clientX: number, clientY: number) => Spot | null;
  /** The spot in the middle of what is seen. */
  readonly middle: () => Spot;
}

const nothing: Size = { width: 0, height: 0 };
const begin: View = { zoom: 1, x: 0, y: 0 };
/** px of a wheel that double. */
const wheelDouble = 320;
/** Share of the stage above what is centred. */
const roomAbove = 0.72;

export function useStage(plan: Size): Stage {
  const box = useRef<HTMLElement>(null);
  const [size, setSize] = useState<Size | null>(null);
  const [wanted, setView] = useState<View>(begin);
  const { width, height } = plan;
  const shape = useMemo(() => ({ width, height }), [width, height]);
  useMeasured(box, setSize);

  const view = useMemo(() => (size === null ? begin : settled(wanted, shape, size)), [wanted, shape, size]);
  const layer = useMemo(() => (size === null ? nothing : layerOf(shape, size, view.zoom)), [shape, size, view.zoom]);
  const change = useCallback(
    (next: (before: View, place: Size) => View) => {
      if (size !== null) setView((before) => next(settled(before, shape, size), size));
    },
    [shape, size],
  );
  const zoomBy = useCallback(
    (factor: number, at?: Spot) =>
      change((before, place) =>
        zoomed(before, factor, at ?? { x: place.width / 2, y: place.height / 2 }, shape, place),
      ),
    [change, shape],
  );
  useWheel(box, zoomBy);
  return {
    box,
    size,
    layer,
    view,
    zoomBy,
    panBy: useCallback(
      (right, down) =>
        change((before, place) => settled({ ...before, x: before.x + right, y: before.y + down }, shape, place)),
      [change, shape],
    ),
    whole: useCallback(() => setView(begin), []),
    centreOn: useCallback(
      (spot, zoom) => change((before, place) => centred(before, spot, zoom, shape, place, roomAbove)),
      [change, shape],
    ),
    frame: useCallback((spots) => change((_, place) => framed(spots, shape, place)), [change, shape]),
    spotAt: (clientX, clientY) => {
      const seen = box.current?.getBoundingClientRect();
      if (seen === undefined || layer.width === 0) return null;
      const [right, down] = [clientX - seen.left, clientY - seen.top];
      if (right < 0 || down < 0 || right > seen.width || down > seen.height) return null;
      const [x, y] = [(right - view.x) / layer.width, (down - view.y) / layer.height];
      return x < 0 || y < 0 || x > 1 || y > 1 ? null : onPlan({ x, y });
    },
    middle: () => {
      if (size === null) return { x: 0.5, y: 0.5 };
      return onPlan({
        x: (size.width / 2 - view.x) / layer.width,
        y: (size.height / 2 - view.y) / layer.height,
      });
    },
  };
}

function useMeasured(box: RefObject<HTMLElement | null>, tell: (size: Size) => void): void {
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => {
      const { clientWidth, clientHeight } = element;
      if (clientWidth > 0 && clientHeight > 0) tell({ width: clientWidth, height: clientHeight });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, tell]);
}

/** The page itself does not scroll while one zooms: React's own listener could not say so. */
function useWheel(box: RefObject<HTMLElement | null>, zoomBy: (factor: number, at: Spot) => void): void {
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const turn = (event: WheelEvent) => {
      // What is open above the plan scrolls by itself.
      if (event.target instanceof Element && event.target.closest('.map-card') !== null) return;
      event.preventDefault();
      const seen = element.getBoundingClientRect();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 18 : 1);
      const factor = 2 ** (-Math.max(-wheelDouble, Math.min(wheelDouble, pixels)) / wheelDouble);
      zoomBy(factor, { x: event.clientX - seen.left, y: event.clientY - seen.top });
    };
    element.addEventListener('wheel', turn, { passive: false });
    return () => element.removeEventListener('wheel', turn);
  }, [box, zoomBy]);
}
