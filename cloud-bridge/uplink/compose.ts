import { encodeBody, encodeGap, extentOf, type GapMarker, toWire } from '#bridge/contract/bodies.ts';
import { encodeFrame, type FrameHeader } from '#bridge/contract/frame.ts';
import type { Lane } from '#bridge/contract/lanes.ts';
import { WireError } from '#bridge/contract/wire-error.ts';
import type { OutboxRow } from './source.ts';

/** What every frame of a lane has in common at one moment. */
export interface FrameContext {
  readonly campus: string;
  readonly lane: Lane;
  readonly epoch: number;
  /** Oldest sequence held. */
  readonly min: number;
  /** Edge clock minus city clock, ms; null before it was measured. */
  readonly clockOffset: number | null;
}

export interface Composed {
  readonly bytes: Buffer;
  /** Why a gap marker stands in for the row; null when the row itself is in the frame. */
  readonly gap: string | null;
}

/** Above this, times inside a frame are flagged and the city does not rank them, ms. */
const clockDoubt = 60_000;

function header(
  context: FrameContext,
  seq: number,
): Pick<FrameHeader, 'v' | 'c' | 'l' | 'e' | 's' | 'min' | 'off' | 'q'> {
  const { campus, lane, epoch, min, clockOffset } = context;
  return {
    v: 1,
    c: campus,
    l: lane,
    e: epoch,
    s: seq,
    min: Math.max(1, Math.min(min, seq)),
    ...(clockOffset === null ? {} : { off: clockOffset }),
    ...(clockOffset !== null && Math.abs(clockOffset) > clockDoubt ? { q: 'clock' as const } : {}),
  };
}

/**
 * The frame of one outbox row, stripped to the contract's allow-list. A row that cannot be put on the wire becomes a gap
 * marker with the same sequence: the city writes a visible gap and the lane goes on. It stays in the outbox for a person
 * to look at until retention takes it.
 */
export function composeRow(context: FrameContext, row: OutboxRow): Composed {
  try {
    const body = toWire(context.lane, row.body);
    const { ct, bytes: content } = encodeBody(body);
    const bytes = encodeFrame({ header: { ...header(context, row.seq), ...extentOf(body), ct }, body: content });
    return { bytes, gap: null };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const marker: GapMarker = { to: row.seq, reason: 'unencodable', message: error.message.slice(0, 300) };
    return { bytes: composeGap(context, row.seq, row.time, marker), gap: error.message };
  }
}

/** A marker for sequences that the outbox should have and has not. */
export function composeHole(context: FrameContext, first: number, next: OutboxRow): Composed {
  const message = `the outbox has no ${context.lane} ${first} to ${next.seq - 1}`;
  const marker: GapMarker = { to: next.seq - 1, reason: 'missing', message };
  return { bytes: composeGap(context, first, next.time, marker), gap: message };
}

function composeGap(context: FrameContext, seq: number, time: number, marker: GapMarker): Buffer {
  const t = Math.max(0, Math.trunc(time));
  return encodeFrame({
    header: { ...header(context, seq), t0: t, t1: t, n: 0, ct: 'gap' },
    body: encodeGap(marker),
  });
}
