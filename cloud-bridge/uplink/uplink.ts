import type { Lane } from '#bridge/contract/lanes.ts';
import { shardOf } from '#bridge/contract/topics.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { laneSenderLimits } from './lane-sender.ts';
import { type Link, openLink } from './link.ts';
import { type Acknowledged, createReporter } from './reporter.ts';
import { Session, type SessionLimits } from './session.ts';
import type { OutboxLaneState, OutboxSource } from './source.ts';

export interface UplinkLimits extends SessionLimits {
  readonly connectTimeout: number;
  /** First and longest pause between connections, ms (full jitter). */
  readonly reconnectFirst: number;
  readonly reconnectCap: number;
  /** A connection that lived this long starts the back-off anew, ms. */
  readonly stable: number;
  readonly random: () => number;
}

export const uplinkLimits: UplinkLimits = {
  ...laneSenderLimits,
  poll: 200,
  helloEvery: 30_000,
  silence: 90_000,
  connectTimeout: 10_000,
  reconnectFirst: 2_000,
  reconnectCap: 60_000,
  stable: 60_000,
  random: Math.random,
};

export interface UplinkOptions {
  readonly source: OutboxSource;
  /** Tells core the city's watermark. Core frees by it; the uplink frees nothing. */
  readonly acknowledged: Acknowledged;
  readonly city: { readonly host: string; readonly port: number; readonly shard: number };
  readonly campus: string;
  readonly password: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly limits?: Partial<UplinkLimits>;
}

export interface UplinkLaneStats {
  readonly epoch: number;
  /** Rows the city has not acknowledged. */
  readonly backlog: number;
  readonly watermark: number;
  readonly inFlight: number;
  readonly resent: number;
  readonly gaps: number;
  readonly held: string | null;
}

export interface UplinkStats {
  /** The city has answered our hello on the present connection. */
  readonly connected: boolean;
  /** Since when, or since when not; ms since epoch UTC. */
  readonly since: number;
  readonly connections: number;
  /** Edge clock minus city clock, ms; null before it was measured. */
  readonly clockOffset: number | null;
  readonly lanes: Readonly<Record<Lane, UplinkLaneStats>>;
  readonly lastError: { readonly time: number; readonly code: string; readonly message: string } | null;
}

export interface Uplink extends AsyncDisposable {
  stats(): UplinkStats;
}

/** Starts the bridge and returns at once: a city that is away is the normal case. Throws UPLINK_SHARD for a wrong shard. */
export async function startUplink(options: UplinkOptions): Promise<Uplink> {
  const expected = shardOf(options.campus);
  if (options.city.shard !== expected) {
    throw new CodedError(
      'UPLINK_SHARD',
      `city.shard is ${options.city.shard}; of campus ${options.campus} it is ${expected}`,
    );
  }
  return new RunningUplink(options);
}

const unknown: OutboxLaneState = { epoch: 0, min: 1, head: 0, watermark: 0 };

