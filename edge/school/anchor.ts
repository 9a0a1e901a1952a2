import type { Anchor, Slot } from '#edge/domain/school.ts';

/* When on a day: a time of the clock, or an edge of slots. */

export interface AnchoredTime {
  /** Of the day; outside 0 to 86,399 it is no time of this day. */
  readonly second: number;
  /** null: a time of the clock. */
  readonly slot: Slot | null;
}

export function isAnchored(when: Anchor, slots: readonly Slot[]): boolean {
  return 'at' in when || slots.some((slot) => isOf(when.slot, slot));
}

export function timesOf(when: Anchor, slots: readonly Slot[]): readonly AnchoredTime[] {
  if ('at' in when) return [{ second: when.at, slot: null }];
  const times: AnchoredTime[] = [];
  for (const slot of slots) {
    if (!isOf(when.slot, slot)) continue;
    times.push({ second: (when.edge === 'start' ? slot.from : slot.to) + when.offset, slot });
  }
  return times;
}

function isOf(wanted: string | { readonly kind: string }, slot: Slot): boolean {
  return typeof wanted === 'string' ? slot.id === wanted : slot.kind === wanted.kind;
}
