import type { SoundOrder } from '#edge/domain/broadcast.ts';
import { formats } from '#edge/drivers/sound/codecs.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Paced } from '#edge/drivers/sound/pacer.ts';
import type { Studio, Voice } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, Ticker } from '#edge/runtime/lifecycle.ts';
import type { LineConfig } from './config.ts';
import { findPlayer, type LineProgram, Player } from './player.ts';

/** What a loudspeaker wants of the card. */
export interface Claim {
  readonly order: SoundOrder;
  /** Lower is stronger: several zones may hang on one card. */
  readonly strength: number;
}

/** Who is told what becomes of a card; nothing here may throw or wait. */
export interface CardListener {
  onChange(): void;
  /** The sound that it claimed has come to its end by itself. */
  onOver(): void;
  onState(state: 'online' | 'offline', message: string): void;
  onCount(outcome: string): void;
}

export interface CardOptions {
  readonly config: LineConfig;
  readonly studio: Studio;
  readonly clock: Clock;
  /** ms between two looks at a card that plays nothing; null: it is not looked at. */
  readonly probeEvery: number | null;
  /** Tests have folders of their own. */
  readonly path?: string | undefined;
}

interface Playing {
  readonly key: string;
  readonly voice: Voice;
  readonly paced: Paced;
  player: Player | null;
  /** The tick whose samples are next. */
  next: number;
}

export const format = formats['L16/48000'];
/** Later than this it skips instead of lagging behind for good, frames. */
const mostCatchUp = 3;
/** A player starts within this, frames. */
const mostAtStart = 8;
/** The arbiter's end and ours are as far apart as the card's buffer, frames. */
const lastWords = 15;
const endPatience = 1_000;
/** A player that lives so long has its card, ms: one without a card ends within a tenth of that. */
const trustAfter = 1_000;
const firstPause = 250;
const longestPause = 5_000;
/** A card that hangs while it is looked at is not there, ms. */
const probePatience = 5_000;

/**
 * One sound card: never more than one sound at a time. Of what several loudspeakers want there the strongest plays, once. A sound that is cut is
 * cut by ending its player, so that nothing of it is left in a buffer; a player that ends by itself is told, and tried again while somebody
 * wants to be heard.
 */
export class Card implements AsyncDisposable {
  readonly #options: CardOptions;
  readonly #claims = new Map<CardListener, Claim>();
  readonly #listeners = new Set<CardListener>();
  readonly #backoff = new Backoff({ first: firstPause, cap: longestPause });
  readonly #alive = new Set<Player>();
  readonly #prober: Ticker | null;
  #playing: Playing | undefined;
  #program: LineProgram | null = null;
  #retry: NodeJS.Timeout | undefined;
  #trust: NodeJS.Timeout | undefined;
  #state: 'unknown' | 'online' | 'offline' = 'unknown';
  #why = '';
  #isGone = false;

  constructor(options: CardOptions) {
    this.#options = options;
    const { probeEvery, config } = options;
    this.#prober = probeEvery === null || config.probe === 'none' ? null : new Ticker(probeEvery, () => this.#probe());
  }

