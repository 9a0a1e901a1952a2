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
  const end = ({ pointerId }: PointerEvent) => void pointers.current.delete(pointerId);
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
      if (!hasMoved.current) return;
      hasMoved.current = false;
      event.stopPropagation();
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

/** Drags the element it is given to; Escape lets go without dropping. Needs `touch-action: none`. */
export function useDrag(handlers: DragHandlers | null) {
  const latest = useRef(handlers);
  latest.current = handlers;
  const start = useRef<(Point & { readonly pointerId: number }) | null>(null);
  const isDragging = useRef(false);
  const isOver = useRef(false);
  const cancel = () => {
    if (isDragging.current) latest.current?.onCancel();
    start.current = null;
    isDragging.current = false;
  };
  useEffect(() => {
    const hear = (event: KeyboardEvent) => event.key === 'Escape' && cancel();
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  });
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || latest.current === null) return;
      event.stopPropagation();
      start.current = { x: event.clientX, y: event.clientY, pointerId: event.pointerId };
      isOver.current = false;
    },
    onPointerMove: (event: PointerEvent) => {
      const from = start.current;
      if (from === null || from.pointerId !== event.pointerId) return;
      if (event.buttons === 0) return cancel();
      if (!isDragging.current) {
        if (Math.hypot(event.clientX - from.x, event.clientY - from.y) < still) return;
        isDragging.current = true;
        isOver.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }
      latest.current?.onMove(event.clientX, event.clientY);
    },
    onPointerUp: (event: PointerEvent) => {
      if (isDragging.current) latest.current?.onDrop(event.clientX, event.clientY);
      start.current = null;
      isDragging.current = false;
    },
    onPointerCancel: cancel,
    onClickCapture: (event: MouseEvent) => {
      if (!isOver.current) return;
      isOver.current = false;
      event.stopPropagation();
    },
  };
}
