import { randomUUID } from 'node:crypto';
import { decodeFrame } from '#bridge/contract/frame.ts';
import { type Lane, lanes } from '#bridge/contract/lanes.ts';
import { type Ack, type Hello, type Nack, protocols, readAnswer } from '#bridge/contract/messages.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { type Composed, composeHole, composeRow, type FrameContext } from './compose.ts';
import { LaneSender, type LaneSenderLimits } from './lane-sender.ts';
import type { OutboxLaneState, OutboxRow, OutboxSource } from './source.ts';

export interface SessionLimits extends LaneSenderLimits {
  /** How often the outbox is asked and overdue frames are looked for, ms. */
  readonly poll: number;
  /** Hello is repeated this often as a sign of life, ms. */
  readonly helloEvery: number;
  /** Silence of the city after which the connection is given up, ms. */
  readonly silence: number;
}

export interface SessionContext {
  readonly source: OutboxSource;
  readonly campus: string;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly send: (word: string, bytes: Buffer) => void;
  /** The city's watermark of a lane, each time it is told. */
  readonly onWatermark: (epoch: number, lane: Lane, watermark: number) => void;
  /** A fault that a person should see; the lane or session goes on. */
  readonly onFault: (error: CodedError) => void;
}

export interface LaneProgress {
  readonly inFlight: number;
  readonly resent: number;
  /** Rows that went as gap markers. */
  readonly gaps: number;
  /** Why the lane is held; null when it is not. */
  readonly held: string | null;
}

/** Pause after rows could not be read, ms. */
const rereadAfter = 5_000;

/** Bulk lanes keep the city's pace; what a person waits for does not. */
const paced: ReadonlySet<Lane> = new Set<Lane>(['agg1m', 'health']);

interface LaneTrack {
  sender: LaneSender | null;
  held: string | null;
  /** The outbox's epoch when the lane was held: another one is a reason to ask again. */
  heldEpoch: number;
  gaps: number;
  /** Highest sequence that went as a marker: one that is sent again is counted once. */
  gapTo: number;
  nextAt: number;
}

/**
 * One conversation with the city over one connection: hello, then frames after the city's watermarks, most urgent lane
 * first. `tick` is called by its owner; nothing here has a timer or a socket.
 */
