import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Caller } from './caller.ts';
import { readCameraClock } from './caller.ts';
import type { Credentials, OnvifConfig } from './config.ts';
import { loadCredentials } from './config.ts';
import { readEndpoint } from './identity.ts';
import type { CameraCalls, CameraIdentity, CameraServices } from './library.ts';
import { AttemptLimiter } from './limiter.ts';
import type { Listening } from './listening.ts';
import type { CameraMemory } from './memory.ts';
import type { PullPoint } from './pull-point.ts';
import { PullPoints } from './pull-point.ts';
import type { CameraState, Report } from './report.ts';
import { Slots } from './slots.ts';
import type { Xml } from './soap.ts';
import type { OnvifTimings } from './timings.ts';
import { endpointName } from './transport.ts';
import { asTrouble, Trouble } from './trouble.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface LoopOptions {
  readonly device: DeviceId;
  readonly memory: CameraMemory;
  readonly where: Whereabouts;
  readonly listening: Listening;
  readonly config: OnvifConfig;
  readonly caller: Caller;
  readonly calls: CameraCalls;
  readonly clock: Clock;
  readonly timings: OnvifTimings;
  readonly report: Report;
  readonly count: (outcome: string) => void;
  readonly onClock: (skew: number) => void;
  readonly onServices: (services: CameraServices, credentials: Credentials) => void;
  readonly onSubscribed: () => void;
  readonly onMessage: (message: Xml) => void;
  /** Another camera than before answers at this address, and is taken for ours from now on. */
  readonly onReplaced: (now: CameraIdentity) => void;
}

/** Asked for are 100 at a time; what is more than that and some is a flood. */
const mostMessages = 500;
/** Pauses are longer than the work by so much: one camera that talks without end must leave time for the others. */
const fairShare = 30;
/** But its subscription must not lapse meanwhile, ms. */
const longestRest = 5_000;

/** How far an attempt came, for the health: what answers can be worth. */
type Reached = 'nothing' | 'camera' | 'login';

/**
 * One camera's life: contact, log in, subscribe, pull, for ever. Every failure ends in one place that decides how long
 * to wait, and every attempt passes the limiter. npm onvif's own loop dies or storms on half of these failures.
 */
export class EventLoop {
  readonly #options: LoopOptions;
  readonly #points: PullPoints;
  readonly #slots: Slots;
  readonly #limiter: AttemptLimiter;
  readonly #backoff: Backoff;
  #credentials: Credentials | null = null;
  #identity: CameraIdentity | null = null;
  #services: CameraServices | null = null;
  #point: PullPoint | null = null;
  #resumes = 0;
  #reached: Reached = 'nothing';
  #streamingSince: number | null = null;
  /** Where the last attempt was made; nonces and services are of that place. */
  #at = '';
  /** What the camera calls itself; null: not asked yet. */
  #endpoint: string | null = null;
  #nap = new AbortController();

  constructor(options: LoopOptions) {
    const { caller, clock, timings, device, memory, count } = options;
    this.#options = options;
    this.#points = new PullPoints(caller, clock);
    this.#slots = new Slots({ device, memory, points: this.#points, clock, count });
    this.#limiter = new AttemptLimiter(clock, timings.attemptGap);
    this.#backoff = new Backoff({ first: timings.backoffFirst, cap: timings.backoffCap });
  }

  /** Runs until aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#limiter.turn(signal);
      if (signal.aborted) return;
      try {
        await this.#attempt(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(asTrouble(error, this.#options.caller.where), signal);
      }
    }
  }

  /** Frees the camera's slot, if there is one to free; a camera has eight. Best effort within `timeout` ms. */
  async release(timeout: number): Promise<void> {
    const point = this.#point;
    this.#point = null;
    if (!point || this.#options.caller.tries.exhausted || this.#reached !== 'login') return;
    try {
      await this.#points.unsubscribe(point, { timeout, signal: AbortSignal.timeout(timeout + 500) });
      this.#slots.free(point);
    } catch {
      // The slot lapses by itself within `termination`; there is nothing else to do about it.
      this.#options.count('unsubscribe-failed');
    }
  }

  /** There is news of the camera: a pause between attempts ends now (a hold does not). */
  hurry(): void {
    this.#nap.abort();
  }

  /** From contact to pulling; returns only by throwing (or when there are no events to pull). */
  async #attempt(signal: AbortSignal): Promise<void> {
    const { caller, config, count, report } = this.#options;
    this.#reached = 'nothing';
    this.#streamingSince = null;
    count('attempt');
    await this.#arrive(report.state === 'unreachable' || report.state === 'starting', signal);
    const credentials = await loadCredentials(config);
    if (credentials.version !== this.#credentials?.version) caller.useCredentials(credentials);
    this.#credentials = credentials;
    await this.#readClock(signal);
    this.#reached = 'camera';
    await this.#describe(credentials, signal);
    this.#reached = 'login';
    if (config.events === 'off') return this.#watchLife(signal);
    await this.#subscribe(signal);
    await this.#stream(signal);
  }

  async #arrive(silent: boolean, signal: AbortSignal): Promise<void> {
    const { where } = this.#options;
    await where.arrive(silent, signal);
    const at = endpointName(where);
    if (at === this.#at) return;
    this.#at = at;
    this.#credentials = null;
    this.#services = null;
    this.#endpoint = null;
  }

  async #readClock(signal: AbortSignal): Promise<void> {
    const { caller, clock, config, timings, onClock } = this.#options;
    await readCameraClock(caller, clock, { path: config.path, timeout: timings.answer, signal });
    onClock(caller.skew ?? 0);
  }

