import { parseOrder, rankOf, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { formats } from '#edge/drivers/sound/codecs.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Studio } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Channel, ChannelListener, Channels } from './channel.ts';
import { classWord, type SpeakerConfig, targetOf } from './config.ts';
import type { Target } from './outlet.ts';
import { ProofKeeper, type ProofPoints } from './proof.ts';

export interface SpeakerOptions {
  readonly device: Device;
  readonly config: SpeakerConfig;
  readonly studio: Studio;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly sink: Sink;
}

/** What the last command asked for, and what came of it. */
interface Playing {
  /** As it was said, and what the point reads back. */
  text: string;
  readonly order: SoundOrder;
  readonly target: Target;
  until: number | null;
  /** It has come to its end by itself. */
  isOver: boolean;
}

/** How long a command may wait for a clip that is not in memory, ms. */
const loadPatience = 500;
/** Longer timers overflow in Node (2^31 ms); the expiry is armed again when this one fires. */
const longestTimer = 86_400_000;
/** Said without being asked, in this order. */
const points = ['proof', 'evidence', 'clip', 'playing'] as const;
const known: ReadonlySet<string> = new Set([...points, 'packets_sent']);
/** Of one priority, by the rank of the class. */
const ranks = 16;

/** One loudspeaker, or one multicast group of them. */
export class SpeakerSession implements Session {
  readonly #options: SpeakerOptions;
  readonly #channels = new Map<
    string,
    { readonly target: Target; readonly channel: Channel; readonly ear: ChannelListener }
  >();
  readonly #offline = new Map<string, string>();
  readonly #told = new Map<string, string>();
  readonly #proof: ProofKeeper;
  #playing: Playing | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** Commands are taken in order; one that waits for a clip is dropped when a newer one came. */
  #latest = 0;
  #health = '';
  #isGone = false;

  constructor(options: SpeakerOptions) {
    this.#options = options;
    this.#proof = new ProofKeeper();
  }

  /** Opens the sockets of every address this speaker has. */
  async open(): Promise<void> {
    const { rtp, zonePriority } = this.#options.config;
    const targets = [rtp, ...Object.values(zonePriority ?? {})];
    await Promise.all(targets.map((target) => this.#channelFor(target).channel.open()));
  }

  /** All clips have been looked at: what cannot be played is said, also when that took longer than opening this. */
  onPrepared(): void {
    if (!this.#isGone && this.#options.studio.library.problems().length > 0) this.#sayHealth('');
  }

  async read(wanted: readonly Point[], _signal: AbortSignal): Promise<readonly Sample[]> {
    return wanted.map((point) => this.#sample(point.name));
  }

  async write(command: Command, _signal: AbortSignal): Promise<CommandResult> {
    const turn = ++this.#latest;
    const { clock, config, studio, sink } = this.#options;
    const { value } = command;
    if (command.point !== 'clip')
      return this.#answer(command, 'refused', `"${command.point}" cannot be written; "clip" can`);
    if (typeof value !== 'string') return this.#answer(command, 'refused', 'a clip is a name, or "" to stop');
    if (command.expires < clock.now()) return this.#answer(command, 'expired', 'the command came too late');
    if (value === '') {
      this.#stop();
      return this.#answer(command, 'sent', 'stopped');
    }
    if (command.until !== null && command.until <= clock.now()) {
      return this.#answer(command, 'expired', 'the hold behind the command is over');
    }
    const order = parseOrder(value);
    if (order === null)
      return this.#answer(command, 'refused', `"${value}" is not an order: <clip>[+<clip>] [loop] ...`);
    const { rate } = formats[config.codec];
    try {
      // What is ready starts in this turn: no await before the first packet.
      if (!studio.isReady(order, rate)) {
        // Loading goes on; whoever asks again finds it ready. Writes are taken one by one: an evacuation may wait behind this.
        const what = `the sound of "${value}" is still being read, which`;
        await within(loadPatience, what, studio.load(order, rate));
        this.#sayHealth('what could not be played can be played now');
        if (turn !== this.#latest) return this.#answer(command, 'failed', 'overtaken by a newer command');
      }
    } catch (error) {
      sink.count('clip-unusable');
      return this.#answer(command, 'failed', messageOf(error));
    }
    return this.#play(command, order, value);
  }

  #play(command: Command, order: SoundOrder, text: string): CommandResult {
    const { config } = this.#options;
    const target = targetOf(config, order.class, command.priority);
    const current = this.#playing;
    if (current !== undefined && soundKey(current.order) === soundKey(order) && current.target === target) {
      // The same hold, asserted again (a restart of core, a reconcile): nobody must hear that. A sound that is over stays over,
      // unless the hold is another one and the sound has no place in time.
      const isSame = current.until === command.until || order.since !== undefined;
      if (!current.isOver || isSame) {
        Object.assign(current, { text, until: command.until });
        this.#armExpiry();
        if (current.isOver) return this.#sounding(command, target, 'played already');
        const outcome = this.#claim(target, order, command);
        this.#tell();
        return outcome === 'waits' ? this.#waits(command, target) : this.#sounding(command, target, 'plays on');
      }
    }
    // The weaker sound stops before the stronger one starts, also where each has an address of its own.
    if (current !== undefined && current.target !== target) this.#release(current.target);
    this.#playing = { text, order, target, until: command.until, isOver: false };
    this.#proof.begin();
    const outcome = this.#claim(target, order, command);
    this.#armExpiry();
    this.#tell();
    if (outcome === 'waits') return this.#waits(command, target);
    return this.#sounding(command, target, `plays as ${classWord(order.class, command.priority)}`);
  }

  #waits(command: Command, target: Target): CommandResult {
    return this.#answer(command, 'failed', `${where(target)} plays something stronger`);
  }

  #claim(target: Target, order: SoundOrder, command: Command): 'plays' | 'waits' {
    const { config } = this.#options;
    const { channel, ear } = this.#channelFor(target);
    const rank = order.class === undefined ? ranks - 1 : rankOf(order.class);
    return channel.claim(ear, { order, config, strength: command.priority * ranks + rank });
  }

  #release(target: Target): void {
    const { channel, ear } = this.#channelFor(target);
    channel.release(ear);
  }

  /** `sent` is the most that RTP can say at once; what is known not to arrive is `failed`, though it goes on being sent. */
  #sounding(command: Command, target: Target, message: string): CommandResult {
    const silent = this.#whyUnheard(target);
    if (silent !== null) return this.#answer(command, 'failed', `${message}, but ${silent}`);
    return this.#answer(command, 'sent', message);
  }

  /** Why nobody can hear what is sent there; null: nothing speaks against it. */
  #whyUnheard(target: Target): string | null {
    const offline = this.#offline.get(keyOf(target));
    if (offline !== undefined) return offline;
    const { state, evidence } = this.#channelFor(target).channel.verdict();
    return state === 'failed' ? evidence : null;
  }

  #stop(): void {
    clearTimeout(this.#expiry);
    const playing = this.#playing;
    this.#playing = undefined;
    if (playing === undefined) return;
    this.#release(playing.target);
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

  #isSounding(): boolean {
    const playing = this.#playing;
    if (playing === undefined || playing.isOver) return false;
    const { channel, ear } = this.#channelFor(playing.target);
    return channel.plays(ear);
  }

  /** Says what has changed; `playing` last. */
  #tell(): void {
    this.#proof.take(this.#proofNow());
    for (const name of points) {
      const sample = this.#sample(name as PointName);
      const said = JSON.stringify(sample);
      if (this.#told.get(name) === said) continue;
      this.#told.set(name, said);
      this.#options.sink.sample(sample);
    }
  }

  /** undefined: nothing plays, and what was proved stays so. */
  #proofNow(): ProofPoints | undefined {
    const playing = this.#playing;
    if (playing === undefined || !this.#isSounding()) return undefined;
    const silent = this.#whyUnheard(playing.target);
    if (silent !== null) return { proof: 'none', evidence: silent };
    const { state, evidence } = this.#channelFor(playing.target).channel.verdict();
    if (state === 'heard') return { proof: 'heard', evidence };
    return { proof: 'sent', evidence: `sent to ${where(playing.target)}; nothing comes back` };
  }

  #sample(point: PointName): Sample {
    if (!known.has(point)) return { point, value: null, quality: 'bad', reason: 'configuration-error' };
    const playing = this.#playing;
    const away: Sample = { point, value: null, quality: 'bad', reason: 'no-communication' };
    const heard = playing?.target ?? this.#options.config.rtp;
    if (this.#offline.has(keyOf(heard))) return away;
    if (point === 'packets_sent') {
      const sent = [...this.#channels.values()].reduce((sum, { channel }) => sum + channel.packetsSent, 0);
      return { point, value: sent, quality: 'good' };
    }
    if (point === 'proof' || point === 'evidence') {
      this.#proof.take(this.#proofNow());
      const { proof, evidence } = this.#proof.points();
      return { point, value: point === 'proof' ? proof : evidence, quality: 'good' };
    }
    // What nobody can hear is not playing, whatever we send.
    if (this.#whyUnheard(heard) !== null) return away;
    const isSounding = this.#isSounding();
    if (point === 'playing') return { point, value: isSounding, quality: 'good' };
    return { point, value: isSounding ? (playing?.text ?? '') : '', quality: 'good' };
  }

  /** A speaker that is there but has no voice for some clip is degraded: better seen today than at the fire. */
  #sayHealth(message: string): void {
    const { sink, studio } = this.#options;
    const [offline] = this.#offline.values();
    const [problem, ...more] = studio.library.problems();
    const others = more.length > 0 ? `, nor ${more.length} more` : '';
    const silent = this.#playing === undefined ? null : this.#whyUnheard(this.#playing.target);
    if (offline !== undefined) sink.health('offline', offline);
    else if (silent !== null) sink.health('degraded', `what is played is not heard: ${silent}`);
    else if (problem === undefined) sink.health('online', message);
    else sink.health('degraded', `cannot play ${problem}${others}`);
  }

  #channelFor(target: Target) {
    const key = keyOf(target);
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    const { config, channels, sink } = this.#options;
    const ear: ChannelListener = {
      onChange: () => this.#onChange(),
      onOver: () => {
        if (this.#playing !== undefined && keyOf(this.#playing.target) === key) this.#playing.isOver = true;
        this.#tell();
      },
      onState: (state, message) => {
        if (state === 'offline') this.#offline.set(key, message);
        else this.#offline.delete(key);
        this.#sayHealth(message);
        this.#tell();
      },
      onCount: (outcome) => sink.count(outcome),
    };
    const joined = { target, channel: channels.join(target, config, ear), ear };
    this.#channels.set(key, joined);
    return joined;
  }

  #onChange(): void {
    const silent = this.#playing === undefined ? null : this.#whyUnheard(this.#playing.target);
    if ((silent ?? '') !== this.#health) {
      this.#health = silent ?? '';
      this.#sayHealth('what is played arrives again');
    }
    this.#tell();
  }

  #answer(command: Command, outcome: CommandResult['outcome'], message: string): CommandResult {
    const { id, device, point } = command;
    return { id, device, point, outcome, message, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#latest++;
    this.#isGone = true;
    clearTimeout(this.#expiry);
    this.#playing = undefined;
    const { channels, config } = this.#options;
    const all = [...this.#channels.values()];
    this.#channels.clear();
    await Promise.all(all.map(({ target, ear }) => channels.leave(target, config, ear)));
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}

function where({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
