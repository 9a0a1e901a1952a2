import type { SoundOrder } from '#edge/domain/broadcast.ts';
import { type CodecFormat, startDecoder } from '#edge/drivers/sound/codecs.ts';
import type { Studio, Voice } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Call, CallState } from './call.ts';
import type { Route, SipConfig } from './config.ts';
import type { SipLine } from './line.ts';
import { Media } from './media.ts';
import { startPlayer } from './player.ts';
import { answerDirection, commonCodec, type Description, type Direction, offerOf, writeDescription } from './sdp.ts';
import { EchoJudge, halved, levelOf, type Talk, TalkBuffer } from './talk.ts';

export interface ConversationOptions {
  readonly line: SipLine;
  readonly config: SipConfig;
  readonly studio: Studio;
  readonly clock: Clock;
  readonly route: Route;
  readonly onState: (state: CallState) => void;
  /** The order is played to its end. */
  readonly onEnd: () => void;
  /** The order cannot be played, though the call stands. */
  readonly onProblem: (words: string) => void;
  /** The far end has proved that it hears this order. */
  readonly onHeard: () => void;
  readonly onTalk: (talk: Talk) => void;
  readonly onSent: () => void;
  readonly onReceived: () => void;
  /** So many packets more have arrived there, as the far end counts them. */
  readonly onCounted: (packets: number) => void;
  readonly onCount: (word: string) => void;
}

/** A clip that is not in memory at the agreed rate, ms. */
const loadPatience = 2_000;