export class Session {
  readonly id = randomUUID();
  readonly #context: SessionContext;
  readonly #tracks: Readonly<Record<Lane, LaneTrack>>;
  #open = false;
  #credit = 1;
  #pace = 0;
  #helloSent = Number.NEGATIVE_INFINITY;
  #helloDue = Number.NEGATIVE_INFINITY;
  #heardAt: number;
  #clockOffset: number | null = null;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#heardAt = context.clock.monotonic();
    const track = (): LaneTrack => ({ sender: null, held: null, heldEpoch: 0, gaps: 0, gapTo: 0, nextAt: 0 });
    this.#tracks = { alarm: track(), event: track(), agg1m: track(), health: track() };
  }

  /** The city has answered our hello. */
  get open(): boolean {
    return this.#open;
  }

  /** Edge clock minus city clock, ms; null before the first answer. */
  get clockOffset(): number | null {
    return this.#clockOffset;
  }

  progress(lane: Lane): LaneProgress {
    const { sender, gaps, held } = this.#tracks[lane];
    return { inFlight: sender?.inFlight ?? 0, resent: sender?.resent ?? 0, gaps, held };
  }

  /** Says hello when due, sends what is due. Throws UPLINK_SILENT when the city has said nothing for too long. */
  tick(): void {
    const { clock, limits, source } = this.#context;
    const now = clock.monotonic();
    if (now - this.#heardAt > limits.silence) {
      throw new CodedError('UPLINK_SILENT', `the city has said nothing for ${limits.silence} ms`);
    }
    const state = source.outboxState();
    if (now >= this.#helloDue) this.#hello(state, now);
    if (!this.#open) return;
    for (const lane of lanes) this.#pump(lane, state[lane], now);
  }

  /** Takes what came down on `d/ack`. Throws WireError when it cannot be read. */
  answer(payload: Buffer): void {
    const answer = readAnswer(payload);
    this.#heardAt = this.#context.clock.monotonic();
    if (answer.kind === 'nack') this.#nack(answer);
    else this.#ack(answer);
  }

  #hello(state: Readonly<Record<Lane, OutboxLaneState>>, now: number): void {
    this.#helloSent = now;
    this.#helloDue = now + this.#context.limits.helloEvery;
    const held = (lane: Lane) => {
      const { epoch, min, head } = state[lane];
      return { epoch, min: Math.max(1, min), head };
    };
    const hello: Hello = {
      v: 1,
      session: this.id,
      time: this.#context.clock.now(),
      proto: [...protocols],
      lanes: Object.fromEntries(lanes.map((lane) => [lane, held(lane)])),
    };
    this.#context.send('hello', Buffer.from(JSON.stringify(hello)));
  }

  #ack(ack: Ack): void {
    if (ack.session !== undefined) {
      if (ack.session !== this.id) return;
      if (!protocols.some((version) => version === ack.proto)) {
        throw new CodedError(
          'UPLINK_PROTOCOL',
          `the city speaks version ${ack.proto}, this edge ${protocols.join(', ')}`,
        );
      }
      this.#open = true;
    }
    this.#credit = ack.credit;
    this.#pace = ack.paceMs;
    this.#clockOffset = this.#context.clock.now() - ack.time;
    const state = this.#context.source.outboxState();
    for (const lane of lanes) {
      const told = ack.lanes[lane];
      const afterHello = ack.session !== undefined;
      if (told !== undefined) this.#watermark(lane, told, state[lane], afterHello);
      else if (afterHello) this.#hold(lane, state[lane], 'the city does not know this lane');
    }
    this.tick();
  }

  #watermark(lane: Lane, told: Ack['lanes'][string], state: OutboxLaneState, afterHello: boolean): void {
    const track = this.#tracks[lane];
    const { epoch, wm: watermark } = told;
    if (epoch !== state.epoch) {
      // An answer to what an older outbox sent; only after a hello is it about this one.
      if (afterHello) this.#hold(lane, state, `the city knows epoch ${epoch}, the outbox is at ${state.epoch}`);
      return;
    }
    if (watermark > state.head) {
      // The outbox lost its newest rows (a power cut, a restored copy). Sending on would reuse numbers that the city
      // takes for duplicates: silent loss. Nothing of this lane goes until core has begun a new epoch.
      this.#hold(lane, state, `the city has ${watermark}, the outbox ends at ${state.head}: it needs a new epoch`);
      return;
    }
    if (told.t0 !== undefined && !this.#isOurs(lane, watermark, told.t0, state)) {
      this.#hold(lane, state, `what the city has at ${watermark} is not in this outbox: it needs a new epoch`);
      return;
    }
    this.#context.onWatermark(epoch, lane, watermark);
    const now = this.#context.clock.monotonic();
    if (track.sender === null || track.sender.epoch !== epoch) {
      if (!afterHello) return;
      track.sender = new LaneSender(epoch, watermark, now, this.#context.limits);
    } else {
      track.sender.acknowledged(watermark, now);
    }
    track.held = null;
  }

  /** An outbox restored from an older copy counts the same numbers for other rows. True where it cannot be told. */
  #isOurs(lane: Lane, seq: number, t0: number, state: OutboxLaneState): boolean {
    const [row] = this.#context.source.outbox(lane, seq - 1, 1);
    if (row === undefined || row.seq !== seq) return true;
    const { bytes } = composeRow(this.#frameContext(lane, state), row);
    return decodeFrame(bytes).header.t0 === t0;
  }

  #frameContext(lane: Lane, { epoch, min }: OutboxLaneState): FrameContext {
    return { campus: this.#context.campus, lane, epoch, min, clockOffset: this.#clockOffset };
  }

  #nack(nack: Nack): void {
    const lane = lanes.find((name) => name === nack.lane);
    const sender = lane === undefined ? null : this.#tracks[lane].sender;
    if (lane === undefined || sender === null) return;
    if (nack.reason === 'unsupported') {
      // The window stays as it is: it is sent again ever more slowly, until the city has been brought up to date.
      const track = this.#tracks[lane];
      const why = nack.message ?? 'the city cannot read it';
      if (track.held === null) this.#fault('UPLINK_UNSUPPORTED', lane, why);
      track.held = why;
      return;
    }
    if (sender.epoch !== nack.epoch) return;
    if (nack.expect > this.#context.source.outboxState()[lane].head + 1) return;
    this.#context.onWatermark(nack.epoch, lane, nack.expect - 1);
    sender.missed(nack.expect, this.#context.clock.monotonic());
    this.tick();
  }

  #hold(lane: Lane, state: OutboxLaneState, message: string): void {
    const track = this.#tracks[lane];
    track.sender = null;
    if (track.held === null) this.#fault('UPLINK_LANE_HELD', lane, message);
    track.held = message;
    track.heldEpoch = state.epoch;
  }

  #fault(code: string, lane: Lane, message: string): void {
    this.#context.onFault(new CodedError(code, `lane ${lane}: ${message}`));
  }

  #pump(lane: Lane, state: OutboxLaneState, now: number): void {
    const track = this.#tracks[lane];
    const { sender } = track;
    if (sender === null || sender.epoch !== state.epoch) {
      // A new outbox: ask the city again, at most once a second.
      if (track.held === null || track.heldEpoch !== state.epoch) {
        this.#helloDue = Math.min(this.#helloDue, this.#helloSent + 1_000);
      }
      return;
    }
    sender.expire(now);
    let room = sender.room(this.#credit);
    if (room === 0 || sender.next > state.head || now < track.nextAt) return;
    if (this.#pace > 0 && paced.has(lane)) {
      track.nextAt = now + this.#pace;
      room = 1;
    }
    const context = this.#frameContext(lane, state);
    for (const row of this.#rows(track, lane, sender.next - 1, room, now)) {
      // Below `min` the header says it; a hole above it must be marked, or the lane would wait for ever.
      if (row.seq > sender.next && sender.next >= state.min) {
        this.#send(track, lane, composeHole(context, sender.next, row), row.seq - 1, now);
      }
      this.#send(track, lane, composeRow(context, row), row.seq, now);
    }
  }

  /** Bulkhead between lanes: one whose rows cannot be read is asked again later, the others go on. */
  #rows(track: LaneTrack, lane: Lane, after: number, room: number, now: number): readonly OutboxRow[] {
    try {
      return this.#context.source.outbox(lane, after, room);
    } catch (error) {
      track.nextAt = now + rereadAfter;
      this.#fault('UPLINK_OUTBOX_UNREADABLE', lane, messageOf(error));
      return [];
    }
  }

  #send(track: LaneTrack, lane: Lane, frame: Composed, seq: number, now: number): void {
    if (frame.gap !== null && seq > track.gapTo) {
      track.gapTo = seq;
      track.gaps += 1;
      this.#fault('UPLINK_GAP', lane, frame.gap);
    }
    this.#context.send(lane, frame.bytes);
    track.sender?.sent(seq, now);
  }
}
