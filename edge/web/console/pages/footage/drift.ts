/* What one picture must do to be where the common clock is. Pure: seconds of its own timeline in, a decision out. */

export interface Place {
  /** Where the clock is, and where the picture is, s. */
  readonly wanted: number;
  readonly shown: number;
  readonly rate: number;
}

export type DriftStep =
  | { readonly kind: 'play'; readonly rate: number }
  | { readonly kind: 'seek'; readonly to: number };

/** Of the time that people see pass: at 16x a second of theirs is 16 of the footage's. */
const seekAbove = 0.25;
const nudgeAbove = 0.03;
const mostNudge = 0.12;
/** What a seek takes: the picture is to be right when it comes. */
const seekTime = 0.05;
const [slowest, fastest] = [0.0625, 16];

/** Nearer by a nudge of its rate; by a jump when it is off by more than 250 ms of what people see. */
export function stepTowards({ wanted, shown, rate }: Place): DriftStep {
  const late = (wanted - shown) / Math.max(1, rate);
  if (Math.abs(late) > seekAbove) return { kind: 'seek', to: wanted + seekTime * rate };
  const nudge = Math.abs(late) < nudgeAbove ? 0 : Math.max(-mostNudge, Math.min(mostNudge, late));
  return { kind: 'play', rate: Math.min(fastest, Math.max(slowest, rate * (1 + nudge))) };
}