/** One call with its sound: what the far end is played, and what it says back. */
export class Conversation implements AsyncDisposable {
  readonly #options: ConversationOptions;
  readonly #talk = new TalkBuffer();
  readonly #session: number;
  #media: Media | null = null;
  #call: Call | null = null;
  #order: SoundOrder | null = null;
  #voice: Voice | null = null;
  #player: Disposable | null = null;
  #direction: Direction;
  #version = 0;
  #isOver = false;
  #isTalking = false;
  #playedFrom = 0;
  /** Packets of this call that the far end says it got. */
  #counted = 0;
  #echo = new EchoJudge();
  #decode: ((payload: Uint8Array) => Int16Array) | null = null;
  #decodeOwn: ((payload: Uint8Array) => Int16Array) | null = null;
  #format: CodecFormat | null = null;
  /** dBFS of what was heard last. */
  #level = Number.NEGATIVE_INFINITY;
  #levelAt = Number.NEGATIVE_INFINITY;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#session = options.clock.now();
    this.#direction = options.config.talkback !== false ? 'sendrecv' : 'sendonly';
  }

  get state(): CallState {
    return this.#call?.state ?? { kind: 'calling' };
  }

  get isPlaying(): boolean {
    return this.#player !== null;
  }

  /** dBFS of the last second; -Infinity when nothing came. */
  get level(): number {
    return this.#options.clock.monotonic() - this.#levelAt < 1_000 ? this.#level : Number.NEGATIVE_INFINITY;
  }

  /** Calls. A sentence: why that is not possible. */
  async start(order: SoundOrder): Promise<string | null> {
    this.#order = order;
    const { line, clock, config, route, onReceived, onCount, onCounted, onSent } = this.#options;
    const media = await Media.open({
      family: line.family,
      clock,
      symmetric: config.symmetric,
      listener: {
        sent: onSent,
        received: (payload) => {
          onReceived();
          this.#listen(payload);
        },
        reported: (upTo, share, inAll) => {
          if (inAll > this.#counted) {
            onCounted(inAll - this.#counted);
            this.#counted = inAll;
          }
          if (upTo > this.#playedFrom && share > 0 && this.#player !== null) this.#options.onHeard();
        },
        dropped: onCount,
      },
    });
    // Hung up while the sockets were being opened.
    if (this.#isOver) return await media[Symbol.asyncDispose]().then(() => null);
    this.#media = media;
    const call = line.call({
      route,
      describe: (address) => this.#describe(media, address),
      agree: (theirs) => this.#agree(media, theirs),
      changed: (state) => this.#changed(state),
    });
    if (typeof call === 'string') return call;
    this.#call = call;
    call.start();
    return null;
  }

  /** Another order over the same call, from this tick on. */
  play(order: SoundOrder): void {
    this.#order = order;
    this.#silence();
    if (this.state.kind === 'connected') this.#play();
  }

  setLevel(order: SoundOrder): void {
    this.#order = order;
    this.#voice?.setLevel(order.level ?? 100);
  }

  /** Silent in this turn; the goodbye is said in the background. */
  hangUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#silence();
    this.#call?.hangUp();
    this.#talk.end();
    void this.#media?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.#media?.[Symbol.asyncDispose]();
  }

  #changed(state: CallState): void {
    // Whoever hung up here knows.
    if (this.#isOver) return;
    if (state.kind === 'connected') this.#play();
    this.#options.onState(state);
    if (state.kind === 'ended') this.hangUp();
  }

  #describe(media: Media, address: string): string {
    const { config } = this.#options;
    const agreed = media.codec;
    const codecs = agreed === null ? offerOf(config.codecs) : [agreed];
    const { port } = media;
    return writeDescription({
      ...{ address, port, codecs, direction: this.#direction },
      ...{ session: this.#session, version: this.#version++ },
    });
  }

  #agree(media: Media, theirs: Description): string | null {
    const { config } = this.#options;
    const codec = commonCodec(theirs.codecs, offerOf(config.codecs));
    if (codec === null) return `speaks none of the codecs ${config.codecs.join(', ')}`;
    if (theirs.ptime !== null && theirs.ptime < 20) return `wants packets of ${theirs.ptime} ms, and 20 ms are sent`;
    const changed = media.codec?.format !== codec.format;
    this.#direction = answerDirection(theirs.direction, config.talkback !== false ? 'sendrecv' : 'sendonly');
    media.agree(theirs, codec);
    if (!changed) return null;
    this.#format = codec.format;
    const { codec: name } = codec.format;
    const isKnown = name === 'PCMA' || name === 'PCMU' || name === 'G722';
    this.#decode = isKnown && config.talkback !== false ? startDecoder(name) : null;
    this.#decodeOwn = isKnown && config.talkback !== false ? startDecoder(name) : null;
    // Agreed on anew in the middle of the call: the sound goes on in the other codec.
    if (this.#player !== null && this.#order !== null) this.play(this.#order);
    return null;
  }

  #silence(): void {
    this.#player?.[Symbol.dispose]();
    this.#player = null;
    this.#voice = null;
  }

  #play(): void {
    const { studio } = this.#options;
    const [order, format] = [this.#order, this.#format];
    if (order === null || format === null || this.#isOver) return;
    if (studio.isReady(order, format.rate)) {
      this.#begin(order, format);
      return;
    }
    // Somebody speaks a codec that is not usual here: its rate is decoded once, and the order joins where it is by then.
    void within(loadPatience, 'reading its clips', studio.load(order, format.rate)).then(
      () => {
        if (order === this.#order && format === this.#format && !this.#isOver) this.#begin(order, format);
      },
      (error: unknown) => {
        if (order === this.#order && !this.#isOver) this.#options.onProblem(messageOf(error));
      },
    );
  }

  #begin(order: SoundOrder, format: CodecFormat): void {
    const { studio, onCount, onEnd, onProblem } = this.#options;
    const media = this.#media;
    if (media === null) return;
    this.#playedFrom = media.packets;
    this.#echo = new EchoJudge();
    try {
      this.#voice = studio.play(order, format);
    } catch (error) {
      onProblem(messageOf(error));
      return;
    }
    let isOverAtOnce = false;
    const player = startPlayer({
      voice: this.#voice,
      pacer: studio.pacer,
      send: (payload, tick) => {
        media.send(payload, tick);
        this.#compare(payload);
      },
      onSkipped: () => onCount('skipped'),
      onEnd: () => {
        isOverAtOnce = true;
        this.#player = null;
        this.#voice = null;
        onEnd();
      },
    });
    if (!isOverAtOnce) this.#player = player;
  }

  /** What we send is only worth looking at while something comes back. */
  #compare(payload: Buffer): void {
    const decode = this.#decodeOwn;
    if (decode === null || this.level === Number.NEGATIVE_INFINITY || this.#echo.isProved) return;
    if (this.#format?.codec === 'G722') {
      const pcm = decode(payload);
      this.#echo.sent(() => halved(pcm));
    } else this.#echo.sent(() => decode(payload));
  }

  #listen(payload: Buffer): void {
    const { clock, onTalk, onHeard } = this.#options;
    const decode = this.#decode;
    if (decode === null || this.#isOver) return;
    const pcm = decode(payload);
    const level = levelOf(pcm);
    this.#level = level;
    this.#levelAt = clock.monotonic();
    const isWide = this.#format?.codec === 'G722';
    if (!this.#isTalking) {
      this.#isTalking = true;
      onTalk(this.#talk);
    }
    this.#talk.push({ pcm, rate: isWide ? 16_000 : 8_000, level, at: clock.now() });
    if (this.#player === null || this.#echo.isProved) return;
    if (this.#echo.received(isWide ? halved(pcm) : pcm)) onHeard();
  }
}
