/** Paces of what a camera can do, ms. Tests compress them; sites keep them. */
export interface AbilityTimings {
  /** What it is and can do is read again after this, and at each connection. */
  readonly factsEvery: number;
  /** After the log-in: the subscription to its events goes first. */
  readonly factsAfter: number;
  /** Least time between two readings, whatever the connection does; and the first pause after one that failed. */
  readonly factsGap: number;
  /** A movement that is not asked for again ends. */
  readonly deadMan: number;
  /** The camera is told to end it by itself after this, should we be gone; whole seconds. */
  readonly cameraLimit: number;
  readonly stopWithin: number;
  /** How long a camera may need to its preset, and how often it is asked whether it is there. */
  readonly arriveWithin: number;
  readonly statusEvery: number;
  readonly homeRetry: number;
}

export const defaultAbilityTimings: AbilityTimings = {
  factsEvery: 3_600_000,
  factsAfter: 300,
  factsGap: 10_000,
  deadMan: 500,
  cameraLimit: 2_000,
  stopWithin: 5_000,
  arriveWithin: 12_000,
  statusEvery: 500,
  homeRetry: 10_000,
};
