/*
 * When may footage be deleted, and how old is it? A clock that is put forward makes everything look old, one that is put back makes
 * what is newest look oldest: either would delete the wrong things, and nothing brings them back.
 */

/** What is remembered over restarts, ms since epoch. */
export interface DeletionClockState {
  /** How late it surely is: a clock that nobody vouches for is believed no further than time was seen to pass. */
  readonly age: number;
  /** The wall clock when this was last written. */
  readonly wall: number;
}

export interface ClockLook {
  readonly now: number;
  readonly monotonic: number;
  /** Whether something sets this clock and says that it is right; null: nobody can say. */
  readonly synchronised: boolean | null;
}

export interface DeletionVerdict {
  readonly mayDelete: boolean;
  /** What ages are reckoned against. */
  readonly ageNow: number;
  /** Why not, for people; '' when it may. */
  readonly why: string;
}

/** More than this between the clocks is a step: no slewing does it, ms. */
const stepSize = 2_000;
/** How long after a step (or a doubtful start) nothing is deleted, ms. */
const settling = { vouched: 600_000, unvouched: 3_600_000 };
/** After a start that fits what is remembered, ms. */
const afterStart = 60_000;
/** Without anybody to vouch for the clock, a power cut of so long is believed, ms. */
const believable = 7 * 86_400_000;
/** Judges our own clock. Told often: a step back and forth between two looks is not seen. */
export class DeletionClock {
  #age: number;
  #wall: number;
  #monotonic: number;
  /** Monotonic. */
  #steadySince: number;
  #settle: 'start' | 'step';
  #reason: string;

  constructor(state: DeletionClockState | null, { now, monotonic, synchronised }: ClockLook) {
    this.#wall = now;
    this.#monotonic = monotonic;
    this.#steadySince = monotonic;
    const away = state === null ? 0 : now - state.wall;
    const slept = synchronised === true || away >= believable ? 0 : Math.max(0, away);
    this.#age = state === null ? now : state.age + slept;
    const fits = away > -stepSize && (synchronised === true || away < believable);
    this.#settle = fits ? 'start' : 'step';
    this.#reason = fits ? 'the recorder has just started' : 'the clock has been set while the recorder was not running';
  }

  get state(): DeletionClockState {
    return { age: this.#age, wall: this.#wall };
  }

  look({ now, monotonic, synchronised }: ClockLook): DeletionVerdict {
    const passed = monotonic - this.#monotonic;
    const step = now - this.#wall - passed;
    if (Math.abs(step) > stepSize) {
      this.#steadySince = monotonic;
      this.#settle = 'step';
      this.#reason = `the clock was put ${step > 0 ? 'forward' : 'back'} by ${Math.round(Math.abs(step) / 1000)} s`;
    }
    this.#wall = now;
    this.#monotonic = monotonic;
    const needed =
      this.#settle === 'start' ? afterStart : synchronised === true ? settling.vouched : settling.unvouched;
    const waiting = needed - (monotonic - this.#steadySince);
    const mayDelete = waiting <= 0;
    if (mayDelete && synchronised === true) this.#age = now;
    else if (now > this.#age) this.#age = Math.min(now, this.#age + passed);
    const why = `${this.#reason}; nothing is deleted for another ${Math.ceil(waiting / 60_000)} min`;
    return { mayDelete, ageNow: Math.min(this.#age, now), why: mayDelete ? '' : why };
  }
}
