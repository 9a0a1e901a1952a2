import type { SoundOrder } from '#edge/domain/broadcast.ts';
import { type CodecFormat, formats } from '#edge/drivers/sound/codecs.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Studio, Voice } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { SpeakerConfig } from './config.ts';
import { Listeners, type Verdict } from './listeners.ts';
import { Outlet, type Path, type Target } from './outlet.ts';
import { decodeRtcp, encodeReport } from './rtcp.ts';
import { openRtcpLink, type RtcpLink } from './rtcp-link.ts';
import { type Stream, startStream } from './stream.ts';

/** What a loudspeaker wants at one address. */
export interface Claim {
  readonly order: SoundOrder;
  readonly config: SpeakerConfig;
  /** Lower is stronger: several loudspeakers may have one group for their alarms. */
  readonly strength: number;
}

/** Who is told what becomes of an address; nothing here may throw or wait. */
export interface ChannelListener {
  /** What plays, or whether it is heard, is not what it was. */
  onChange(): void;
  /** The sound that it claimed has come to its end by itself. */
  onOver(): void;
  onState(state: 'online' | 'offline', message: string): void;
  onCount(outcome: string): void;
}

export interface ChannelOptions {
  readonly target: Target;
  readonly config: SpeakerConfig;
  readonly studio: Studio;
  readonly probeEvery: number;
  readonly clock: Clock;
  /** What the sender calls itself to receivers (RTCP CNAME). */
  readonly cname: string;
}

interface Playing {
  readonly key: string;
  readonly voice: Voice;
  readonly stream: Stream;
  readonly firstTick: number;
  readonly format: CodecFormat;
}

/** RFC 3550 section 6.2, without the randomness of a crowd: there is one sender on this port. */
const reportEvery = 5_000;
/** The first reports come quickly, so that receivers answer quickly and play in step soon. */
const firstReports = [0, 500, 1_000, 2_000] as const;
/** How often it is looked whether receivers have stopped reporting, ms. */
const lookEvery = 500;

/**
 * One address and port: never more than one stream at a time. Of what several loudspeakers want there the strongest plays, once;
 * a stream ends, with a good-bye, before the next one starts.
 */
