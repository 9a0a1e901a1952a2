/** Timers of RFC 3261 (table 4) and what they become here, ms. */
export interface Timings {
  /** Round trip that is reckoned with: the first pause before something is sent again. */
  readonly t1: number;
  /** Longest pause before something but an INVITE is sent again. */
  readonly t2: number;
  /** How long a message may still wander in the network. */
  readonly t4: number;
  /** Timers B, D, F, H, J, L, M: nobody waits for anything longer. */
  readonly lifetime: number;
}

export const usualTimings: Timings = { t1: 500, t2: 4_000, t4: 5_000, lifetime: 32_000 };

/** Longer timers overflow in Node (2^31 ms). */
export const longestTimer = 86_400_000;
