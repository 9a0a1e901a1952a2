/* The timeline's scale: which time lies where. Times are ms since epoch, places are px from its left end. Pure. */

export interface Scale {
  readonly from: number;
  /** ms. */
  readonly span: number;
  /** px. */
  readonly width: number;
}

export interface Bounds {
  readonly least: number;
  readonly most: number;
}

export function timeAt({ from, span, width }: Scale, x: number): number {
  return from + (width <= 0 ? 0 : (x / width) * span);
}

export function placeOf({ from, span, width }: Scale, time: number): number {
  return ((time - from) / span) * width;
}

/** Nearer (`factor` below 1) or farther, so that `time` stays where it is. */
export function zoomed(scale: Scale, factor: number, time: number, { least, most }: Bounds): Scale {
  const span = Math.min(most, Math.max(least, scale.span * factor));
  const part = (time - scale.from) / scale.span;
  return { ...scale, from: time - part * span, span };
}

/** Another span around a moment, which stays where it is when it can be seen, and else comes into the middle. */
export function spanned(scale: Scale, span: number, time: number): Scale {
  const part = (time - scale.from) / scale.span;
  const isSeen = part >= 0.02 && part <= 0.98;
  return { ...scale, from: time - (isSeen ? part : 0.5) * span, span };
}

export function moved(scale: Scale, px: number): Scale {
  return { ...scale, from: scale.from - (px / Math.max(1, scale.width)) * scale.span };
}

/** Two fingers: what lay under each when they came lies under each now, as far as the bounds allow. */
export function pinched(
  start: Scale,
  before: readonly [number, number],
  after: readonly [number, number],
  { least, most }: Bounds,
): Scale {
  const distance = Math.max(8, Math.abs(after[1] - after[0]));
  const factor = Math.max(8, Math.abs(before[1] - before[0])) / distance;
  const span = Math.min(most, Math.max(least, start.span * factor));
  const held = timeAt(start, (before[0] + before[1]) / 2);
  const middle = (after[0] + after[1]) / 2;
  return { ...start, span, from: held - (middle / Math.max(1, start.width)) * span };
}

/** Turns the page when the moment that plays nears the end or is not seen; null: it stays. */
export function followed(scale: Scale, time: number): Scale | null {
  const part = (time - scale.from) / scale.span;
  if (part >= 0 && part <= 0.92) return null;
  return { ...scale, from: time - scale.span * 0.12 };
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 4, 6, 12].map((count) => count * hour),
];

export interface Tick {
  readonly time: number;
  /** Whether it says its time; the others are only lines. */
  readonly isNamed: boolean;
}

/** Lines of the scale, on whole steps of the campus's clock (`midnight`: of a day in view). */
export function ticksOf(scale: Scale, midnight: number, room = 84): { readonly step: number; readonly ticks: Tick[] } {
  const fits = (step: number, px: number) => (step / scale.span) * scale.width >= px;
  const step = steps.find((one) => fits(one, room)) ?? 24 * hour;
  const fine = steps.find((one) => step % one === 0 && fits(one, 9)) ?? step;
  const first = Math.ceil((scale.from - midnight) / fine);
  const last = Math.floor((scale.from + scale.span - midnight) / fine);
  const ticks: Tick[] = [];
  for (let index = first; index <= last; index++) {
    const past = index * fine;
    ticks.push({ time: midnight + past, isNamed: past % step === 0 });
  }
  return { step, ticks };
}