  async #describe(credentials: Credentials, signal: AbortSignal): Promise<void> {
    const { caller, calls, config, onReplaced, onServices, timings, where } = this.#options;
    const found = await calls.identify(signal);
    this.#endpoint ??= await readEndpoint(caller, { path: config.path, timeout: timings.answer, signal });
    if (where.welcome(found.serial, this.#endpoint)) onReplaced(found);
    const known = this.#identity;
    // Another firmware or another camera at the address may have its services elsewhere.
    if (known && (known.serial !== found.serial || known.firmware !== found.firmware)) this.#services = null;
    this.#identity = found;
    this.#services ??= await calls.services(signal);
    onServices(this.#services, credentials);
  }

  /** Goes on with the subscription it had, once; a camera that has forgotten it gets a new one. */
  async #subscribe(signal: AbortSignal): Promise<void> {
    const { clock, count, listening, onSubscribed, timings } = this.#options;
    const timing = { timeout: timings.answer, signal };
    const old = this.#point;
    await this.#slots.giveBack(old, this.#identity?.serial ?? '', timing);
    if (old && this.#resumes === 0 && clock.monotonic() < old.since + old.life) {
      this.#resumes += 1;
      count('resume');
    } else {
      this.#point = null;
      listening.lose();
      if (old && clock.monotonic() < old.since + old.life) await this.#forget(old, timing);
      const path = this.#services?.events ?? '/onvif/event_service';
      this.#point = await this.#points.create(path, timings.termination, timing);
      this.#slots.take(this.#point, this.#identity?.serial ?? '');
      this.#resumes = 0;
      count('subscribe');
    }
    onSubscribed();
    await this.#points.synchronise(this.#point ?? raiseLost(), timing);
  }

  /** An abandoned subscription holds a slot until it lapses. */
  async #forget(point: PullPoint, timing: { timeout: number; signal: AbortSignal }): Promise<void> {
    try {
      await this.#points.unsubscribe(point, timing);
      this.#slots.free(point);
    } catch (error) {
      if (!(error instanceof Trouble) || (error.kind !== 'gone' && error.kind !== 'fault')) throw error;
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const { clock, count, listening, onMessage, report, timings } = this.#options;
    const point = this.#point ?? raiseLost();
    let wait = timings.firstPull;
    let clockRead = clock.monotonic();
    while (!signal.aborted) {
      const started = clock.monotonic();
      const burden = this.#options.caller.burden;
      await this.#renew(point, signal);
      if (started > clockRead + timings.clockEvery) {
        await this.#readClock(signal);
        clockRead = started;
      }
      const messages = await this.#pull(point, wait, signal);
      this.#streamingSince ??= started;
      this.#resumes = 0;
      listening.prove();
      report.good('streaming', `events are flowing (${this.#model()})`);
      const heard = clock.monotonic();
      for (const message of messages.slice(0, mostMessages)) onMessage(message);
      if (messages.length > mostMessages) count('messages-dropped');
      const spent = clock.monotonic() - heard + this.#options.caller.burden - burden;
      const early = messages.length === 0 && clock.monotonic() - started < wait / 2;
      wait = Math.min(timings.pull, Math.max(timings.firstPull, point.life * 0.4));
      // A camera that does not wait when asked to is asked again in a second, not at once.
      if (early) await this.#limiter.turn(signal);
      else if (messages.length > 0)
        await delay(Math.max(timings.pullPace, Math.min(spent * fairShare, longestRest)), signal);
    }
  }

  async #renew(point: PullPoint, signal: AbortSignal): Promise<void> {
    const { clock, count, timings } = this.#options;
    if (!point.renews || clock.monotonic() <= point.since + point.life * 0.8) return;
    await this.#points.renew(point, timings.termination, { timeout: timings.answer, signal });
    this.#slots.renew(point);
    count('renew');
  }

