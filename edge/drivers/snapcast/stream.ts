import { isEmergency, type Proof, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Claim, CardListener as Listener } from '#edge/drivers/line/card.ts';
import { format } from '#edge/drivers/line/card.ts';
import type { Instrument } from '#edge/drivers/line/session.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Paced } from '#edge/drivers/sound/pacer.ts';
import type { Studio, Voice } from '#edge/drivers/sound/studio.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { SnapcastConfig } from './config.ts';
import { SnapControl } from './control.ts';
import { Feed } from './feed.ts';
import { LastSeen } from './last-seen.ts';
import type { SnapClient, SnapGroup, SnapStatus } from './status.ts';

export interface SnapStreamOptions {
  readonly config: SnapcastConfig;
  readonly studio: Studio;
  readonly clock: Clock;
  readonly probeEvery: number;
}

interface Playing {
  readonly key: string;
  readonly order: SoundOrder;
  readonly voice: Voice;
  readonly paced: Paced;
  /** Lower is stronger. */
  readonly strength: number;
  next: number;
}

/** Later than this it skips instead of lagging behind, frames. */
const mostCatchUp = 3;
const emergencyVolume = 100;
/** What is so near to its end when it is stopped has ended by itself: its last words are in the server's buffer, frames. */
const lastWords = 15;
/** For so long what has ended may still be heard: no server of a campus has a longer buffer, ms. */
const longestBuffer = 3_000;
/** Nothing of a sound is lost while the clients change to its stream, frames of silence before it. */
const leadFrames = 2;
/** By then a status of the server says what came of it, ms. */
const putPatience = 500;
const silence = Buffer.alloc(1_920);

/** One stream of a Snapcast server, the clients that are to hear it, and why they do not. */
export class SnapStream implements Instrument, AsyncDisposable {
  readonly #options: SnapStreamOptions;
  readonly #control: SnapControl;
  /** The stream, and the spare one. */
  readonly #ways: readonly { readonly name: string; readonly feed: Feed }[];
  /** Which of them the clients are to hear. */
  #at = 0;
  readonly #seen = new LastSeen();
  /** What ended last, and when; monotonic ms. */
  #last = { strength: Number.POSITIVE_INFINITY, at: Number.NEGATIVE_INFINITY };
  #listener: Listener | null = null;
  #claim: Claim | null = null;
  #playing: Playing | null = null;
  #status: SnapStatus | null = null;
  #away = 'the Snapcast server has not answered yet';
  #told: string | null = null;
  /** The next word of who hears it. */
  #heard = Promise.withResolvers<void>();
  /** What was louder made for an emergency, as it was before. */
  readonly #before = new Map<string, { readonly muted: boolean; readonly percent: number }>();
  /** Asked for already: the server's next word says what came of it. */
  readonly #asked = new Set<string>();
  /** Groups that were put on a stream a moment ago: a status on its way does not know it yet, and the server tells only others. */
  readonly #put = new Map<string, { readonly stream: string; readonly at: number }>();
  #isGone = false;