  /** Resolves when the card was looked at for the first time. Never rejects. */
  async open(): Promise<void> {
    if (this.#options.config.probe === 'open') await this.#probe();
    else if ((await this.#find()) !== null)
      this.#say('online', `plays on ${this.name} when there is something to play`);
  }

  get name(): string {
    return `the sound card ${this.#options.config.device}`;
  }

  /** Why it cannot be heard; null: nothing is known against it. */
  get trouble(): string | null {
    return this.#state === 'offline' ? this.#why : null;
  }

  join(listener: CardListener): void {
    this.#listeners.add(listener);
    if (this.#state !== 'unknown') listener.onState(this.#state, this.#why);
  }

  leave(listener: CardListener): void {
    this.release(listener);
    this.#listeners.delete(listener);
  }

  claim(listener: CardListener, claim: Claim): 'plays' | 'waits' {
    this.#claims.set(listener, claim);
    this.#choose();
    return this.plays(listener) ? 'plays' : 'waits';
  }

  release(listener: CardListener): void {
    if (this.#claims.delete(listener)) this.#choose();
  }

  plays(listener: CardListener): boolean {
    const claim = this.#claims.get(listener);
    const top = this.#top();
    return claim !== undefined && top !== undefined && soundKey(top.order) === soundKey(claim.order);
  }

  /** Resolves as soon as it is known that the card does not take the sound, or after `patience` ms. */
  async settled(patience: number): Promise<void> {
    const ended = this.#playing?.player?.ended;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    await Promise.race([promise, ...(ended === undefined ? [] : [ended])]);
    clearTimeout(timer);
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
    if (this.#playing !== undefined && top !== undefined && this.#playing.key === soundKey(top.order)) {
      this.#playing.voice.setLevel(top.order.level ?? 100);
      return;
    }
    this.#stop(top !== undefined);
    if (top === undefined || this.#isGone) return;
    this.#begin(top.order);
    this.#tell((listener) => listener.onChange());
  }

  #begin(order: SoundOrder): void {
    const { studio } = this.#options;
    const key = soundKey(order);
    let voice: Voice;
    try {
      voice = studio.play(order, format);
    } catch (error) {
      // Sessions load before they claim; a live session may be one too many.
      this.#tell((listener) => listener.onCount('not-playable'));
      this.#over(key);
      this.#say('online', messageOf(error));
      return;
    }
    const paced: Paced = { onTick: (tick) => this.#onTick(tick) };
    this.#playing = { key, voice, paced, player: null, next: studio.pacer.tick() };
    studio.pacer.add(paced);
    // A card is opened by one at a time: whoever had it must be gone.
    void this.#startPlayer(this.#playing);
  }

  async #startPlayer(playing: Playing): Promise<void> {
    clearTimeout(this.#retry);
    const program = this.#program ?? (await this.#find());
    await this.#untilFree();
    if (this.#playing === playing && program === null && !this.#isGone)
      this.#retry = setTimeout(() => void this.#startPlayer(playing), longestPause);
    if (this.#playing !== playing || playing.player !== null || program === null || this.#isGone) return;
    const player = this.#run(new Player(program, this.#options.config));
    playing.player = player;
    // What is new begins at its beginning, a moment late; what is taken up again goes on where it is by now.
    const tick = this.#options.studio.pacer.tick();
    if (tick - playing.next > mostAtStart) this.#skipTo(playing, tick);
    this.#feed(playing, player, tick);
    clearTimeout(this.#trust);
    this.#trust = setTimeout(() => {
      if (this.#playing?.player !== player) return;
      this.#backoff.reset();
      this.#say('online', `plays on ${this.name}`);
    }, trustAfter);
    const { said } = await player.ended;
    if (this.#playing !== playing || playing.player !== player) return;
    playing.player = null;
    this.#fail(said === '' ? 'the player ended' : said, 'player-ended');
    this.#retry = setTimeout(() => void this.#startPlayer(playing), this.#backoff.next());
  }

  /** One that hangs in its driver cannot be ended; what it keeps from others they say. */
  async #untilFree(): Promise<void> {
    const enough = new AbortController();
    const all = Promise.all([...this.#alive].map(({ ended }) => ended));
    await Promise.race([all, delay(endPatience, enough.signal)]);
    enough.abort();
  }

  #run(player: Player): Player {
    this.#alive.add(player);
    void player.ended.then(() => this.#alive.delete(player));
    return player;
  }

  #onTick(tick: number): void {
    const playing = this.#playing;
    if (playing === undefined) return;
    const { voice, player } = playing;
    if (player !== null) {
      if (tick - playing.next >= mostCatchUp) this.#skipTo(playing, tick);
      this.#feed(playing, player, tick);
    }
    if (voice.isOver(tick + 1)) this.#over(playing.key);
  }

  #skipTo(playing: Playing, tick: number): void {
    const frames = Math.min(tick - playing.next, 1_000);
    for (let i = 0; i < frames; i++) this.#tell((listener) => listener.onCount('frame-skipped'));
    playing.next = tick;
  }

  /** Everything up to this tick. */
  #feed(playing: Playing, player: Player, tick: number): void {
    for (; playing.next <= tick; playing.next++) {
      const payload = playing.voice.payload(playing.next);
      if (payload === null) return;
      // As in packets: the byte that weighs most comes first. It is shared, so a copy is turned.
      if (player.write(Buffer.from(payload).swap16())) continue;
      // Ended, or stuck: its end says which, and begins anew.
      if (!player.hasEnded) this.#tell((listener) => listener.onCount('card-stuck'));
      player.cut('it takes no more sound');
      return;
    }
  }

  /** What plays is silent at once for something else; without that its last words are played out, if no more are left. */
  #stop(isForOther: boolean): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#trust);
    const playing = this.#playing;
    this.#playing = undefined;
    // A card is opened by one at a time: the rest of what was played out gives way too.
    if (isForOther) for (const player of this.#alive) player.cut();
    if (playing === undefined) return;
    const { voice, player } = playing;
    this.#options.studio.pacer.remove(playing.paced);
    if (player !== null && voice.isOver(playing.next + lastWords)) {
      for (let tick = playing.next; !voice.isOver(tick); tick++) {
        const payload = voice.payload(tick);
        if (payload === null || !player.write(Buffer.from(payload).swap16())) break;
      }
      player.finish();
    } else player?.cut();
    voice[Symbol.dispose]();
  }

  /** A sound has ended by itself: whoever wanted it has had it. */
  #over(key: string): void {
    const those = [...this.#claims].filter(([, claim]) => soundKey(claim.order) === key);
    for (const [listener] of those) this.#claims.delete(listener);
    this.#stop(false);
    if (this.#top() !== undefined) this.#choose();
    else this.#tell((listener) => listener.onChange());
    for (const [listener] of those) listener.onOver();
  }

  async #find(): Promise<LineProgram | null> {
    const { config, path } = this.#options;
    this.#program = await findPlayer(config.program, path);
    if (this.#program === null) {
      const what = config.program === 'auto' ? 'neither aplay (alsa-utils) nor ffmpeg' : `no ${config.program}`;
      this.#fail(`${what} is installed on this machine`, 'no-player');
    }
    return this.#program;
  }

  /** Opens and closes the card, without a sound; what plays says more by itself. */
  async #probe(): Promise<void> {
    if (this.#playing !== undefined || this.#alive.size > 0 || this.#isGone) return;
    const program = await this.#find();
    if (program === null || this.#playing !== undefined || this.#isGone) return;
    const player = this.#run(new Player(program, this.#options.config, '/dev/null'));
    player.finish();
    const enough = setTimeout(() => player.cut(), probePatience);
    const { isClean, said } = await player.ended;
    clearTimeout(enough);
    if (this.#playing !== undefined || this.#isGone) return;
    if (isClean) this.#say('online', `${this.name} can be opened; what hangs on it says nothing back`);
    else this.#fail(said === '' ? 'it does not open' : said, 'no-card');
  }

  #fail(why: string, count: string): void {
    this.#tell((listener) => listener.onCount(count));
    this.#say('offline', `${this.name} does not play: ${why}`);
  }

  #say(state: 'online' | 'offline', message: string): void {
    if (this.#isGone || (this.#state === state && (state === 'online' || this.#why === message))) return;
    this.#state = state;
    this.#why = message;
    this.#tell((listener) => listener.onState(state, message));
  }

  #tell(what: (listener: CardListener) => void): void {
    for (const listener of [...this.#listeners]) what(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGone = true;
    this.#prober?.[Symbol.dispose]();
    this.#claims.clear();
    this.#stop(true);
    this.#listeners.clear();
    await this.#untilFree();
  }
}
