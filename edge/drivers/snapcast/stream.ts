import { isEmergency, type Proof, type SoundOrder } from '#edge/domain/broadcast.ts';
import type { Claim, CardListener as Listener } from '#edge/drivers/line/card.ts';
import { format } from '#edge/drivers/line/card.ts';
import type { Instrument } from '#edge/drivers/line/session.ts';
import { soundKey } from '#edge/drivers/sound/frames.ts';
import type { Paced } from '#edge/drivers/sound/pacer.ts';
import type { Studio, Voice } from '#edge/drivers/sound/studio.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { SnapcastConfig } from './config.ts';
import { SnapControl } from './control.ts';
import { Feed } from './feed.ts';
import type { SnapClient, SnapGroup, SnapStatus } from './status.ts';

export interface SnapStreamOptions {
  readonly config: SnapcastConfig;
  readonly studio: Studio;
  readonly probeEvery: number;
}

interface Playing {
  readonly key: string;
  readonly order: SoundOrder;
  readonly voice: Voice;
  readonly paced: Paced;
  next: number;
}

/** Later than this it skips instead of lagging behind, frames. */
const mostCatchUp = 3;
const emergencyVolume = 100;

/** One stream of a Snapcast server, the clients that are to hear it, and why they do not. */
export class SnapStream implements Instrument, AsyncDisposable {
  readonly #options: SnapStreamOptions;
  readonly #control: SnapControl;
  readonly #feed: Feed;
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
  #isGone = false;

  constructor(options: SnapStreamOptions) {
    this.#options = options;
    const { host, control, stream } = options.config;
    const onCount = (outcome: string) => this.#listener?.onCount(outcome);
    this.#control = new SnapControl({
      ...{ host, port: control, probeEvery: options.probeEvery, onCount },
      onStatus: (status, why) => this.#hear(status, why),
    });
    this.#feed = new Feed({ host, port: stream.port, channels: stream.channels, onCount, onState: () => this.#say() });
  }

  get name(): string {
    const { host, stream } = this.#options.config;
    return `the Snapcast stream ${stream.name} at ${host}`;
  }

  /** Why nobody hears it; null: somebody does, as far as the server knows. */
  get trouble(): string | null {
    if (this.#status === null) return `the Snapcast server at ${this.#options.config.host}: ${this.#away}`;
    if (this.#feed.problem !== '') return `${this.name}: ${this.#feed.problem}`;
    const deaf = this.#deaf();
    return deaf.length < this.#options.config.clients.length ? null : deaf.join('; ');
  }

  /** Who of several does not hear it. */
  get doubt(): string | null {
    const deaf = this.#deaf();
    return deaf.length === 0 ? null : deaf.join('; ');
  }

  proof(): { readonly proof: Proof; readonly evidence: string } {
    const { clients, stream } = this.#options.config;
    const deaf = this.#deaf();
    const isTaken = this.#status?.streams.get(stream.name) === 'playing';
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
      this.#stop();
      this.#begin(claim.order);
    }
    this.#arrange();
    return 'plays';
  }

  release(_listener: Listener): void {
    this.#claim = null;
    this.#stop();
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

  #begin(order: SoundOrder): void {
    const { studio } = this.#options;
    try {
      const voice = studio.play(order, format);
      const paced: Paced = { onTick: (tick) => this.#onTick(tick) };
      this.#playing = { key: soundKey(order), order, voice, paced, next: studio.pacer.tick() };
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
      this.#feed.write(frame);
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
    this.#options.studio.pacer.remove(playing.paced);
    playing.voice[Symbol.dispose]();
  }

  #hear(status: SnapStatus | null, why: string): void {
    this.#status = status;
    this.#asked.clear();
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
    const { clients, stream } = this.#options.config;
    const status = this.#status;
    if (status === null) return [];
    if (!status.streams.has(stream.name)) return clients.map((id) => `${id}: the server has no stream ${stream.name}`);
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
    if (client.isMuted || group.isMuted) return 'muted';
    if (client.volume === 0) return 'its volume is 0';
    if (group.stream === this.#options.config.stream.name) return '';
    return this.#isOurs(group) ? 'on its way to our stream' : 'in a group with clients that are not ours';
  }

  #isOurs({ clients }: SnapGroup): boolean {
    return clients.every(({ id }) => this.#options.config.clients.includes(id));
  }

  /** Puts our groups on our stream; an emergency is heard whatever somebody has turned down, and his knob is put back after it. */
  #arrange(): void {
    const { clients, stream } = this.#options.config;
    if (this.#status === null || this.#isGone) return;
    const isUrgent = this.#playing !== null && isEmergency(this.#playing.order.class ?? 'background');
    for (const id of clients) {
      const group = this.#groupOf(id);
      const client = group?.clients.find((one) => one.id === id);
      if (group === undefined || client === undefined) continue;
      if (group.stream !== stream.name && this.#isOurs(group) && this.#status.streams.has(stream.name))
        this.#ask('Group.SetStream', { id: group.id, stream_id: stream.name });
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

  #ask(method: string, params: object): void {
    const key = `${method} ${JSON.stringify(params)}`;
    if (this.#asked.has(key)) return;
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
    this.#feed[Symbol.dispose]();
  }
}
