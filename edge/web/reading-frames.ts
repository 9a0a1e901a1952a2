import type { Reading } from '#edge/domain/reading.ts';

/** One message `readings`, and the points it speaks of. */
export interface ReadingFrame {
  readonly refs: readonly string[];
  readonly bytes: Buffer;
}

/** Some 40 kB: a socket that is full is noticed before much more is put into it. */
const maxRows = 500;

/**
 * The latest reading of each point as `[ref, value, quality, reason, sourceTime, receivedTime]`. `rows` keeps what was
 * written for others in the same turn: those who see different zones share the points they both see.
 */
export function inFrames(
  refs: readonly string[],
  latest: ReadonlyMap<string, Reading>,
  rows: Map<string, string>,
): ReadingFrame[] {
  const frames: ReadingFrame[] = [];
  for (let at = 0; at < refs.length; at += maxRows) {
    const part = refs.slice(at, at + maxRows);
    const texts = part.flatMap((ref) => {
      const reading = latest.get(ref);
      if (reading === undefined) return [];
      const text = rows.get(ref) ?? rowOf(reading);
      rows.set(ref, text);
      return [text];
    });
    frames.push({ refs: part, bytes: Buffer.from(`event: readings\ndata: [${texts.join()}]\n\n`) });
  }
  return frames;
}

function rowOf({ ref, value, quality, reason, sourceTime, receivedTime }: Reading): string {
  return JSON.stringify([ref, value, quality, reason ?? null, sourceTime, receivedTime]);
}
