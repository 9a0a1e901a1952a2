import type { DeviceHealth } from '#edge/domain/health.ts';
import type { Reason } from '#edge/domain/reading.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Sink } from '../driver.ts';
import type { States } from './states.ts';
import type { TroubleKind } from './trouble.ts';

/** From nothing to a stream of events; `auth-failed` is held, all the others move by themselves. */
export type CameraState =
  | 'starting'
  | 'unreachable'
  | 'reachable'
  | 'auth-failed'
  | 'misconfigured'
  | 'up'
  | 'streaming';

const healthOf: Readonly<Record<CameraState, DeviceHealth['state']>> = {
  starting: 'starting',
  unreachable: 'offline',
  reachable: 'degraded',
  'auth-failed': 'held',
  misconfigured: 'misconfigured',
  up: 'degraded',
  streaming: 'online',
};

const silenceOf: Partial<Record<CameraState, Reason>> = {
  unreachable: 'no-communication',
  reachable: 'communication-error',
  'auth-failed': 'held',
  misconfigured: 'configuration-error',
};

/** What we know without the camera, and what it still tells while its events are missing. */
const own: ReadonlySet<string> = new Set(['online', 'events', 'listening']);
const ownOrClock: ReadonlySet<string> = new Set([...own, 'clock_skew']);

/** What `degraded` alone does not say. */
const howFar: Partial<Record<CameraState, string>> = {
  reachable: ' (it answers, but is not logged in to)',
  up: ' (logged in, but no events)',
};

/** How long until the next try, as people say it. */
export function spell(ms: number): string {
  if (ms < 1000) return 'less than 1 s';
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** Keeps the camera's state and tells it on: once per transition, and again when the pauses have doubled. */
export class Report {
  readonly #sink: Sink;
  readonly #states: States;
  readonly #log: Log;
  #state: CameraState = 'starting';
  #said = '';
  readonly #remarks = new Map<string, string>();
  /** What was said last when all was well; null while something is wrong. */
  #fine: string | null = null;

  constructor(sink: Sink, states: States, log: Log) {
    this.#sink = sink;
    this.#states = states;
    this.#log = log;
    sink.health('starting', 'camera is being contacted');
  }

  get state(): CameraState {
    return this.#state;
  }

  /** All is as it should be in this state. `message` is a clause such as `events are flowing (Model X)`. */
  good(state: 'up' | 'streaming', message: string): void {
    this.#fine = message;
    this.#enter(state);
    this.#states.regain();
    this.#states.set('online', true);
    this.#states.set('events', state === 'streaming');
    const whole = [message, ...this.#remarks.values()].join('; ');
    this.#say(`${state} ${whole}`, whole);
  }

  /** Something is wrong; the next try comes after `pause` ms. */
  bad(state: Exclude<CameraState, 'streaming' | 'starting'>, kind: TroubleKind, message: string, pause: number): void {
    this.#fine = null;
    this.#enter(state);
    this.#states.set('online', state === 'up');
    this.#states.set('events', false);
    const answers = state === 'up' || state === 'reachable';
    this.#states.lose(silenceOf[state] ?? 'no-communication', answers ? ownOrClock : own);
    // The same trouble is said again only when its pause has doubled: a handful of times in an outage of any length.
    const step = Math.floor(Math.log2(Math.max(1, pause / 1000)));
    const what = state === 'auth-failed' ? 'held, next try in' : 'next try in';
    this.#say(`${state} ${kind} ${step}`, `${message}; ${what} ${spell(pause)}${howFar[state] ?? ''}`);
  }

  /** A remark beside the state (pictures fail while events flow), one for each `topic`, or null when it is over. */
  remark(topic: string, message: string | null): void {
    if (message === null) this.#remarks.delete(topic);
    else this.#remarks.set(topic, message);
    // `up` is also the state of a camera that logs us in and then refuses its events: that stays said.
    const state = this.#state;
    if (this.#fine !== null && (state === 'streaming' || state === 'up')) this.good(state, this.#fine);
  }

  #enter(state: CameraState): void {
    if (state === this.#state) return;
    this.#log.info({ from: this.#state, to: state }, 'camera changed state');
    this.#sink.count(`to-${state}`);
    this.#state = state;
  }

  #say(key: string, message: string): void {
    if (key === this.#said) return;
    this.#said = key;
    this.#sink.health(healthOf[this.#state], message);
  }
}
