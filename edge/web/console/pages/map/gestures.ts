import { type MouseEvent, type PointerEvent, useEffect, useRef } from 'react';
import type { Stage } from './use-stage.ts';

/* Fingers and mice. A press that stays where it is remains a click for whatever is under it. */

/** px; less is an unsteady hand. */
const still = 5;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Moves the view by one pointer, zooms by two. */
export function usePanAndPinch(stage: Stage) {
  const pointers = useRef(new Map<number, Point>());
  const start = useRef<Point | null>(null);
  const hasMoved = useRef(false);
  const end = ({ pointerId }: PointerEvent) => {
    pointers.current.delete(pointerId);
    // After the click that ends it, if there is one at all.
    if (pointers.current.size === 0) {
      setTimeout(() => {
        hasMoved.current = false;
      });
    }
  };
  return {
    onPointerDown: ({ button, pointerId, clientX, clientY }: PointerEvent) => {
      if (button !== 0) return;
      if (pointers.current.size === 0) {
        start.current = { x: clientX, y: clientY };
        hasMoved.current = false;
      }
      pointers.current.set(pointerId, { x: clientX, y: clientY });
    },
    onPointerMove: (event: PointerEvent) => {
      const { pointerId, clientX, clientY } = event;
      const before = pointers.current.get(pointerId);
      if (before === undefined) return;
      if (event.buttons === 0) return end(event);
      const now = { x: clientX, y: clientY };
      const from = start.current ?? now;
      if (!hasMoved.current) {
        if (pointers.current.size === 1 && Math.hypot(now.x - from.x, now.y - from.y) < still) return;
        hasMoved.current = true;
        stage.box.current?.setPointerCapture(pointerId);
      }
      const other = [...pointers.current].find(([id]) => id !== pointerId)?.[1];
      pointers.current.set(pointerId, now);
      if (other === undefined) stage.panBy(now.x - before.x, now.y - before.y);
      else pinch(stage, other, before, now);
    },
    onPointerUp: end,
    onPointerCancel: end,
    /** The click at the end of a movement is none. */
    onClickCapture: (event: MouseEvent) => {
      if (hasMoved.current) event.stopPropagation();
    },
  };
}

function pinch(stage: Stage, other: Point, before: Point, now: Point): void {
  const seen = stage.box.current?.getBoundingClientRect();
  if (seen === undefined) return;
  const was = Math.hypot(before.x - other.x, before.y - other.y);
  const is = Math.hypot(now.x - other.x, now.y - other.y);
  stage.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  const at = { x: (now.x + other.x) / 2 - seen.left, y: (now.y + other.y) / 2 - seen.top };
  if (was > 0 && is > 0) stage.zoomBy(is / was, at);
}

export interface DragHandlers {
  readonly onMove: (clientX: number, clientY: number) => void;
  readonly onDrop: (clientX: number, clientY: number) => void;
  readonly onCancel: () => void;
}

/**
 * Drags the element it is given to; Escape lets go without dropping. Needs `touch-action: none`. The window is listened to,
 * as a quick hand has left the element before it was a drag; to capture the pointer at once would take the click from what
 * is within the element.
 */
export function useDrag(handlers: DragHandlers | null) {
  const latest = useRef(handlers);
  latest.current = handlers;
  const pressed = useRef<AbortController | null>(null);
  const isOver = useRef(false);
  useEffect(() => () => pressed.current?.abort(), []);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || latest.current === null) return;
      event.stopPropagation();
      pressed.current?.abort();
      pressed.current = follow(event, latest, () => {
        isOver.current = true;
        // After the click that ends it, if there is one at all.
        setTimeout(() => {
          isOver.current = false;
        });
      });
    },
    /** The click at the end of a drag is none. */
    onClickCapture: (event: MouseEvent) => {
      if (isOver.current) event.stopPropagation();
    },
  };
}

function follow(
  { pointerId, clientX, clientY }: PointerEvent,
  handlers: { readonly current: DragHandlers | null },
  onDragged: () => void,
): AbortController {
  const end = new AbortController();
  const { signal } = end;
  let isDragging = false;
  const cancel = () => {
    if (isDragging) handlers.current?.onCancel();
    end.abort();
  };
  const move = (event: globalThis.PointerEvent) => {
    if (event.pointerId !== pointerId) return;
    if (event.buttons === 0) return cancel();
    isDragging ||= Math.hypot(event.clientX - clientX, event.clientY - clientY) >= still;
    if (isDragging) handlers.current?.onMove(event.clientX, event.clientY);
  };
  const drop = (event: globalThis.PointerEvent) => {
    if (event.pointerId !== pointerId) return;
    end.abort();
    if (!isDragging) return;
    onDragged();
    handlers.current?.onDrop(event.clientX, event.clientY);
  };
  addEventListener('pointermove', move, { signal });
  addEventListener('pointerup', drop, { signal });
  addEventListener('pointercancel', (event) => event.pointerId === pointerId && cancel(), { signal });
  addEventListener('keydown', ({ key }) => key === 'Escape' && cancel(), { signal });
  return end;
}