export class Channel implements AsyncDisposable {
  readonly #options: ChannelOptions;
  readonly #outlet: Outlet;
  readonly #claims = new Map<ChannelListener, Claim>();
  readonly #listeners = new Set<ChannelListener>();
  readonly #heard: Listeners;
  #playing: Playing | undefined;
  #rtcp: RtcpLink | undefined;
  #path: Path | undefined;
  #endedAt = Number.NEGATIVE_INFINITY;
  #pause: NodeJS.Timeout | undefined;
  #reporter: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #verdict: Verdict['state'] = 'unknown';
  #packets = 0;
  #isGone = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    const { target, config, clock, probeEvery } = options;
    this.#heard = new Listeners(clock);
    this.#outlet = new Outlet({
      target,
      multicast: config.multicast,
      probeEvery: config.probe === 'none' ? null : probeEvery,
      clock,
      onState: (state, message) => this.#tell((listener) => listener.onState(state, message)),
      onCount: (outcome) => this.#tell((listener) => listener.onCount(outcome)),
      onSent: () => {
        this.#packets++;
      },
      onOpen: (path) => void this.#openRtcp(path),
      onMessage: (message) => this.#onRtcp(message),
    });
  }

  get packetsSent(): number {
    return this.#packets;
  }

  /** Resolves when the first attempt to open the socket has ended. Never rejects. */
  open(): Promise<void> {
    return this.#outlet.open();
  }

  join(listener: ChannelListener): void {
    this.#listeners.add(listener);
  }

  leave(listener: ChannelListener): void {
    this.release(listener);
    this.#listeners.delete(listener);
  }

  /** In the turn of the call. What it comes to: `plays`, `waits` behind something stronger. */
  claim(listener: ChannelListener, claim: Claim): 'plays' | 'waits' {
    this.#claims.set(listener, claim);
    this.#choose();
    return this.#plays(claim) ? 'plays' : 'waits';
  }

  release(listener: ChannelListener): void {
    if (this.#claims.delete(listener)) this.#choose();
  }

  /** Whether what this loudspeaker wants is what sounds (or will after the gap). */
  plays(listener: ChannelListener): boolean {
    const claim = this.#claims.get(listener);
    return claim !== undefined && this.#plays(claim);
  }

  /** What receivers say of the present stream. */
  verdict(): Verdict {
    return this.#playing === undefined ? { state: 'unknown', evidence: '' } : this.#heard.verdict();
  }

  #plays(claim: Claim): boolean {
    const top = this.#top();
    return top !== undefined && keyOf(top) === keyOf(claim);
  }

  #top(): Claim | undefined {
    // The first of equals: insertion order.
    return [...this.#claims.values()].reduce<Claim | undefined>(
      (best, claim) => (best === undefined || claim.strength < best.strength ? claim : best),
      undefined,
    );
  }

  #choose(): void {
    const top = this.#top();
    if (this.#playing !== undefined && top !== undefined && this.#playing.key === keyOf(top)) {
      this.#playing.voice.setLevel(top.order.level ?? 100);
      return;
    }
    this.#stop();
    if (top === undefined || this.#isGone) return;
    const left = this.#endedAt + this.#options.config.gap - this.#options.clock.monotonic();
    if (left <= 0) this.#start(top);
    else {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#choose();
      }, left);
    }
    this.#tell((listener) => listener.onChange());
  }

  #start({ order, config }: Claim): void {
    const { studio } = this.#options;
    // A receiver that was away gets its chance now, not when the back-off says so.
    void this.#outlet.open();
    const format = formats[config.codec];
    let voice: Voice;
    try {
      voice = studio.play(order, format);
    } catch (error) {
      // Sessions load before they claim; a live session may be one too many.
      this.#tell((listener) => listener.onCount('not-playable'));
      this.#over(soundKey(order), messageOf(error));
      return;
    }
    const firstTick = studio.pacer.tick();
    const key = keyOf({ order, config });
    const stream = startStream({
      voice,
      format,
      payloadType: config.payloadType,
      pacer: studio.pacer,
      send: (packet) => this.#outlet.send(packet),
      onSkipped: (frames) => {
        for (let i = 0; i < Math.min(frames, 1000); i++) this.#tell((listener) => listener.onCount('frame-skipped'));
      },
      onEnd: () => this.#over(key),
    });
    this.#playing = { key, voice, stream, firstTick, format };
    this.#verdict = 'unknown';
    this.#heard.begin(stream.packetiser.ssrc);
    this.#armReport(0);
  }

  #stop(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const playing = this.#playing;
    if (playing === undefined) return;
    this.#playing = undefined;
    clearTimeout(this.#reporter);
    clearTimeout(this.#watch);
    playing.stream[Symbol.dispose]();
    this.#report(playing, true);
    playing.voice[Symbol.dispose]();
    this.#endedAt = this.#options.clock.monotonic();
  }

  /** A sound has ended by itself: whoever wanted it has had it. */
  #over(key: string, _why?: string): void {
    const those = [...this.#claims].filter(([, claim]) => keyOf(claim) === key || soundKey(claim.order) === key);
    for (const [listener] of those) this.#claims.delete(listener);
    this.#choose();
    for (const [listener] of those) listener.onOver();
  }

  async #openRtcp(path: Path): Promise<void> {
    this.#path = path;
    const { config } = this.#options;
    this.#rtcp?.[Symbol.dispose]();
    this.#rtcp = undefined;
    if (config.rtcp !== 'next-port' || this.#isGone || path.port >= 65_535) return;
    const { multicast } = config;
    const group =
      multicast === undefined || path.interface === undefined ? undefined : { ...multicast, interface: path.interface };
    try {
      const link = await openRtcpLink({ ...path, ...(group && { group }), onHeard: (heard) => this.#onHeard(heard) });
      if (this.#isGone || this.#path !== path) return link[Symbol.dispose]();
      this.#rtcp = link;
    } catch {
      // The sound needs it not; that nobody reports is what `proof` says.
      this.#tell((listener) => listener.onCount('no-rtcp'));
    }
  }

  /** On the sound's own socket: RTCP of a receiver that shares it, or one that answers to where the sound came from. */
  #onRtcp(message: Buffer): void {
    const heard = decodeRtcp(message);
    if (heard !== null) this.#onHeard(heard);
  }

  #onHeard(heard: Parameters<Listeners['take']>[0]): void {
    this.#heard.take(heard);
    this.#look();
  }

  #look(): void {
    clearTimeout(this.#watch);
    if (this.#playing === undefined) return;
    const { state } = this.#heard.verdict();
    // Only those who report can be missed.
    if (state !== 'unknown') this.#watch = setTimeout(() => this.#look(), lookEvery);
    if (state === this.#verdict) return;
    this.#verdict = state;
    this.#tell((listener) => listener.onChange());
  }

  #armReport(count: number): void {
    const before = firstReports[count - 1] ?? 0;
    const pause = count < firstReports.length ? (firstReports[count] ?? 0) - before : reportEvery;
    this.#reporter = setTimeout(() => {
      if (this.#playing === undefined) return;
      this.#report(this.#playing, false);
      this.#armReport(count + 1);
    }, pause);
  }

  #report({ stream, firstTick }: Playing, isLast: boolean): void {
    const { config, clock, studio, cname } = this.#options;
    if (config.rtcp === 'none') return;
    const { packetiser } = stream;
    const { packets, octets } = packetiser.sent();
    if (packets === 0) return;
    const rtp = packetiser.timestamp(studio.pacer.position() - firstTick);
    const packet = encodeReport({ ssrc: packetiser.ssrc, time: clock.now(), rtp, packets, octets }, cname, isLast);
    if (config.rtcp === 'mux') this.#outlet.sendBeside(packet);
    else this.#rtcp?.send(packet);
  }

  #tell(what: (listener: ChannelListener) => void): void {
    for (const listener of [...this.#listeners]) what(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGone = true;
    this.#claims.clear();
    this.#stop();
    this.#listeners.clear();
    this.#rtcp?.[Symbol.dispose]();
    await this.#outlet[Symbol.asyncDispose]();
  }
}

function keyOf({ order, config }: Pick<Claim, 'order' | 'config'>): string {
  return `${soundKey(order)} ${config.codec} ${config.payloadType}`;
}

/** The channels of all loudspeakers, one for each address. */
export class Channels implements AsyncDisposable {
  readonly #open: (target: Target, config: SpeakerConfig) => Channel;
  readonly #channels = new Map<string, { readonly channel: Channel; users: number }>();

  constructor(open: (target: Target, config: SpeakerConfig) => Channel) {
    this.#open = open;
  }

  join(target: Target, config: SpeakerConfig, listener: ChannelListener): Channel {
    const key = placeOf(target, config);
    const known = this.#channels.get(key) ?? { channel: this.#open(target, config), users: 0 };
    this.#channels.set(key, known);
    known.users++;
    known.channel.join(listener);
    return known.channel;
  }

  async leave(target: Target, config: SpeakerConfig, listener: ChannelListener): Promise<void> {
    const key = placeOf(target, config);
    const known = this.#channels.get(key);
    if (known === undefined) return;
    known.channel.leave(listener);
    if (--known.users > 0) return;
    this.#channels.delete(key);
    await known.channel[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#channels.values()];
    this.#channels.clear();
    await Promise.all(all.map(({ channel }) => channel[Symbol.asyncDispose]()));
  }
}

function placeOf({ host, port }: Target, { multicast }: SpeakerConfig): string {
  return `${host} ${port} ${multicast?.interface ?? ''}`;
}
