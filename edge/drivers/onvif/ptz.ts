import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { WriteOutcome } from '../read-back.ts';
import type { Asker } from './facts-ask.ts';
import type { AbilityTimings } from './facts-timings.ts';
import type { Position, Preset, PtzPlace, Velocity } from './ptz-calls.ts';
import { continuousMove, gotoHome, gotoPreset, readStatus, stopMove } from './ptz-calls.ts';
import { Trouble } from './trouble.ts';

/** Where it goes back to when nobody has moved it for `after` ms; without a preset to the camera's own home position. */
export interface Home {
  readonly preset?: string | undefined;
  readonly after: number;
}

/** What is known of the camera's PTZ; null: it has none. */
export interface PtzKnowledge {
  readonly place: PtzPlace;
  readonly presets: readonly Preset[];
}

export interface PtzOptions {
  readonly asker: Asker;
  readonly clock: Clock;
  readonly timings: AbilityTimings;
  readonly home: Home | null;
  /** As it is known now; `fresh` asks the camera anew. */
  readonly knowledge: (fresh: boolean) => Promise<PtzKnowledge | null>;
  /** Token of the preset at which the camera is proved to look, '' when it looks elsewhere. */
  readonly onPlace: (token: string) => void;
  readonly count: (outcome: string) => void;
  readonly signal: AbortSignal;
}

const still: Velocity = { pan: 0, tilt: 0, zoom: 0 };
const isStill = ({ pan, tilt, zoom }: Velocity) => pan === 0 && tilt === 0 && zoom === 0;
const isSame = (a: Velocity, b: Velocity) => a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom;
/** An axis is where it should be within this share of its range. */
const near = 0.02;
const stopTries = 3;
const homeTries = 5;

function isAt(here: Position | null, there: Position): boolean {
  if (here === null) return false;
  return (['pan', 'tilt', 'zoom'] as const).every((axis) => {
    const [is, should] = [here[axis], there[axis]];
    return is === null || should === null || Math.abs(is - should) <= near;
  });
}

/** "pan tilt zoom", each -1 to 1; null for anything else. */
export function parseVelocity(value: string): Velocity | null {
  const words = value.trim().split(/\s+/);
  const [pan, tilt, zoom] = words.map((word) => (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(word) ? Number(word) : Number.NaN));
  if (words.length !== 3 || pan === undefined || tilt === undefined || zoom === undefined) return null;
  return [pan, tilt, zoom].every((axis) => Math.abs(axis) <= 1) ? { pan, tilt, zoom } : null;
}

function outcomeOf(error: unknown): WriteOutcome {
  const refused = error instanceof Trouble && error.kind === 'fault';
  return { outcome: refused ? 'refused' : 'failed', message: messageOf(error) };
}

/**
 * Moves one camera. Everything goes to it one after the other, so that no stop overtakes the movement that it ends. A movement
 * ends by itself when it is not asked for again: here after `deadMan`, and at the camera after twice a second's grace should this
 * process be gone.
 */
export class Ptz {
  readonly #options: PtzOptions;
  #line: Promise<unknown> = Promise.resolve();
  #velocity: Velocity = still;
  #sentAt = Number.NEGATIVE_INFINITY;
  #takesLimit = true;
  #dead: NodeJS.Timeout | undefined;
  #return: NodeJS.Timeout | undefined;
  /** Ends the watch over the last movement to a preset. */
  #watch = new AbortController();
  #place: PtzPlace | null = null;
  #closed = false;

  constructor(options: PtzOptions) {
    this.#options = options;
  }

  /** The camera is there: where it looks is not known, so it goes home when nobody moves it. */
  connected(): void {
    if (this.#return === undefined) this.#armReturn(this.#options.home?.after ?? 0);
  }

  /** By token, else by the name that only one of them has. */
  async toPreset(wanted: string, signal: AbortSignal): Promise<WriteOutcome> {
    return this.#act(async (known, fresh) => {
      const preset = findPreset(known.presets, wanted) ?? findPreset((await fresh())?.presets ?? [], wanted);
      if (preset === undefined) {
        const tokens = known.presets.map(({ token }) => token).slice(0, 12);
        const has = tokens.length === 0 ? 'it has none' : `it has ${tokens.join(', ')}`;
        return { outcome: 'refused', message: `the camera has no preset "${wanted}": ${has}` };
      }
      await this.#halt(known.place, signal);
      await gotoPreset(this.#options.asker, known.place, preset.token, signal);
      this.#follow(known.place, preset);
      if (preset.token !== this.#options.home?.preset) this.#armReturn(this.#options.home?.after ?? 0);
      return { outcome: 'sent', value: preset.token };
    });
  }

  /** To the home of the site file, else to the camera's own. */
  async toHome(signal: AbortSignal): Promise<WriteOutcome> {
    const { home, asker } = this.#options;
    if (home?.preset !== undefined) {
      const outcome = await this.toPreset(home.preset, signal);
      return outcome.outcome === 'sent' ? { outcome: 'sent', value: true } : outcome;
    }
    return this.#act(async ({ place }) => {
      await this.#halt(place, signal);
      this.#leave();
      await gotoHome(asker, place, signal);
      clearTimeout(this.#return);
      this.#return = undefined;
      return { outcome: 'sent', value: true };
    });
  }

