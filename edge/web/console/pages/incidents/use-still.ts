import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { IncidentView } from './data.ts';

/** So long after the last movement over the list it follows what happens again, ms. */
const rest = 4_000;

export interface StillList {
  readonly shown: readonly IncidentView[];
  /** Those that wait above until somebody wants to see them. */
  readonly fresh: readonly IncidentView[];
  release(): void;
}

/**
 * Holds the list still while somebody points at it, touches it, moves in it by keys or has scrolled it. What is in it changes in
 * place; what is new waits above it.
 */
export function useStill(
  all: readonly IncidentView[],
  isWanted: (incident: IncidentView) => boolean,
  box: RefObject<HTMLElement | null>,
): StillList {
  const [held, setHeld] = useState<readonly string[] | null>(null);
  const wanted = useMemo(() => all.filter(isWanted), [all, isWanted]);
  const latest = useRef(wanted);
  latest.current = wanted;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isScrolled = () => (element.querySelector('.kit-virtual')?.scrollTop ?? 0) > 0;
    const letGo = () => {
      if (!isScrolled()) setHeld(null);
    };
    const touch = () => {
      setHeld((before) => before ?? latest.current.map(({ id }) => id));
      clearTimeout(timer);
      timer = setTimeout(letGo, rest);
    };
    const kinds = ['pointermove', 'pointerdown', 'scroll', 'focusin'] as const;
    for (const kind of kinds) element.addEventListener(kind, touch, { capture: true, passive: true });
    return () => {
      clearTimeout(timer);
      for (const kind of kinds) element.removeEventListener(kind, touch, { capture: true });
    };
  }, [box]);
  const parted = useMemo(() => {
    if (held === null) return { shown: wanted, fresh: [] };
    const known = new Map(all.map((incident) => [incident.id, incident]));
    const kept = held.flatMap((id) => known.get(id) ?? []);
    const ids = new Set(held);
    const others = wanted.filter(({ id }) => !ids.has(id));
    // Older ones are a further page: they stand below and move nothing.
    const last = kept.at(-1);
    const at = last === undefined ? -1 : all.findIndex(({ id }) => id === last.id);
    const below = new Set(all.slice(at + 1).map(({ id }) => id));
    return {
      shown: [...kept, ...others.filter(({ id }) => last !== undefined && below.has(id))],
      fresh: others.filter(({ id }) => last === undefined || !below.has(id)),
    };
  }, [all, wanted, held]);
  return {
    ...parted,
    release: () => {
      box.current?.querySelector('.kit-virtual')?.scrollTo({ top: 0 });
      setHeld(null);
    },
  };
}
