/**
 * Lanes to the city, most urgent first. Each has its own sequence, so that an alarm never waits behind a backlog of
 * summaries. The list may grow; a name never changes its meaning.
 */
export const lanes = ['alarm', 'event', 'agg1m', 'health'] as const;
export type Lane = (typeof lanes)[number];

const known: ReadonlySet<string> = new Set(lanes);

export function isLane(name: string): name is Lane {
  return known.has(name);
}

/** Frames of one lane that may be on their way unacknowledged. The city may ask for fewer (`credit`). */
export const laneWindow = 16;

/** The edge keeps acknowledged rows this long, so that a city restored from last night's copy can pull again, ms. */
export const keepAcknowledged = 72 * 3_600_000;
