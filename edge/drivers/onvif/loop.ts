import type { Clock } from '#edge/runtime/clock.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Caller } from './caller.ts';
import { readCameraClock } from './caller.ts';
import type { Credentials, OnvifConfig } from './config.ts';
import { loadCredentials } from './config.ts';
import type { CameraCalls, CameraIdentity, CameraServices } from './library.ts';
import { AttemptLimiter } from './limiter.ts';
import type { PullPoint } from './pull-point.ts';
import { PullPoints } from './pull-point.ts';
import type { CameraState, Report } from './report.ts';
import type { Xml } from './soap.ts';
import type { OnvifTimings } from './timings.ts';
import { asTrouble, Trouble } from './trouble.ts';

export interface LoopOptions {
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
}

/** How far an attempt came, for the health: what answers can be worth. */
type Reached = 'nothing' | 'camera' | 'login';

/**
 * One camera's life: contact, log in, subscribe, pull, for ever. Every failure ends in one place that decides how long
 * to wait, and every attempt passes the limiter. npm onvif's own loop dies or storms on half of these failures.
 */
export class EventLoop {
  readonly #options: LoopOptions;
  readonly #points: PullPoints;
  readonly #limiter: AttemptLimiter;
  readonly #backoff: Backoff;
  #credentials: Credentials | null = null;
  #identity: CameraIdentity | null = null;
  #services: CameraServices | null = null;
  #point: PullPoint | null = null;
  #resumes = 0;
  #reached: Reached = 'nothing';
  #streamingSince: number | null = null;

  constructor(options: LoopOptions) {
    const { caller, clock, timings } = options;
    this.#options = options;
    this.#points = new PullPoints(caller, clock);
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
    } catch {
      // The slot lapses by itself within `termination`; there is nothing else to do about it.
      this.#options.count('unsubscribe-failed');
    }
  }

  /** From contact to pulling; returns only by throwing (or when there are no events to pull). */
  async #attempt(signal: AbortSignal): Promise<void> {
    const { caller, clock, config, count, timings, onClock } = this.#options;
    this.#reached = 'nothing';
    this.#streamingSince = null;
    count('attempt');
    const credentials = await loadCredentials(config);
    if (credentials.version !== this.#credentials?.version) caller.useCredentials(credentials);
    this.#credentials = credentials;
    await readCameraClock(caller, clock, { path: config.path, timeout: timings.answer, signal });
    this.#reached = 'camera';
    onClock(caller.skew ?? 0);
    await this.#describe(credentials, signal);
    this.#reached = 'login';
    if (config.events === 'off') return this.#watchLife(signal);
    await this.#subscribe(signal);
    await this.#stream(signal);
  }

  async #describe(credentials: Credentials, signal: AbortSignal): Promise<void> {
    const { calls, onServices } = this.#options;
    const found = await calls.identify(signal);
    const known = this.#identity;
    // Another firmware or another camera at the address may have its services elsewhere.
    if (known && (known.serial !== found.serial || known.firmware !== found.firmware)) this.#services = null;
    this.#identity = found;
    this.#services ??= await calls.services(signal);
    onServices(this.#services, credentials);
  }

  /** Goes on with the subscription it had, once; a camera that has forgotten it gets a new one. */
  async #subscribe(signal: AbortSignal): Promise<void> {
    const { clock, count, onSubscribed, timings } = this.#options;
    const timing = { timeout: timings.answer, signal };
    const old = this.#point;
    if (old && this.#resumes === 0 && clock.monotonic() < old.since + old.life) {
      this.#resumes += 1;
      count('resume');
    } else {
      this.#point = null;
      if (old && clock.monotonic() < old.since + old.life) await this.#forget(old, timing);
      const path = this.#services?.events ?? '/onvif/event_service';
      this.#point = await this.#points.create(path, timings.termination, timing);
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
    } catch (error) {
      if (!(error instanceof Trouble) || (error.kind !== 'gone' && error.kind !== 'fault')) throw error;
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const { clock, onMessage, report, timings, count } = this.#options;
    const point = this.#point ?? raiseLost();
    let wait = timings.firstPull;
    while (!signal.aborted) {
      const started = clock.monotonic();
      if (point.renews && started > point.since + point.life * 0.8) {
        await this.#points.renew(point, timings.termination, { timeout: timings.answer, signal });
        count('renew');
      }
      const messages = await this.#pull(point, wait, signal);
      this.#streamingSince ??= started;
      this.#resumes = 0;
      report.good('streaming', `events are flowing (${this.#model()})`);
      for (const message of messages) onMessage(message);
      const early = messages.length === 0 && clock.monotonic() - started < wait / 2;
      wait = Math.min(timings.pull, Math.max(timings.firstPull, point.life * 0.4));
      // A camera that does not wait when asked to is asked again in a second, not at once.
      if (early) await this.#limiter.turn(signal);
      else if (messages.length > 0) await delay(timings.pullPace, signal);
    }
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
    const { caller, clock, count, report, timings } = this.#options;
    this.#limiter.failed();
    count(trouble.kind);
    const streamed = this.#streamingSince === null ? 0 : clock.monotonic() - this.#streamingSince;
    if (streamed > timings.healthyAfter) this.#backoff.reset();
    if (trouble.kind === 'gone') this.#point = null;
    // One resume is for a connection that broke; a camera that answers wrongly gets a new subscription.
    if (trouble.kind !== 'closed' && trouble.kind !== 'timeout' && trouble.kind !== 'unreachable') this.#resumes += 1;
    if (caller.tries.exhausted) return this.#hold(trouble, signal);
    const pause = this.#pauseFor(trouble);
    report.bad(this.#stateFor(trouble), trouble.kind, trouble.message, pause);
    await delay(pause, signal);
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
