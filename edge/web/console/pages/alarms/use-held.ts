import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { type Cause, type Held, hold } from './lines.ts';

/** So long after the last movement over the list it follows what happens again, ms. */
const rest = 4_000;
const nothing: ReadonlySet<string> = new Set();

export interface HeldList extends Held {
  /** Shows what is new, from the top. */
  release(): void;
}

/**
 * Holds the list still while somebody points at it, touches it or has scrolled it: a line must not slip away from under his
 * finger. `box` is around the list; what scrolls in it is `.kit-virtual`.
 */
export function useHeld(
  live: readonly Cause[],
  open: ReadonlySet<string>,
  box: RefObject<HTMLElement | null>,
): HeldList {
  const [shown, setShown] = useState<readonly Cause[] | null>(null);
  const latest = useRef(live);
  latest.current = live;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isScrolled = () => (element.querySelector('.kit-virtual')?.scrollTop ?? 0) > 0;
    const letGo = () => {
      if (!isScrolled()) setShown(null);
    };
    const touch = () => {
      setShown((held) => held ?? latest.current);
      clearTimeout(timer);
      timer = setTimeout(letGo, rest);
    };
    const kinds = ['pointermove', 'pointerdown', 'scroll'] as const;
    for (const kind of kinds) element.addEventListener(kind, touch, { capture: true, passive: true });
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) element.removeEventListener(kind, touch, { capture: true });
    };
  }, [box]);
  const held = useMemo(
    () => (shown === null ? { causes: live, fresh: [], over: nothing } : hold(shown, live, open)),
    [shown, live, open],
  );
  return {
    ...held,
    release: () => {
      box.current?.querySelector('.kit-virtual')?.scrollTo({ top: 0 });
      setShown(null);
    },
  };
}