  /** Hanging up after a long wait is how some cameras say "nothing happened". */
  async #pull(point: PullPoint, wait: number, signal: AbortSignal): Promise<readonly Xml[]> {
    const { clock, count, timings } = this.#options;
    const started = clock.monotonic();
    try {
      const messages = await this.#points.pull(point, wait, { timeout: wait + timings.pullMargin, signal });
      count(messages.length > 0 ? 'pull' : 'pull-empty');
      return messages;
    } catch (error) {
      const idle =
        error instanceof Trouble && error.kind === 'closed' && clock.monotonic() - started >= timings.idleClose;
      if (!idle || this.#streamingSince === null) throw error;
      count('idle-close');
      await this.#limiter.turn(signal);
      return [];
    }
  }

  /** Events are off by configuration: the camera is only asked whether it is there. */
  async #watchLife(signal: AbortSignal): Promise<void> {
    const { calls, report, timings } = this.#options;
    report.good('up', `camera answers (${this.#model()}); its events are switched off in the site file`);
    while (!signal.aborted) {
      await delay(timings.pull, signal);
      if (!signal.aborted) await calls.identify(signal);
    }
  }

  #model(): string {
    return `${this.#identity?.manufacturer ?? ''} ${this.#identity?.model ?? ''}`.trim() || 'model unknown';
  }

  /** The one place that decides how long to wait after a failure. */
  async #recover(trouble: Trouble, signal: AbortSignal): Promise<void> {
    const { caller, clock, count, listening, report, timings, where } = this.#options;
    this.#limiter.failed();
    count(trouble.kind);
    const streamed = this.#streamingSince === null ? 0 : clock.monotonic() - this.#streamingSince;
    if (streamed > timings.healthyAfter) this.#backoff.reset();
    if (trouble.kind === 'gone') {
      if (this.#point) this.#slots.free(this.#point);
      this.#point = null;
      listening.lose();
    }
    if (this.#reached === 'nothing' && trouble.kind !== 'config') where.failed();
    // One resume is for a connection that broke; a camera that answers wrongly gets a new subscription.
    if (trouble.kind !== 'closed' && trouble.kind !== 'timeout' && trouble.kind !== 'unreachable') this.#resumes += 1;
    if (caller.tries.exhausted) return this.#hold(trouble, signal);
    const pause = this.#pauseFor(trouble);
    report.bad(this.#stateFor(trouble), trouble.kind, trouble.message, pause);
    this.#nap = new AbortController();
    await delay(pause, AbortSignal.any([signal, this.#nap.signal]));
  }

  #pauseFor(trouble: Trouble): number {
    const { timings } = this.#options;
    // Slots that a crashed client left behind are free again after their termination time, and not before.
    if (trouble.kind === 'full') return timings.termination + this.#backoff.next();
    if (trouble.kind === 'config') return timings.backoffCap;
    return Math.max(timings.attemptGap, this.#backoff.next());
  }

  #stateFor(trouble: Trouble): Exclude<CameraState, 'streaming' | 'starting'> {
    if (trouble.kind === 'config') return 'misconfigured';
    if (this.#reached === 'login' && trouble.kind !== 'unreachable' && trouble.kind !== 'timeout') return 'up';
    const heard = trouble.kind !== 'unreachable' && trouble.kind !== 'timeout' && trouble.kind !== 'closed';
    return heard || this.#reached === 'camera' ? 'reachable' : 'unreachable';
  }

  /** Two refused passwords: no third until time or a new password file gives a reason to. */
  async #hold(trouble: Trouble, signal: AbortSignal): Promise<void> {
    const { caller, clock, config, count, report, timings } = this.#options;
    const until = clock.monotonic() + timings.held;
    count('held');
    report.bad('auth-failed', trouble.kind, trouble.message, timings.held);
    while (!signal.aborted && clock.monotonic() < until) {
      await delay(Math.min(timings.heldLook, until - clock.monotonic()), signal);
      if (await this.#passwordChanged(config)) break;
    }
    if (this.#credentials) caller.useCredentials(this.#credentials);
  }

  async #passwordChanged(config: OnvifConfig): Promise<boolean> {
    try {
      return (await loadCredentials(config)).version !== this.#credentials?.version;
    } catch {
      // A file in the middle of being replaced: the next look decides.
      return false;
    }
  }
}

function raiseLost(): never {
  throw new Error('no subscription where there must be one');
}
