import { type KeyboardEvent, useCallback, useRef, useState } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import { useAnnounce } from '../../kit/announce.tsx';
import { useFormats, useWords } from '../../kit/language.tsx';
import type { PlanActs } from './acts.tsx';
import type { DragHandlers } from './gestures.ts';
import type { Stage } from './use-stage.ts';
import { onPlan, type Spot } from './view.ts';
import { words } from './words.ts';

/* A device on its way to its place: under a pointer, or moved by keys until Enter. */

export interface Carried {
  readonly device: string;
  /** null: it is not above the plan just now. */
  readonly spot: Spot | null;
  readonly how: 'drag' | 'keys';
  /** Of the pointer, px of the window. */
  readonly pointer: Spot | null;
}

export interface Placing {
  readonly carried: Carried | null;
  /** Takes it up; it is moved by keys or by pressing the plan. */
  readonly begin: (device: string, spot: Spot) => void;
  readonly cancel: () => void;
  /** Puts what is carried there; without a spot, where it is. */
  readonly put: (spot?: Spot) => void;
  readonly onKey: (event: KeyboardEvent) => void;
  readonly drag: (device: string) => DragHandlers;
}

/** Fractions of the plan at zoom 1. */
const step = 0.01;
const longStep = 0.05;
const arrows: Readonly<Record<string, Spot>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export function usePlacing(plan: PlanView, stage: Stage, acts: PlanActs): Placing {
  const say = useWords(words);
  const formats = useFormats();
  const announce = useAnnounce();
  const [carried, setCarried] = useState<Carried | null>(null);
  const cameFrom = useRef<Element | null>(null);
  const latest = useRef({ plan, stage, acts });
  latest.current = { plan, stage, acts };

  const save = useCallback(async (device: string, spot: Spot) => {
    const now = latest.current;
    // It stays under the pointer until the server has said so.
    setCarried({ device, spot, how: 'drag', pointer: null });
    await now.acts.place(now.plan, device, spot);
    setCarried((still) => (still?.device === device ? null : still));
    requestAnimationFrame(() => focusGlyph(now.stage, device, cameFrom.current));
  }, []);
  const cancel = () => {
    setCarried(null);
    if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
  };
  const put = (spot = carried?.spot ?? undefined) => {
    if (carried !== null && spot !== undefined) void save(carried.device, spot);
  };
  return {
    carried,
    begin: (device, spot) => {
      cameFrom.current = document.activeElement;
      setCarried({ device, spot, how: 'keys', pointer: null });
    },
    cancel,
    put,
    onKey: (event) => {
      if (carried?.spot === null || carried === null) return;
      const arrow = arrows[event.key];
      if (event.key === 'Enter') put();
      else if (event.key === 'Escape') cancel();
      else if (arrow !== undefined) {
        const far = (event.shiftKey ? longStep : step) / stage.view.zoom;
        const spot = onPlan({ x: carried.spot.x + arrow.x * far, y: carried.spot.y + arrow.y * far });
        setCarried({ ...carried, spot });
        announce(say.spot(formats.percent(spot.x), formats.percent(spot.y)));
      } else return;
      event.preventDefault();
      event.stopPropagation();
    },
    drag: useCallback(
      (device: string) => ({
        onMove: (x, y) =>
          setCarried({ device, spot: latest.current.stage.spotAt(x, y), how: 'drag', pointer: { x, y } }),
        onDrop: (x, y) => {
          const spot = latest.current.stage.spotAt(x, y);
          cameFrom.current = null;
          if (spot === null) setCarried(null);
          else void save(device, spot);
        },
        onCancel: () => setCarried(null),
      }),
      [save],
    ),
  };
}

function focusGlyph({ box }: Stage, device: string, otherwise: Element | null): void {
  const glyph = box.current?.querySelector(`[data-device="${CSS.escape(device)}"]`);
  const target = glyph ?? otherwise;
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}
