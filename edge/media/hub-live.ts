import type { StreamRole } from '#edge/domain/camera.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type {
  Fragment,
  StreamHealth,
  StreamHub,
  StreamInit,
  StreamState,
  StreamSubscriber,
  SubscribeOptions,
} from './hub.ts';
import { StreamMeter } from './hub-meter.ts';
import type { SourceEnd, StreamSource } from './hub-source.ts';

export interface LiveHubOptions {
  readonly camera: DeviceId;
  readonly role: StreamRole;
  readonly source: StreamSource;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the stream stays when nobody wants it any more, ms. */
  readonly linger?: number;
  /** First and longest pause between two tries, ms. */
  readonly pauses?: { readonly first: number; readonly cap: number };
}

/** Four seconds of 32 Mbit/s. A camera with longer groups of pictures has viewers wait for its next key frame. */
const mostRecent = 16 * 1024 * 1024;
/** Of small ones too: each is an object, and given to each new viewer. */
const mostKept = 4_096;
const mostSubscribers = 512;
const unable = 'this box cannot fetch the video now';
/** A stream that lived so long was well: the next pause is short again, ms. */
const healthyAfter = 30_000;
/** Viewers who come and go must not ask a camera more often than this, ms. */
const leastPause = 3_000;

interface Subscription {
  readonly subscriber: StreamSubscriber;
  readonly isViewer: boolean;
  /** It waits for a key frame. */
  waits: boolean;
}

/**
 * One stream, fetched while somebody wants it and a while longer, and handed to all who do. It starts the source again whenever that ends;
 * each start is a generation of its own.
 */