  constructor(options: SnapStreamOptions) {
    this.#options = options;
    const { host, control, stream, spare } = options.config;
    const onCount = (outcome: string) => this.#listener?.onCount(outcome);
    this.#control = new SnapControl({
      ...{ host, port: control, probeEvery: options.probeEvery, onCount },
      onStatus: (status, why) => this.#hear(status, why),
    });
    const { channels } = stream;
    this.#ways = [stream, ...(spare === undefined ? [] : [spare])].map(({ name, port }) => ({
      ...{ name, feed: new Feed({ host, port, channels, onCount, onState: () => this.#say() }) },
    }));
  }

  get name(): string {
    const { host, stream } = this.#options.config;
    return `the Snapcast stream ${stream.name} at ${host}`;
  }

  /** Why nobody hears it; null: somebody does, as far as the server knows. */
  get trouble(): string | null {
    if (this.#status === null) return `the Snapcast server at ${this.#options.config.host}: ${this.#away}`;
    if (this.#feed().problem !== '') return `${this.name}: ${this.#feed().problem}`;
    const deaf = this.#deaf();
    return deaf.length < this.#options.config.clients.length ? null : deaf.join('; ');
  }

  /** Who of several does not hear it. */
  get doubt(): string | null {
    const deaf = this.#deaf();
    const blunt = this.#whyBlunt();
    return deaf.length === 0 ? blunt : deaf.join('; ');
  }

  proof(): { readonly proof: Proof; readonly evidence: string } {
    const { clients } = this.#options.config;
    const deaf = this.#deaf();
    const isTaken = this.#status?.streams.get(this.#stream()) === 'playing';
    const rest = deaf.length === 0 ? '' : `; ${deaf.join('; ')}`;
    const count = clients.length - deaf.length;
    const evidence = isTaken
      ? `the server plays it to ${count} of ${clients.length} clients${rest}`
      : `given to ${this.name}${rest}`;
    return { proof: isTaken && count > 0 ? 'acknowledged' : 'sent', evidence };
  }

  join(listener: Listener): void {
    this.#listener = listener;
    this.#told = null;
    this.#say();
  }

  leave(listener: Listener): void {
    this.release(listener);
    if (this.#listener === listener) this.#listener = null;
  }

  claim(_listener: Listener, claim: Claim): 'plays' {
    this.#claim = claim;
    const key = soundKey(claim.order);
    if (this.#playing?.key === key) this.#playing.voice.setLevel(claim.order.level ?? 100);
    else {
      const isOverlaid = this.#isHeardOf(claim.strength);
      this.#stop();
      if (isOverlaid) this.#change();
      this.#begin(claim);
    }
    this.#arrange();
    return 'plays';
  }

  release(_listener: Listener): void {
    this.#claim = null;
    const isCut = this.#isCut();
    this.#stop();
    if (isCut) this.#change();
    this.#arrange();
  }

  plays(_listener: Listener): boolean {
    return this.#claim !== null;
  }

  /** Resolves as soon as somebody hears it, or after `patience` ms. */
  async settled(patience: number): Promise<void> {
    const enough = new AbortController();
    const late = delay(patience, enough.signal);
    while (this.trouble !== null && !this.#isGone) {
      const isLate = await Promise.race([late.then(() => true), this.#heard.promise.then(() => false)]);
      if (isLate) return;
    }
    enough.abort();
  }

  #feed(): Feed {
    const way = this.#ways[this.#at];
    if (way === undefined) throw new Error('a Snapcast loudspeaker without a stream');
    return way.feed;
  }

  #stream(): string {
    return this.#ways[this.#at]?.name ?? this.#options.config.stream.name;
  }

  /** It would be heard on beyond its stop, and not only its last words. */
  #isCut(): boolean {
    const playing = this.#playing;
    return playing !== null && !playing.voice.isOver(playing.next + lastWords);
  }

  /** Something weaker, or cut, is still on its way to be heard: what has ended by itself is heard to its end before its equals. */
  #isHeardOf(strength: number): boolean {
    if (this.#isCut()) return true;
    const last = this.#playing ?? this.#last;
    const isRecent = this.#playing !== null || this.#options.clock.monotonic() - this.#last.at < longestBuffer;
    return isRecent && strength < last.strength;
  }

  /** The clients are put on the other stream, where nothing is in a buffer: they are silent at once. */
  #change(): void {
    if (this.#whyBlunt() !== null || this.#ways.length < 2) return;
    this.#at = 1 - this.#at;
    for (let n = 0; n < leadFrames; n++) this.#feed().write(silence);
  }

  /** Why nothing can be cut; null: it can, or it was never said that it should. */
  #whyBlunt(): string | null {
    const other = this.#ways[1 - this.#at];
    if (other === undefined || this.#status === null) return null;
    if (!this.#status.streams.has(other.name)) return `sounds are not cut: the server has no stream ${other.name}`;
    return other.feed.problem === '' ? null : `sounds are not cut: stream ${other.name}: ${other.feed.problem}`;
  }

  #begin({ order, strength }: Claim): void {
    const { studio } = this.#options;
    try {
      const voice = studio.play(order, format);
      const paced: Paced = { onTick: (tick) => this.#onTick(tick) };
      this.#playing = { key: soundKey(order), order, strength, voice, paced, next: studio.pacer.tick() };
      studio.pacer.add(paced);
      this.#onTick(this.#playing.next);
    } catch (error) {
      this.#listener?.onCount('not-playable');
      this.#listener?.onState('online', messageOf(error));
    }
  }

  #onTick(tick: number): void {
    const playing = this.#playing;
    if (playing === null) return;
    const { voice } = playing;
    const due = tick + 1 - playing.next;
    if (due > mostCatchUp) {
      for (let i = 1; i < Math.min(due, 1_000); i++) this.#listener?.onCount('frame-skipped');
      playing.next = tick;
    }
    for (; playing.next <= tick; playing.next++) {
      const frame = voice.payload(playing.next);
      if (frame === null) break;
      this.#feed().write(frame);
    }
    if (!voice.isOver(playing.next)) return;
    this.#stop();
    this.#claim = null;
    this.#arrange();
    this.#listener?.onOver();
  }

  #stop(): void {
    const playing = this.#playing;
    this.#playing = null;
    if (playing === null) return;
    this.#last = { strength: playing.strength, at: this.#options.clock.monotonic() };
    this.#options.studio.pacer.remove(playing.paced);
    playing.voice[Symbol.dispose]();
  }

  #hear(status: SnapStatus | null, why: string): void {
    this.#status = status;
    // A server that was away has forgotten what it was told.
    if (status === null) this.#put.clear();
    this.#asked.clear();
    const all = status?.groups.flatMap(({ clients }) => clients) ?? [];
    this.#seen.take(all, this.#options.clock.monotonic());
    if (status === null) this.#away = why;
    else this.#arrange();
    this.#say();
    this.#listener?.onChange();
  }

  #groupOf(client: string): SnapGroup | undefined {
    return this.#status?.groups.find(({ clients }) => clients.some(({ id }) => id === client));
  }

  /** A sentence for each client that does not hear the stream. */
  #deaf(): string[] {
    const { clients } = this.#options.config;
    const status = this.#status;
    if (status === null) return [];
    const stream = this.#stream();
    if (!status.streams.has(stream)) return clients.map((id) => `${id}: the server has no stream ${stream}`);
    return clients.flatMap((id) => {
      const group = this.#groupOf(id);
      const client = group?.clients.find((one) => one.id === id);
      const why =
        group === undefined || client === undefined ? 'the server does not know it' : this.#why(group, client);
      return why === '' ? [] : [`${client?.name ?? id}: ${why}`];
    });
  }

  #why(group: SnapGroup, client: SnapClient): string {
    if (!client.isConnected) return 'not connected';
    if (this.#seen.isSilent(client.id)) return 'does not answer the server';
    if (client.isMuted || group.isMuted) return 'muted';
    if (client.volume === 0) return 'its volume is 0';
    if (this.#streamOf(group) === this.#stream()) return '';
    return this.#isOurs(group) ? 'on its way to our stream' : 'in a group with clients that are not ours';
  }

  #isOurs({ clients }: SnapGroup): boolean {
    return clients.every(({ id }) => this.#options.config.clients.includes(id));
  }

  #streamOf({ id, stream }: SnapGroup): string {
    const put = this.#put.get(id);
    return put !== undefined && this.#options.clock.monotonic() - put.at < putPatience ? put.stream : stream;
  }

  /** Said twice, it would begin anew at each client. */
  #putOn(group: SnapGroup, stream: string): void {
    if (this.#streamOf(group) === stream) return;
    this.#put.set(group.id, { stream, at: this.#options.clock.monotonic() });
    this.#ask('Group.SetStream', { id: group.id, stream_id: stream }, true);
  }

  /** Puts our groups on our stream; an emergency is heard whatever somebody has turned down, and his knob is put back after it. */
  #arrange(): void {
    const { clients } = this.#options.config;
    if (this.#status === null || this.#isGone) return;
    const stream = this.#stream();
    const isUrgent = this.#playing !== null && isEmergency(this.#playing.order.class ?? 'background');
    for (const id of clients) {
      const group = this.#groupOf(id);
      const client = group?.clients.find((one) => one.id === id);
      if (group === undefined || client === undefined) continue;
      if (this.#isOurs(group) && this.#status.streams.has(stream)) this.#putOn(group, stream);
      if (isUrgent && group.isMuted && this.#isOurs(group)) this.#ask('Group.SetMute', { id: group.id, mute: false });
      const isLow = client.isMuted || client.volume < emergencyVolume;
      const before = this.#before.get(id);
      if (isUrgent && isLow) {
        if (before === undefined) this.#before.set(id, { muted: client.isMuted, percent: client.volume });
        this.#ask('Client.SetVolume', { id, volume: { muted: false, percent: emergencyVolume } });
      } else if (!isUrgent && before !== undefined) {
        this.#before.delete(id);
        this.#ask('Client.SetVolume', { id, volume: before });
      }
    }
  }

  #ask(method: string, params: object, isNew = false): void {
    const key = `${method} ${JSON.stringify(params)}`;
    if (this.#asked.has(key) && !isNew) return;
    this.#asked.add(key);
    this.#control.ask(method, params).catch((error: unknown) => {
      this.#listener?.onCount('refused');
      if (!this.#isGone) this.#listener?.onState('online', `${method}: ${messageOf(error)}`);
    });
  }

  #say(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers<void>();
    if (this.#isGone || this.#listener === null) return;
    const { trouble, doubt } = this;
    const said = trouble ?? doubt ?? '';
    if (said === this.#told) return;
    this.#told = said;
    this.#listener.onState(trouble === null ? 'online' : 'offline', said === '' ? `${this.name} is heard` : said);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#claim = null;
    this.#stop();
    this.#arrange();
    this.#isGone = true;
    this.#control[Symbol.dispose]();
    for (const { feed } of this.#ways) feed[Symbol.dispose]();
  }
}
