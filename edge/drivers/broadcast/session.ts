import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import type { Clip, ClipLibrary } from '#edge/drivers/sound/clips.ts';
import type { Pacer } from '#edge/drivers/sound/pacer.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { type SpeakerConfig, soundClassOf } from './config.ts';
import { Outlet, type Target } from './outlet.ts';
import { type Stream, startStream } from './stream.ts';

export interface SpeakerOptions {
  readonly device: Device;
  readonly config: SpeakerConfig;
  readonly clips: ClipLibrary;
  readonly pacer: Pacer;
  readonly probeEvery: number;
  readonly clock: Clock;
  readonly sink: Sink;
}

/** What the last command asked for, and what came of it. `stream` is undefined when a clip that does not loop is over. */
interface Playing {
  readonly clip: Clip;
  readonly target: Target;
  until: number | null;
  stream: Stream | undefined;
}

/** How long a command may wait for a clip that is not in memory, ms. */
const loadPatience = 500;
/** Longer timers overflow in Node (2^31 ms); the expiry is armed again when this one fires. */
const longestTimer = 86_400_000;

/** One loudspeaker, or one multicast group of them. */
export class SpeakerSession implements Session {
  readonly #options: SpeakerOptions;
  readonly #outlets = new Map<string, Outlet>();
  readonly #offline = new Map<string, string>();
  #playing: Playing | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #packetsSent = 0;
  /** Commands are taken in order; one that waits for a clip is dropped when a newer one came. */
  #latest = 0;

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  /** Opens the sockets of every address this speaker has; at most 6. */
  async open(): Promise<void> {
    const { rtp, zonePriority } = this.#options.config;
    const targets = [rtp, ...Object.values(zonePriority ?? {})];
    await Promise.all(targets.map((target) => this.#outletFor(target).open()));
  }

  async read(points: readonly Point[], _signal: AbortSignal): Promise<readonly Sample[]> {
    return points.map((point) => this.#sample(point.name));
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const turn = ++this.#latest;
    const { clock, clips } = this.#options;
    if (command.point !== 'clip')
      return this.#answer(command, 'refused', `"${command.point}" cannot be written; "clip" can`);
    if (typeof command.value !== 'string') return this.#answer(command, 'refused', 'a clip is a name, or "" to stop');
    if (command.expires < clock.now()) return this.#answer(command, 'expired', 'the command came too late');
    if (command.value === '') {
      this.#stop();
      return this.#answer(command, 'sent', 'stopped');
    }
    if (command.until !== null && command.until <= clock.now()) {
      return this.#answer(command, 'expired', 'the hold behind the command is over');
    }
    // A clip that is ready starts in this turn: no await before the first packet.
    const ready = clips.ready(command.value);
    if (ready !== undefined) return this.#play(command, ready);
    try {
      // Loading goes on; whoever asks again finds it ready. Writes are taken one by one: an evacuation may wait behind this.
      const clip = await within(
        loadPatience,
        `clip "${command.value}" is still being read, which`,
        clips.load(command.value, signal),
      );
      this.#sayHealth(`clip "${clip.name}" can be played now`);
      if (turn !== this.#latest) return this.#answer(command, 'failed', 'overtaken by a newer command');
      return this.#play(command, clip);
    } catch (error) {
      this.#options.sink.count('clip-unusable');
      return this.#answer(command, 'failed', messageOf(error));
    }
  }

  #play(command: Command, clip: Clip): CommandResult {
    const { config } = this.#options;
    const target = config.zonePriority?.[soundClassOf(command.priority)] ?? config.rtp;
    const current = this.#playing;
    if (current !== undefined && current.clip === clip && current.target === target) {
      // The same hold, asserted again (a restart of core, a reconcile): nobody must hear that. A clip that does not loop
      // and is over stays over, unless the hold is another one.
      const isSameHold = current.until === command.until;
      if (current.stream !== undefined || isSameHold) {
        current.until = command.until;
        this.#armExpiry();
        return this.#sounding(command, target, current.stream === undefined ? 'played already' : 'plays on');
      }
    }
    this.#stop();
    this.#start(clip, target, command.until);
    return this.#sounding(command, target, `plays as ${soundClassOf(command.priority)}`);
  }

  /** `sent` is the most that RTP can say; what is known not to arrive is `failed`, though it goes on being sent. */
  #sounding(command: Command, target: Target, message: string): CommandResult {
    const offline = this.#offline.get(keyOf(target));
    if (offline !== undefined) return this.#answer(command, 'failed', `${message}, but ${offline}`);
    return this.#answer(command, 'sent', message);
  }

  #start(clip: Clip, target: Target, until: number | null): void {
    const { config, pacer, sink } = this.#options;
    const outlet = this.#outletFor(target);
    // A speaker that was away gets its chance now, not when the back-off says so.
    void outlet.open();
    const stream = startStream({
      clip,
      codec: config.codec,
      pacer,
      send: (packet) => outlet.send(packet),
      onSkipped: (frames) => {
        for (let i = 0; i < Math.min(frames, 1000); i++) sink.count('frame-skipped');
      },
      onEnd: () => {
        if (this.#playing?.stream === stream) this.#playing.stream = undefined;
        this.#tell();
      },
    });
    this.#playing = { clip, target, until, stream };
    this.#armExpiry();
    this.#tell();
  }

  #stop(): void {
    clearTimeout(this.#expiry);
    const wasPlaying = this.#playing?.stream;
    this.#playing = undefined;
    if (wasPlaying === undefined) return;
    wasPlaying[Symbol.dispose]();
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

  #tell(): void {
    this.#options.sink.sample(this.#sample('clip' as PointName));
    this.#options.sink.sample(this.#sample('playing' as PointName));
  }

  #sample(point: PointName): Sample {
    const stream = this.#playing?.stream;
    if (point !== 'clip' && point !== 'playing' && point !== 'packets_sent') {
      return { point, value: null, quality: 'bad', reason: 'configuration-error' };
    }
    // What nobody can hear is not playing, whatever we send.
    const heard = this.#playing?.target ?? this.#options.config.rtp;
    if (this.#offline.has(keyOf(heard))) return { point, value: null, quality: 'bad', reason: 'no-communication' };
    if (point === 'packets_sent') return { point, value: this.#packetsSent, quality: 'good' };
    const value = point === 'clip' ? (stream?.clip.name ?? '') : stream !== undefined;
    return { point, value, quality: 'good' };
  }

  /** A speaker that is there but has no voice for some clip is degraded: better seen today than at the fire. */
  #sayHealth(message: string): void {
    const { sink, clips } = this.#options;
    const [offline] = this.#offline.values();
    const [problem, ...more] = clips.problems();
    const others = more.length > 0 ? `, nor ${more.length} more` : '';
    if (offline !== undefined) sink.health('offline', offline);
    else if (problem === undefined) sink.health('online', message);
    else sink.health('degraded', `cannot play ${problem}${others}`);
  }

  #outletFor(target: Target): Outlet {
    const key = keyOf(target);
    const known = this.#outlets.get(key);
    if (known !== undefined) return known;
    const { config, clock, sink, probeEvery } = this.#options;
    const outlet = new Outlet({
      target,
      multicast: config.multicast,
      probeEvery: config.probe === 'none' ? null : probeEvery,
      clock,
      onState: (state, message) => {
        if (state === 'offline') this.#offline.set(key, message);
        else this.#offline.delete(key);
        this.#sayHealth(message);
        this.#tell();
      },
      onCount: (outcome) => sink.count(outcome),
      onSent: () => {
        this.#packetsSent++;
      },
    });
    this.#outlets.set(key, outlet);
    return outlet;
  }

  #answer(command: Command, outcome: CommandResult['outcome'], message: string): CommandResult {
    const { id, device, point } = command;
    return { id, device, point, outcome, message, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#latest++;
    clearTimeout(this.#expiry);
    this.#playing?.stream?.[Symbol.dispose]();
    this.#playing = undefined;
    await Promise.all([...this.#outlets.values()].map((outlet) => outlet[Symbol.asyncDispose]()));
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