export class LiveHub implements StreamHub, AsyncDisposable {
  readonly camera: DeviceId;
  readonly role: StreamRole;
  readonly #options: Required<Omit<LiveHubOptions, 'camera' | 'role'>>;
  readonly #subscriptions = new Set<Subscription>();
  readonly #meter: StreamMeter;
  #state: StreamState;
  #init: StreamInit | null = null;
  #recent: Fragment[] = [];
  #recentBytes = 0;
  #generation = 0;
  #stop: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();
  /** What `retry` does at this moment. */
  #onRetry: (how: 'waiting' | 'anew') => void = () => {};
  #lingering: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor({ camera, role, linger = 15_000, pauses = { first: 1_000, cap: 60_000 }, ...rest }: LiveHubOptions) {
    this.camera = camera;
    this.role = role;
    this.#options = { ...rest, linger, pauses };
    this.#meter = new StreamMeter(rest.clock);
    this.#state = { kind: 'idle', reason: '', message: '', since: rest.clock.now() };
  }

  get state(): StreamState {
    return this.#state;
  }

  get init(): StreamInit | null {
    return this.#init;
  }

  get recent(): readonly Fragment[] {
    return this.#recent;
  }

  get subscribers(): number {
    return this.#subscriptions.size;
  }

  get frameRate(): number | null {
    return this.#state.kind === 'running' ? (this.#meter.rates()?.pictures ?? null) : null;
  }

  get health(): StreamHealth {
    const { codec = '', width = 0, height = 0 } = this.#init ?? {};
    return {
      camera: this.camera,
      role: this.role,
      state: this.#state,
      codec,
      width,
      height,
      frameRate: this.frameRate,
      bytesPerSecond: Math.round(this.#meter.rates()?.bytes ?? 0),
      viewers: [...this.#subscriptions].filter(({ isViewer }) => isViewer).length,
      restarts: Math.max(0, this.#generation - 1),
    };
  }

  subscribe(subscriber: StreamSubscriber, { fromKeyFrame, isViewer = false }: SubscribeOptions): Disposable {
    const subscription: Subscription = { subscriber, isViewer, waits: true };
    if (this.#isClosed || this.#subscriptions.size >= mostSubscribers) {
      subscriber.ended(this.#isClosed ? 'this stream is not there any more' : 'too many want this stream');
      return { [Symbol.dispose]: () => {} };
    }
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#start();
    this.#subscriptions.add(subscription);
    if (isViewer) this.#hurry();
    subscriber.state?.(this.#state);
    if (this.#init !== null) subscriber.init(this.#init);
    if (fromKeyFrame) for (const fragment of this.#recent) hand(subscription, fragment);
    return { [Symbol.dispose]: () => this.#unsubscribe(subscription) };
  }

  /** What the source is told has changed: it is tried now, not after its pause; `anew` ends what runs, too. */
  retry(how: 'waiting' | 'anew'): void {
    this.#onRetry(how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close('this stream is not there any more');
  }

  /** Ends it for good. */
  async close(reason: string): Promise<void> {
    this.#isClosed = true;
    const subscriptions = [...this.#subscriptions];
    this.#subscriptions.clear();
    for (const { subscriber } of subscriptions) subscriber.ended(reason);
    await this.#end();
  }

  /** Somebody stands before the screen: the rest of a pause is not waited for, unless a password would be tried once more. */
  #hurry(): void {
    const { kind, reason, since } = this.#state;
    if (kind !== 'waiting' && kind !== 'refused' && kind !== 'stalled') return;
    const elapsed = this.#options.clock.now() - since;
    if (reason !== 'password' && Math.abs(elapsed) > leastPause) this.retry('waiting');
  }

  #unsubscribe(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription) || this.#subscriptions.size > 0 || this.#isClosed) return;
    this.#lingering = setTimeout(() => void this.#end(), this.#options.linger);
  }

  #start(): void {
    if (this.#stop !== null) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#tell('connecting', '', '');
    const before = this.#running;
    this.#running = before.then(() => this.#run(stop.signal));
  }

  async #end(): Promise<void> {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#stop?.abort();
    this.#stop = null;
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const pauses = new Backoff(this.#options.pauses);
    for (let before = ''; !signal.aborted; ) {
      const started = clock.monotonic();
      this.#tell('connecting', '', '');
      const end = await this.#runOnce(signal);
      this.#forget();
      if (signal.aborted) break;
      if (clock.monotonic() - started > healthyAfter) pauses.reset();
      if (end.reason !== before && end.reason !== '') {
        const { camera, role } = this;
        const { reason, message: problem, detail } = end;
        log.warn({ camera, role, reason, problem, detail }, 'a stream of a camera is not there');
      }
      before = end.reason;
      if (end.pause === 0) continue;
      await this.#pause(end, end.pause ?? pauses.next(), signal);
    }
    this.#forget();
    if (this.#stop === null) this.#tell('idle', '', '');
  }

  /** One generation. */
  async #runOnce(signal: AbortSignal): Promise<SourceEnd> {
    const restart = new AbortController();
    this.#onRetry = (how) => how === 'anew' && restart.abort();
    const sink = {
      init: (init: Omit<StreamInit, 'generation'>) => this.#begin(init),
      fragment: (fragment: Fragment) => this.#take(fragment),
    };
    // A bulkhead: a box without descriptors or processes to give costs this stream, and the others go on.
    const end = await this.#options.source
      .run(sink, AbortSignal.any([signal, restart.signal]))
      .catch((error: unknown): SourceEnd => ({ reason: 'ended', message: unable, detail: messageOf(error) }));
    return restart.signal.aborted ? { reason: '', message: '', pause: 0 } : end;
  }

  async #pause(end: SourceEnd, pause: number, signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.#onRetry = () => wake.abort();
    const { reason, message } = end;
    this.#tell(reason === 'stalled' ? 'stalled' : isRefusal(reason) ? 'refused' : 'waiting', reason, message);
    await delay(pause, AbortSignal.any([signal, wake.signal]));
  }

  #begin(init: Omit<StreamInit, 'generation'>): void {
    this.#generation += 1;
    this.#recent = [];
    this.#recentBytes = 0;
    this.#init = { ...init, generation: this.#generation };
    for (const subscription of this.#subscriptions) {
      subscription.waits = true;
      subscription.subscriber.init(this.#init);
    }
  }

  #take(fragment: Fragment): void {
    if (this.#init === null) return;
    this.#meter.count(fragment.bytes.length);
    if (this.#state.kind !== 'running') this.#tell('running', '', '');
    if (fragment.isKey) {
      this.#recent = [];
      this.#recentBytes = 0;
    }
    const isKept = fragment.isKey || this.#recent.length > 0;
    this.#recentBytes += fragment.bytes.length;
    if (this.#recentBytes > mostRecent || this.#recent.length >= mostKept) this.#recent = [];
    else if (isKept) this.#recent.push(fragment);
    for (const subscription of this.#subscriptions) hand(subscription, fragment);
  }

  #forget(): void {
    this.#init = null;
    this.#recent = [];
    this.#recentBytes = 0;
    this.#meter.reset();
  }

  #tell(kind: StreamState['kind'], reason: StreamState['reason'], message: string): void {
    const { kind: before, reason: why, message: said } = this.#state;
    if (before === kind && why === reason && said === message) return;
    this.#state = { kind, reason, message, since: this.#options.clock.now() };
    for (const { subscriber } of this.#subscriptions) subscriber.state?.(this.#state);
  }
}

function hand(subscription: Subscription, fragment: Fragment): void {
  if (subscription.waits && !fragment.isKey) return;
  subscription.waits = false;
  subscription.subscriber.fragment(fragment);
}

/** A camera, or this box, that says no: trying harder does not help. */
function isRefusal(reason: StreamState['reason']): boolean {
  return ['password', 'missing', 'busy', 'codec', 'no-ffmpeg', 'old-ffmpeg', 'no-address'].includes(reason);
}
