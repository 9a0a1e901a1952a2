import { type Proof, parseOrder, rankOf, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { type CardListener, type Claim, format } from './card.ts';

/** What a loudspeaker plays on: a card of this machine, a stream of a server. */
export interface Instrument {
  readonly name: string;
  /** Why it cannot be heard; null: nothing is known against it. */
  readonly trouble: string | null;
  /** Who of several does not hear it; null or absent: nothing is known of anybody. */
  readonly doubt?: string | null;
  join(listener: CardListener): void;
  leave(listener: CardListener): void;
  claim(listener: CardListener, claim: Claim): 'plays' | 'waits';
  release(listener: CardListener): void;
  plays(listener: CardListener): boolean;
  settled(patience: number): Promise<void>;
  /** What is known of a sound that plays having been heard; absent: it was given, and nothing comes back. */
  proof?(): { readonly proof: Proof; readonly evidence: string };
}

export interface LineOptions {
  readonly device: Device;
  readonly card: Instrument;
  readonly studio: Studio;
  readonly clock: Clock;
  readonly sink: Sink;
  readonly onGone: () => void;
}

interface Playing {
  /** As it was said, and what the point reads back. */
  text: string;
  readonly order: SoundOrder;
  until: number | null;
  /** It has come to its end by itself. */
  isOver: boolean;
}

/** How long a command may wait for a clip that is not in memory, ms. */
const loadPatience = 500;
/** A player that has no card ends within this, on a machine that is not busy, ms. */
const startPatience = 100;
/** Longer timers overflow in Node (2^31 ms); the expiry is armed again when this one fires. */
const longestTimer = 86_400_000;
/** Said without being asked, in this order. */
const points = ['proof', 'evidence', 'clip', 'playing'] as const;
const known: ReadonlySet<string> = new Set(points);
/** Of one priority, by the rank of the class. */
const ranks = 16;
const longestEvidence = 255;

/** One loudspeaker line of a sound card. */
export class LineSession implements Session, CardListener {
  readonly #options: LineOptions;
  readonly #told = new Map<string, string>();
  #proved: { readonly proof: Proof; readonly evidence: string } = { proof: 'none', evidence: '' };
  #playing: Playing | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** Commands are taken in order; one that waits for a clip is dropped when a newer one came. */
  #latest = 0;
  #isGone = false;

  constructor(options: LineOptions) {
    this.#options = options;
    options.card.join(this);
  }

  /** All clips have been looked at: what cannot be played is said. */
  onPrepared(): void {
    if (this.#options.studio.library.problems().length > 0) this.#sayHealth('');
  }

  async read(wanted: readonly Point[], _signal: AbortSignal): Promise<readonly Sample[]> {
    return wanted.map((point) => this.#sample(point.name));
  }

  async write(command: Command, _signal: AbortSignal): Promise<CommandResult> {
    const turn = ++this.#latest;
    const { clock, studio, sink } = this.#options;
    const { value } = command;
    if (command.point !== 'clip')
      return this.#answer(command, 'refused', `"${command.point}" cannot be written; "clip" can`);
    if (typeof value !== 'string') return this.#answer(command, 'refused', 'a clip is a name, or "" to stop');
    if (command.expires < clock.now()) return this.#answer(command, 'expired', 'the command came too late');
    if (value === '') {
      this.#stop();
      return this.#answer(command, 'sent', 'stopped');
    }
    if (command.until !== null && command.until <= clock.now())
      return this.#answer(command, 'expired', 'the hold behind the command is over');
    const order = parseOrder(value);
    if (order === null)
      return this.#answer(command, 'refused', `"${value}" is not an order: <clip>[+<clip>] [loop] ...`);
    try {
      // What is ready starts in this turn.
      if (!studio.isReady(order, format.rate)) {
        const what = `the sound of "${value}" is still being read, which`;
        await within(loadPatience, what, studio.load(order, format.rate));
        this.#sayHealth('what could not be played can be played now');
        if (turn !== this.#latest) return this.#answer(command, 'failed', 'overtaken by a newer command');
      }
    } catch (error) {
      sink.count('clip-unusable');
      return this.#answer(command, 'failed', messageOf(error));
    }
    return this.#play(command, order, value);
  }

  async #play(command: Command, order: SoundOrder, text: string): Promise<CommandResult> {
    const { card } = this.#options;
    const current = this.#playing;
    const isAgain = current !== undefined && soundKey(current.order) === soundKey(order);
    // The same hold, asserted again (a restart of core, a reconcile): nobody must hear that. A sound that is over stays over,
    // unless the hold is another one and the sound has no place in time.
    if (isAgain && (!current.isOver || current.until === command.until || order.since !== undefined)) {
      Object.assign(current, { text, until: command.until });
      this.#armExpiry();
      if (current.isOver) return this.#sounding(command, 'played already');
      const outcome = this.#claim(order, command);
      this.#tell();
      return outcome === 'waits' ? this.#waits(command) : this.#sounding(command, 'plays on');
    }
    this.#playing = { text, order, until: command.until, isOver: false };
    this.#proved = { proof: 'none', evidence: '' };
    const outcome = this.#claim(order, command);
    this.#armExpiry();
    this.#tell();
    if (outcome === 'waits') return this.#waits(command);
    await card.settled(startPatience);
    return this.#sounding(command, 'plays');
  }

  #waits(command: Command): CommandResult {
    return this.#answer(command, 'failed', `${this.#options.card.name} plays something stronger`);
  }

  #claim(order: SoundOrder, command: Command): 'plays' | 'waits' {
    const rank = order.class === undefined ? ranks - 1 : rankOf(order.class);
    return this.#options.card.claim(this, { order, strength: command.priority * ranks + rank });
  }

  /** `sent` is the most that is known: neither the card nor the amplifier says that it was heard. */
  #sounding(command: Command, message: string): CommandResult {
    const { trouble } = this.#options.card;
    if (trouble !== null) return this.#answer(command, 'failed', trouble);
    return this.#answer(command, 'sent', message);
  }

  #stop(): void {
    clearTimeout(this.#expiry);
    if (this.#playing === undefined) return;
    this.#playing = undefined;
    this.#options.card.release(this);
    this.#tell();
  }

  /** The wall clock says when; it is asked again at the end, so that a step of it moves the end with it. */
  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const until = this.#playing?.until ?? null;
    if (until === null) return;
    const left = until - this.#options.clock.now();
    if (left <= 0) this.#stop();
    else this.#expiry = setTimeout(() => this.#armExpiry(), Math.min(left, longestTimer));
  }

  onChange(): void {
    this.#tell();
  }

  onOver(): void {
    if (this.#playing !== undefined) this.#playing.isOver = true;
    this.#tell();
  }

  onState(_state: 'online' | 'offline', message: string): void {
    this.#sayHealth(message);
    this.#tell();
  }

  onCount(outcome: string): void {
    this.#options.sink.count(outcome);
  }

  #isSounding(): boolean {
    return this.#playing !== undefined && !this.#playing.isOver && this.#options.card.plays(this);
  }

  /** Says what has changed; `playing` last. */
  #tell(): void {
    if (this.#isGone) return;
    for (const name of points) {
      const sample = this.#sample(name as PointName);
      const said = JSON.stringify(sample);
      if (this.#told.get(name) === said) continue;
      this.#told.set(name, said);
      this.#options.sink.sample(sample);
    }
  }

  #sample(point: PointName): Sample {
    if (!known.has(point)) return { point, value: null, quality: 'bad', reason: 'configuration-error' };
    const { card } = this.#options;
    // Of a card that is not there nothing plays, whatever is wanted.
    if (card.trouble !== null || this.#isGone)
      return { point, value: null, quality: 'bad', reason: 'no-communication' };
    const isSounding = this.#isSounding();
    if (isSounding) {
      const given = { proof: 'sent', evidence: `given to ${card.name}; nothing comes back` } as const;
      const { proof, evidence } = card.proof?.() ?? given;
      this.#proved = { proof, evidence: evidence.slice(0, longestEvidence) };
    }
    if (point === 'playing') return { point, value: isSounding, quality: 'good' };
    if (point === 'clip') return { point, value: isSounding ? (this.#playing?.text ?? '') : '', quality: 'good' };
    return { point, value: point === 'proof' ? this.#proved.proof : this.#proved.evidence, quality: 'good' };
  }

  /** A line that is there but has no voice for some clip is degraded: better seen today than at the fire. */
  #sayHealth(message: string): void {
    if (this.#isGone) return;
    const { sink, studio, card } = this.#options;
    const [problem, ...more] = studio.library.problems();
    const others = more.length > 0 ? `, nor ${more.length} more` : '';
    if (card.trouble !== null) sink.health('offline', card.trouble);
    else if (problem === undefined && (card.doubt ?? null) !== null) sink.health('degraded', card.doubt ?? '');
    else if (problem === undefined) sink.health('online', message);
    else sink.health('degraded', `cannot play ${problem}${others}`);
  }

  #answer(command: Command, outcome: CommandResult['outcome'], message: string): CommandResult {
    const { id, device, point } = command;
    return { id, device, point, outcome, message, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#latest++;
    this.#isGone = true;
    clearTimeout(this.#expiry);
    this.#playing = undefined;
    this.#options.card.leave(this);
    this.#options.onGone();
  }
}