class RunningUplink implements Uplink {
  readonly #options: UplinkOptions;
  readonly #limits: UplinkLimits;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #running: Promise<void>;
  readonly #watermarks = new Map<Lane, { readonly epoch: number; readonly watermark: number }>();
  readonly #reporter: ReturnType<typeof createReporter>;
  #session: Session | null = null;
  #lastState: Readonly<Record<Lane, OutboxLaneState>> = {
    alarm: unknown,
    event: unknown,
    agg1m: unknown,
    health: unknown,
  };
  #connected = false;
  #since: number;
  #connections = 0;
  #lastError: UplinkStats['lastError'] = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#limits = { ...uplinkLimits, ...options.limits };
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#since = options.clock.now();
    this.#reporter = createReporter(options.acknowledged, this.#signal, (error) => this.#fault(error));
    this.#running = this.#run();
  }

  stats(): UplinkStats {
    const state = this.#outboxState();
    const lane = (name: Lane): UplinkLaneStats => {
      const { epoch, head, min, watermark: known } = state[name];
      const told = this.#watermarks.get(name);
      const watermark = told !== undefined && told.epoch === epoch ? told.watermark : known;
      const idle = { inFlight: 0, resent: 0, gaps: 0, held: null };
      const progress = this.#session?.progress(name) ?? idle;
      return { epoch, watermark, backlog: Math.max(0, head - Math.max(watermark, min - 1)), ...progress };
    };
    return {
      connected: this.#connected,
      since: this.#since,
      connections: this.#connections,
      clockOffset: this.#session?.clockOffset ?? null,
      lanes: { alarm: lane('alarm'), event: lane('event'), agg1m: lane('agg1m'), health: lane('health') },
      lastError: this.#lastError,
    };
  }

  /** Numbers for people must come even while core has not made a database yet: then the last ones known. */
  #outboxState(): Readonly<Record<Lane, OutboxLaneState>> {
    try {
      this.#lastState = this.#options.source.outboxState();
    } catch (error) {
      this.#fault(error);
    }
    return this.#lastState;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#reporter.idle();
  }

  async #run(): Promise<void> {
    const { reconnectFirst, reconnectCap, random, stable } = this.#limits;
    const { clock } = this.#options;
    const backoff = new Backoff({ first: reconnectFirst, cap: reconnectCap, random });
    while (!this.#signal.aborted) {
      const began = clock.monotonic();
      try {
        await this.#converse();
      } catch (error) {
        // Bulkhead: whatever ends a connection, the next one begins after a pause.
        this.#fault(error);
      }
      this.#turn(false);
      if (clock.monotonic() - began >= stable) backoff.reset();
      await delay(backoff.next(), this.#signal);
    }
  }

  /** One connection from hello to its end; throws the reason of the end. */
  async #converse(): Promise<never> {
    const { source, campus, clock, city, password } = this.#options;
    const limits = this.#limits;
    const ended = Promise.withResolvers<never>();
    // It may be rejected while nobody waits yet.
    ended.promise.catch(() => {});
    let link: Link | null = null;
    const session = new Session({
      source,
      campus,
      clock,
      limits,
      send: (word, bytes) => link?.send(word, bytes),
      onWatermark: (epoch, lane, watermark) => this.#told(epoch, lane, watermark),
      onFault: (error) => this.#fault(error),
    });
    const guarded = (act: () => void) => {
      try {
        act();
        this.#turn(session.open);
      } catch (error) {
        ended.reject(error);
      }
    };
    await using opened = await openLink({
      host: city.host,
      port: city.port,
      address: { campus, shard: city.shard },
      password,
      session: session.id,
      connectTimeout: limits.connectTimeout,
      signal: this.#signal,
      onAnswer: (payload) => guarded(() => session.answer(payload)),
    });
    link = opened;
    this.#session = session;
    this.#connections += 1;
    using _ticker = new Ticker(limits.poll, () => guarded(() => session.tick()));
    guarded(() => session.tick());
    const stopping = () => ended.reject(new CodedError('UPLINK_STOPPED', 'the uplink is stopping'));
    this.#signal.addEventListener('abort', stopping, { once: true });
    try {
      const reason = await Promise.race([opened.closed, ended.promise]);
      throw new CodedError('UPLINK_CLOSED', `the connection to the city ended: ${reason}`);
    } finally {
      this.#signal.removeEventListener('abort', stopping);
      await opened.leave();
    }
  }

  #told(epoch: number, lane: Lane, watermark: number): void {
    const known = this.#watermarks.get(lane);
    if (known !== undefined && known.epoch === epoch && known.watermark > watermark) {
      this.#options.log.warn({ lane, from: known.watermark, to: watermark }, 'the city went back; sending again');
    }
    this.#watermarks.set(lane, { epoch, watermark });
    this.#reporter.note(epoch, lane, watermark);
  }

  #turn(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#since = this.#options.clock.now();
    const { host, port } = this.#options.city;
    if (connected) this.#options.log.info({ host, port }, 'the city answers');
  }

  #fault(error: unknown): void {
    if (this.#signal.aborted) return;
    const message = messageOf(error);
    // Once per transition: a city that is away for a week says the same thing ten thousand times.
    if (message !== this.#lastError?.message) this.#options.log.warn({ reason: message }, 'the uplink is disturbed');
    this.#lastError = { time: this.#options.clock.now(), code: codeOf(error) || 'UPLINK_FAILED', message };
  }
}
