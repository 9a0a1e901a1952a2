import type { Lane } from '#bridge/contract/lanes.ts';

/** One row of the outbox, as core wrote it. */
export interface OutboxRow {
  readonly seq: number;
  /** ms since epoch UTC. */
  readonly time: number;
  readonly body: unknown;
}

/** What the outbox holds of one lane. */
export interface OutboxLaneState {
  /** Larger when the outbox was created again. */
  readonly epoch: number;
  /** Oldest sequence still held; head + 1 when nothing is. */
  readonly min: number;
  /** Newest sequence; 0 when there never was one. */
  readonly head: number;
  /** What the city has acknowledged, as core knows it. */
  readonly watermark: number;
}

/** The durable log behind the bridge; `Reader` of edge/store/reader.ts is one. Quick and synchronous: indexed reads. */
export interface OutboxSource {
  /** Rows after a sequence, in order. */
  outbox(lane: Lane, afterSeq: number, limit: number): readonly OutboxRow[];
  outboxState(): Readonly<Record<Lane, OutboxLaneState>>;
}