  /** Moves until `deadMan` ms are over without being asked again; no speed at all stops at once. */
  async move(velocity: Velocity, signal: AbortSignal): Promise<WriteOutcome> {
    return this.#act(async ({ place }) => {
      this.#leave();
      this.#armReturn(this.#options.home?.after ?? 0);
      if (isStill(velocity)) {
        clearTimeout(this.#dead);
        await this.#halt(place, signal, true);
        return { outcome: 'sent' };
      }
      await this.#send(place, velocity, signal);
      return { outcome: 'sent' };
    });
  }

  async #send(place: PtzPlace, velocity: Velocity, signal: AbortSignal): Promise<void> {
    const { asker, clock, timings, count } = this.#options;
    const isFresh = clock.monotonic() - this.#sentAt < timings.cameraLimit / 2;
    this.#place = place;
    try {
      // The same again is a sign of life, and the camera need not hear each.
      if (!isFresh || !isSame(velocity, this.#velocity)) {
        const move = { velocity, before: this.#velocity, limit: this.#takesLimit ? timings.cameraLimit : null };
        this.#velocity = velocity;
        this.#sentAt = clock.monotonic();
        try {
          await continuousMove(asker, place, move, signal);
        } catch (error) {
          if (!(error instanceof Trouble) || error.kind !== 'fault' || move.limit === null) throw error;
          // There are cameras that refuse any time limit; then only ours counts.
          await continuousMove(asker, place, { ...move, limit: null }, signal);
          this.#takesLimit = false;
        }
        count('ptz-move');
      }
    } finally {
      // Also when it failed: it may move all the same.
      this.#armDeadMan();
    }
  }

  #armDeadMan(): void {
    clearTimeout(this.#dead);
    if (this.#closed) return;
    this.#dead = setTimeout(() => {
      this.#options.count('ptz-dead-man');
      void this.#stop();
    }, this.#options.timings.deadMan);
  }

  /** Best effort, a few times: the camera's own limit ends what we cannot. */
  async #stop(): Promise<void> {
    const { count, timings } = this.#options;
    for (let attempt = 1; attempt <= stopTries; attempt++) {
      const place = this.#place;
      if (place === null || isStill(this.#velocity)) return;
      try {
        await this.#inLine(() => this.#halt(place, AbortSignal.timeout(timings.stopWithin)));
        return;
      } catch {
        count('ptz-stop-failed');
        await delay(200 * attempt);
      }
    }
  }

  async #halt(place: PtzPlace, signal: AbortSignal, always = false): Promise<void> {
    clearTimeout(this.#dead);
    if (isStill(this.#velocity) && !always) return;
    await stopMove(this.#options.asker, place, this.#velocity, signal);
    this.#velocity = still;
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }

  /** Looks whether it arrives, beside everything else: a camera needs seconds for it, and the next command must not wait. */
  #follow(place: PtzPlace, { token, position }: Preset): void {
    this.#leave();
    const { asker, clock, timings, onPlace, count } = this.#options;
    if (position === null) return;
    const signal = AbortSignal.any([this.#watch.signal, this.#options.signal]);
    const until = clock.monotonic() + timings.arriveWithin;
    const look = async () => {
      while (!signal.aborted && clock.monotonic() < until) {
        await delay(timings.statusEvery, signal);
        if (signal.aborted) return;
        const status = await readStatus(asker, place, signal);
        if (status === null || signal.aborted) return;
        if (isAt(status.position, position)) return onPlace(token);
      }
      if (!signal.aborted) count('ptz-not-there');
    };
    look().catch(() => count('ptz-status-failed'));
  }

  /** It looks elsewhere from now on. */
  #leave(): void {
    this.#watch.abort();
    this.#watch = new AbortController();
    this.#options.onPlace('');
  }

  #armReturn(after: number): void {
    clearTimeout(this.#return);
    this.#return = undefined;
    if (this.#options.home === null || this.#closed) return;
    this.#return = setTimeout(() => void this.#goHome(), after);
  }

  async #goHome(): Promise<void> {
    const { count, timings, signal } = this.#options;
    const backoff = new Backoff({ first: timings.homeRetry, cap: timings.homeRetry * 8 });
    const turn = this.#return;
    for (let attempt = 1; attempt <= homeTries; attempt++) {
      // Somebody moved it meanwhile: that starts the wait anew.
      if (signal.aborted || this.#return !== turn) return;
      const outcome = await this.toHome(AbortSignal.any([signal, AbortSignal.timeout(timings.stopWithin)]));
      count(outcome.outcome === 'sent' ? 'ptz-home' : 'ptz-home-failed');
      if (outcome.outcome === 'sent' || outcome.outcome === 'refused') break;
      await delay(backoff.next(), signal);
    }
    if (this.#return === turn) this.#return = undefined;
  }

  async #act(
    act: (known: PtzKnowledge, fresh: () => Promise<PtzKnowledge | null>) => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const { knowledge } = this.#options;
    if (this.#closed) return { outcome: 'failed', message: 'the camera is being left' };
    try {
      const known = await knowledge(false);
      if (known === null) return { outcome: 'refused', message: 'the camera cannot be moved: it offers no PTZ' };
      return await this.#inLine(() => act(known, () => knowledge(true)));
    } catch (error) {
      return outcomeOf(error);
    }
  }

  #inLine<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(act);
    this.#line = turn.catch(() => {});
    return turn;
  }

  /** Nothing moves on when we go. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#dead);
    clearTimeout(this.#return);
    this.#return = undefined;
    this.#watch.abort();
    await this.#stop();
  }
}

function findPreset(presets: readonly Preset[], wanted: string): Preset | undefined {
  const byName = presets.filter(({ name }) => name === wanted);
  return presets.find(({ token }) => token === wanted) ?? (byName.length === 1 ? byName[0] : undefined);
}
