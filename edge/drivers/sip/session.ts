import { type Proof, parseOrder, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, within } from '#edge/runtime/lifecycle.ts';
import type { CallState } from './call.ts';
import { type Route, routeOf, type SipConfig } from './config.ts';
import { Conversation } from './conversation.ts';
import { type LineOptions, SipLine } from './line.ts';
import type { Talk } from './talk.ts';
import { longestTimer } from './timings.ts';

export interface SipSessionOptions
  extends Pick<LineOptions, 'config' | 'login' | 'ca' | 'clock' | 'probeEvery' | 'timings'> {
  readonly device: Device;
  readonly config: SipConfig;
  readonly studio: Studio;
  readonly clock: Clock;
  readonly sink: Sink;
  /** Somebody's voice, or a room's sound, for as long as the call lasts. */
  readonly onTalk: (device: Device, talk: Talk, session: () => string | null) => void;
}

/** What the last command asked for, and what came of it. */
interface Want {
  readonly value: string;
  readonly order: SoundOrder;
  readonly route: Route;
  until: number | null;
  /** Played to its end: the same hold said again is no reason to play it twice. */
  isFinished: boolean;
  proof: Proof;
  /** Why it does not sound, and when it is tried again; null: it does, or is being called. */
  failure: string | null;
}

/** How long a command may wait for its clips, ms. */
const loadPatience = 500;
/**
 * How long a command waits for the call to be taken before it is answered `failed: not yet` (the call goes on), ms. Commands of a
 * device are taken one by one, so a weaker one may keep a stronger one waiting no longer than this.
 */
const callPatience: Readonly<Record<Command['priority'], number>> = { 1: 2_000, 5: 1_500, 8: 1_000, 12: 700, 15: 700 };
/** What is in the far end's buffer when the last packet has left is still heard, ms. */
const tail = 300;
const firstRetry = 1_000;
const longestRetry = 15_000;
/** Who is busy with the call that was just ended here is free in a moment, ms. */
const afterTeardown = { within: 2_000, pause: 250 };
const silence = -120;

/** One loudspeaker, classroom terminal or page group. */
export class SipSession implements Session {
  readonly #options: SipSessionOptions;
  readonly #line: SipLine;
  readonly #backoff = new Backoff({ first: firstRetry, cap: longestRetry });
  #want: Want | null = null;
  #talking: { readonly conversation: Conversation; readonly route: Route } | null = null;
  #expiry: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;
  #lastTeardown = Number.NEGATIVE_INFINITY;
  #callWords = 'idle';
  #sent = 0;
  #received = 0;
  /** Packets of 20 ms that the far end says it got. */
  #counted = 0;
  #latest = 0;
  #isOver = false;
  /** Told when a call was taken or refused. */
  #settled = Promise.withResolvers<void>();

