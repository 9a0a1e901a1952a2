import type { Emergency } from '#edge/domain/emergency.ts';
import { type CountClips, type CountRun, nextCount } from '#edge/rules/sound-countdown.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { BroadcastDeskPort } from './broadcast-port.ts';
import type { EmergencyDesk } from './emergency-desk.ts';

/*
 * Says how many seconds are left until the waves of an earthquake are here, in the midst of what its plan says. On the local path alone; where
 * a number cannot be said in time it is not said at all, and the plan goes on.
 */

export interface CountdownOptions {
  readonly clips: CountClips;
  readonly sound: Pick<BroadcastDeskPort, 'lengthOf' | 'hasClip'>;
  readonly emergencies: Pick<EmergencyDesk, 'interject' | 'open' | 'plans'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Tests tick by themselves. */
  readonly isDriven?: boolean;
}

/** A word that moves the arrival by less changes no number that people would notice, ms. */
const sameArrival = 300;
/** Later than this a number is wrong, ms. */
const mostLate = 250;
const lookAgain = 500;

interface Counting {
  readonly id: string;
  arrival: number;
  /** Not before the words of the plan were heard once, or half of the time is over. */
  readonly notBefore: number;
  /** What is said now was planned for this arrival. */
  saidUntil: number;
  /** Of this run and all before it nothing is said again, unless the arrival moves. */
  saidTo: number;
}

export class Countdown implements Disposable {
  readonly #options: CountdownOptions;
  #now: Counting | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CountdownOptions) {
    this.#options = options;
    // The process before this one had said the plan already.
    for (const one of options.emergencies.open) {
      const arrival = arrivalOf(one);
      if (arrival !== null) this.#take(one.id, arrival, options.clock.now());
    }
  }

  /** The newest word of when the waves are here. */
  hear(id: string, arrival: number): void {
    const { clips, clock } = this.#options;
    if (clips.size === 0) return;
    const before = this.#isOpen() ? this.#now : null;
    const now = clock.now();
    if (before?.id === id) {
      if (Math.abs(before.arrival - arrival) < sameArrival) return;
      // What is being said is wrong from here on: the next number cuts it.
      this.#now = { ...before, arrival, saidUntil: now, saidTo: Number.POSITIVE_INFINITY };
      this.#wait();
      return;
    }
    // Of two earthquakes the nearer one is counted.
    if (before !== null && before.arrival > now && before.arrival <= arrival) return;
    this.#take(id, arrival, now + Math.min(this.#round(), (arrival - now) / 2));
  }

  /** What is due now. */
  tick(): void {
    const counting = this.#now;
    const run = counting === null || !this.#isOpen() ? null : this.#next(counting);
    if (counting === null || run === null) return;
    const late = this.#options.clock.now() - (counting.arrival - run.left);
    if (late >= 0) {
      counting.saidTo = run.to;
      counting.saidUntil = this.#options.clock.now() + run.length;
      if (late <= mostLate) this.#say(counting, run);
    }
    this.#wait();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#now = null;
  }

  #isOpen(): boolean {
    const id = this.#now?.id;
    return this.#options.emergencies.open.some((one) => one.id === id);
  }

  #take(id: string, arrival: number, notBefore: number): void {
    this.#now = { id, arrival, notBefore, saidUntil: 0, saidTo: Number.POSITIVE_INFINITY };
    this.#wait();
  }

  #next({ arrival, notBefore, saidUntil, saidTo }: Counting): CountRun | null {
    const { clips, sound, clock } = this.#options;
    const left = arrival - Math.max(clock.now() - mostLate, notBefore, saidUntil - mostLate);
    const rest = new Map([...clips].filter(([number, clip]) => number < saidTo && sound.hasClip(clip)));
    return nextCount(rest, (clip) => sound.lengthOf(clip), left);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const counting = this.#now;
    if (counting === null) return;
    const left = counting.arrival - this.#options.clock.now();
    if (left <= 0 || this.#options.isDriven === true) return;
    const run = this.#next(counting);
    // How long a clip is may be known a moment later: core has just started.
    const due = run === null ? lookAgain : left - run.left;
    this.#timer = setTimeout(() => (run === null ? this.#wait() : this.tick()), Math.max(0, due));
  }

  #say({ id, arrival }: Counting, { from, to, clips }: CountRun): void {
    const { emergencies, log } = this.#options;
    const text = from === to ? `${from} s` : `${from} … ${to} s`;
    try {
      emergencies.interject(id, clips, { text, until: arrival + 2_000 });
    } catch (error) {
      // The plan goes on without a number.
      log.warn({ error: messageOf(error), emergency: id }, 'a number of the countdown is not heard');
    }
  }

  /** How long the plan of an earthquake takes to be said once, ms. */
  #round(): number {
    const plan = this.#options.emergencies.plans().find(({ kind }) => kind === 'earthquake');
    return (plan?.clips ?? []).reduce((sum, clip) => sum + (this.#options.sound.lengthOf(clip) ?? 0), 0);
  }
}

/** When the waves of the terminal that asks for it are here; null: no terminal does. */
function arrivalOf({ causes, drill }: Emergency): number | null {
  if (drill) return null;
  const found = causes.flatMap(({ origin }) => (origin.kind === 'terminal' ? [origin.arrival] : []));
  return found.length === 0 ? null : Math.min(...found);
}

/** `{10: count-10}` of the site file. */
export function countClipsOf(clips: Readonly<Record<string, string>>): CountClips {
  return new Map(Object.entries(clips).map(([number, clip]) => [Number(number), clip]));
}