  constructor(options: SipSessionOptions) {
    this.#options = options;
    const { sink } = options;
    this.#line = new SipLine({
      ...options,
      onState: (state, words) => {
        sink.health(state, words);
        this.#tell();
        // It is back, and something is still to be said.
        if (state === 'online' && this.#want?.failure != null) this.#retryIn(0);
      },
      onCount: (word) => sink.count(word),
    });
  }

  open(): Promise<void> {
    return this.#line.start();
  }

  async read(points: readonly Point[], _signal: AbortSignal): Promise<readonly Sample[]> {
    return points.map(({ name }) => this.#sample(name));
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { clock } = this.#options;
    if (command.point !== 'clip')
      return this.#answer(command, 'refused', `"${command.point}" cannot be written; "clip" can`);
    if (typeof command.value !== 'string') return this.#answer(command, 'refused', 'an order is a text, or "" to stop');
    if (this.#isOver) return this.#answer(command, 'failed', 'this session is over');
    if (command.expires < clock.now()) return this.#answer(command, 'expired', 'the command came too late');
    const turn = ++this.#latest;
    if (command.value === '') {
      this.#stop();
      return this.#answer(command, 'sent', 'hung up');
    }
    const order = parseOrder(command.value);
    if (order === null) return this.#answer(command, 'refused', `"${command.value.slice(0, 80)}" is no order`);
    if (command.until !== null && command.until <= clock.now()) {
      return this.#answer(command, 'expired', 'the hold behind the command is over');
    }
    const problem = await this.#loaded(order);
    if (problem !== null) {
      this.#options.sink.count('clip-unusable');
      return this.#answer(command, 'failed', problem);
    }
    if (turn !== this.#latest) return this.#answer(command, 'failed', 'overtaken by a newer command');
    this.#take(command, order);
    return this.#outcome(command, signal);
  }

  /** Nothing is waited for when the clips are in memory. */
  async #loaded(order: SoundOrder): Promise<string | null> {
    const { studio } = this.#options;
    if (studio.isReady(order, 8_000)) return null;
    try {
      await within(loadPatience, 'its clips are still being read, which', studio.load(order, 8_000));
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Makes the order what is wanted; the call for it leaves in this turn if it can. */
  #take(command: Command & { value: unknown }, order: SoundOrder): void {
    const { config } = this.#options;
    const before = this.#want;
    const route = routeOf(config, command.priority);
    const isSameSound = before !== null && soundKey(before.order) === soundKey(order) && before.route.key === route.key;
    const isSameHold = before?.until === command.until;
    const value = String(command.value);
    if (isSameSound && !(before.isFinished && !isSameHold)) {
      // Said again (a restart of core, a longer hold, another level): nobody must hear that.
      this.#want = { ...before, value, order, route, until: command.until };
      this.#talking?.conversation.setLevel(order);
      this.#armExpiry();
      return;
    }
    this.#want = { value, order, route, until: command.until, isFinished: false, proof: 'none', failure: null };
    this.#armExpiry();
    clearTimeout(this.#ending);
    clearTimeout(this.#retry);
    this.#backoff.reset();
    this.#renewSettled();
    const talking = this.#talking;
    if (talking !== null && talking.route.key === route.key) {
      if (talking.conversation.state.kind === 'connected') this.#want.proof = 'acknowledged';
      talking.conversation.play(order);
      this.#tell();
      return;
    }
    this.#hangUp();
    this.#call();
  }

  /** Calls for what is wanted. */
  #call(): void {
    const want = this.#want;
    if (want === null || this.#isOver || this.#talking !== null) return;
    const { config, studio, clock, device, sink, onTalk } = this.#options;
    want.failure = null;
    const isCurrent = () => this.#talking?.conversation === conversation;
    const conversation = new Conversation({
      ...{ line: this.#line, config, studio, clock, route: want.route },
      onState: (state) => {
        if (isCurrent()) this.#onCall(state);
      },
      onEnd: () => {
        if (isCurrent()) this.#onEnd();
      },
      onProblem: (words) => {
        if (isCurrent()) this.#onProblem(words);
      },
      onHeard: () => {
        if (isCurrent()) this.#prove('heard');
      },
      onTalk: (talk) => onTalk(device, talk, () => this.#liveSession()),
      onSent: () => {
        this.#sent++;
      },
      onReceived: () => {
        this.#received++;
      },
      onCounted: (packets) => {
        this.#counted += packets;
        this.#tell(['seconds_counted']);
      },
      onCount: (word) => sink.count(word),
    });
    this.#talking = { conversation, route: want.route };
    this.#callWords = 'calling';
    this.#prove('sent');
    this.#tell();
    conversation.start(want.order).then(
      (problem) => {
        if (problem !== null && isCurrent()) this.#onProblem(problem);
      },
      (error: unknown) => {
        if (isCurrent()) this.#onProblem(messageOf(error));
      },
    );
  }

  #onCall(state: CallState): void {
    const want = this.#want;
    if (state.kind !== 'ended') {
      this.#callWords = state.kind;
      if (state.kind === 'connected') {
        this.#backoff.reset();
        this.#prove('acknowledged');
        this.#settled.resolve();
      }
      this.#tell();
      return;
    }
    this.#talking = null;
    const words = state.by === 'them' ? 'hung up before the end' : state.words;
    this.#options.sink.count(state.status === null ? `call-${state.by}` : `status-${state.status}`);
    this.#callWords = `failed: ${words}`.slice(0, 200);
    if (want === null || want.isFinished) {
      if (want?.isFinished === true && state.by === 'them') this.#callWords = 'idle';
      this.#tell();
      return;
    }
    want.failure = words;
    this.#settled.resolve();
    const isOurs = this.#options.clock.monotonic() - this.#lastTeardown < afterTeardown.within;
    const isBusy = state.status === 486 || state.status === 600;
    const pause = isOurs && isBusy ? afterTeardown.pause : (state.retryAfter ?? this.#backoff.next());
    // Exchanges lock out whoever tries a wrong password again and again.
    this.#retryIn([401, 403, 407].includes(state.status ?? 0) ? longestRetry * 4 : pause);
    this.#tell();
  }

  #onEnd(): void {
    const want = this.#want;
    if (want !== null) want.isFinished = true;
    this.#settled.resolve();
    this.#ending = setTimeout(() => {
      this.#hangUp();
      this.#callWords = 'idle';
      this.#tell();
    }, tail);
    this.#tell();
  }

  #onProblem(words: string): void {
    this.#hangUp();
    this.#callWords = `failed: ${words}`.slice(0, 200);
    if (this.#want !== null) this.#want.failure = words;
    this.#settled.resolve();
    this.#retryIn(this.#backoff.next());
    this.#tell();
  }

  #retryIn(pause: number): void {
    clearTimeout(this.#retry);
    if (this.#isOver) return;
    this.#retry = setTimeout(() => {
      if (this.#want === null || this.#want.isFinished || this.#talking !== null) return;
      this.#options.sink.count('call-again');
      this.#renewSettled();
      this.#call();
    }, pause);
  }

  #stop(): void {
    this.#want = null;
    clearTimeout(this.#expiry);
    clearTimeout(this.#retry);
    clearTimeout(this.#ending);
    this.#hangUp();
    this.#callWords = 'idle';
    this.#settled.resolve();
    this.#tell();
  }

  /** Silent in this turn. */
  #hangUp(): void {
    const talking = this.#talking;
    this.#talking = null;
    if (talking === null) return;
    this.#lastTeardown = this.#options.clock.monotonic();
    talking.conversation.hangUp();
  }

  /** The hold's own end: a core that is gone must not leave a room with a siren. */
  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const until = this.#want?.until ?? null;
    if (until === null) return;
    const left = until - this.#options.clock.now();
    this.#expiry = setTimeout(
      () => {
        if (left > longestTimer) this.#armExpiry();
        else this.#stop();
      },
      Math.min(Math.max(0, left), longestTimer),
    );
  }

  #renewSettled(): void {
    this.#settled.resolve();
    this.#settled = Promise.withResolvers<void>();
  }

  /** What became of the order so far: taken, refused, or not known within the patience that its priority has. */
  async #outcome(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { config } = this.#options;
    const isSettled = (want: Want) => this.#callWords === 'connected' || want.isFinished || want.failure !== null;
    if (this.#want !== null && !isSettled(this.#want)) {
      const patience = Math.min(callPatience[command.priority], config.answerWithin + 200);
      await settledOr(this.#settled.promise, patience, signal);
    }
    const want = this.#want;
    if (want === null || want.value !== command.value)
      return this.#answer(command, 'failed', 'overtaken by a newer command');
    if (want.isFinished) return this.#answer(command, 'sent', 'played already');
    const { call, class: soundClass } = want.route;
    if (want.failure !== null) return this.#answer(command, 'failed', `${call} ${want.failure}; it is called again`);
    if (this.#callWords !== 'connected') {
      return this.#answer(
        command,
        'failed',
        `${call} has not taken the call yet (${this.#callWords}); the call goes on`,
      );
    }
    const proof = want.proof === 'heard' ? 'it hears it' : 'it took the call';
    return this.#answer(command, 'sent', `plays as ${soundClass}: ${proof}`);
  }

  /** Whose live page is heard there now. */
  #liveSession(): string | null {
    // Only where the site says that this room may be heard.
    const isAllowed = this.#talking !== null && this.#options.config.talkback === true;
    const source = isAllowed ? this.#want?.order.source : undefined;
    return source?.kind === 'live' ? source.session : null;
  }

  #prove(proof: Proof): void {
    const want = this.#want;
    if (want === null || want.proof === proof || want.proof === 'heard') return;
    want.proof = proof;
    if (proof === 'heard') this.#tell();
  }

  #sample(name: PointName): Sample {
    const { state } = this.#line;
    const value = this.#value(name);
    if (value === undefined) return { point: name, value: null, quality: 'bad', reason: 'configuration-error' };
    if (state === 'online') return { point: name, value, quality: 'good' };
    const reason = state === 'unknown' ? 'never-read' : 'no-communication';
    return { point: name, value: null, quality: 'bad', reason };
  }

  #value(name: PointName): Value | undefined {
    const conversation = this.#talking?.conversation;
    const isPlaying = conversation?.isPlaying === true;
    const values: Readonly<Record<string, Value>> = {
      clip: isPlaying ? (this.#want?.value ?? '') : '',
      playing: isPlaying,
      call: this.#callWords,
      proof: this.#want?.proof ?? 'none',
      packets_sent: this.#sent,
      packets_received: this.#received,
      seconds_counted: Math.round(this.#counted * 2) / 100,
      talk_level: Math.max(silence, Math.round(conversation?.level ?? silence)),
    };
    return values[name];
  }

  /** Changes are told at once; counters wait to be read. */
  #tell(names: readonly string[] = ['clip', 'playing', 'call', 'proof']): void {
    if (this.#isOver) return;
    const told = new Set<string>(names);
    for (const { name } of this.#options.device.points) {
      if (told.has(name)) this.#options.sink.sample(this.#sample(name));
    }
  }

  #answer({ id, device, point }: Command, outcome: CommandResult['outcome'], message: string): CommandResult {
    return { id, device, point, outcome, message, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#latest++;
    this.#stop();
    this.#isOver = true;
    await this.#line[Symbol.asyncDispose]();
  }
}

/** Waits for the first of three; never rejects. */
async function settledOr(settled: Promise<void>, patience: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patience);
  const stop = () => resolve();
  signal.addEventListener('abort', stop, { once: true });
  void settled.then(stop);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
