import type { Emergency, EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { BoundedAudit } from './emergency-audit.ts';
import type { EmergencyActor, EmergencyDesk } from './emergency-desk.ts';
import type { Together } from './together.ts';

/* What an earthquake terminal says, over and over until the waves are here: the local path, nothing outside the campus is asked. */

/** One message. arrival: of the strong waves here, ms since epoch; intensity: as it will be felt here (GB/T 17742). */
export interface EarthquakeWord {
  readonly event: string;
  readonly update: number;
  readonly test: boolean;
  readonly cancel: boolean;
  readonly arrival: number;
  readonly intensity: number;
  readonly magnitude: number | null;
  readonly place: string;
}

export interface EarthquakesOptions {
  /** Felt less strongly it is not said aloud. */
  readonly from: number;
  readonly emergencies: Pick<EmergencyDesk, 'begin' | 'endOf' | 'open'>;
  /** What `state` has of it. */
  readonly stored: unknown;
  /** What began is on disk with what is known of the word. */
  readonly together: Together;
  readonly audit: BoundedAudit;
  /** Says how many seconds are left. */
  readonly count?: (emergency: string, arrival: number) => void;
  readonly clock: Clock;
}

export const earthquakesState = 'earthquakes';
/** A wave that came so long ago is no warning, and none is on its way for so long, ms. */
const late = 60_000;
const mostAhead = 600_000;
const remembered = 500;
/** Earthquakes that may ask for the same emergency: a terminal that has gone mad must not fill it. */
const mostAtOnce = 20;
/** So much stronger it is news to whoever had given the all clear. */
const graver = 1;

interface Known {
  readonly update: number;
  /** The terminal took it back: whatever still comes of it is late. */
  readonly isOver: boolean;
  /** A person gave the all clear when it was felt so strongly. */
  readonly ended?: number;
}

/** The newest message of each earthquake counts, and a cancel is the last; a test never sounds. */
export class Earthquakes {
  readonly #options: EarthquakesOptions;
  readonly #known: Map<string, Known>;

  constructor(options: EarthquakesOptions) {
    this.#options = options;
    this.#known = readState(options.stored);
  }

  take(word: EarthquakeWord, actor: EmergencyActor): { readonly act: string; readonly emergency: string | null } {
    return this.#options.together.within(() => this.#take(word, actor));
  }

  /** Its emergency is over, whoever ended it: the next word of the same, a second later, does not begin it again. */
  ended({ causes }: Pick<Emergency, 'causes'>): void {
    const before = [...this.#known.values()];
    for (const { origin } of causes) {
      const known = origin.kind === 'terminal' ? this.#known.get(origin.event) : undefined;
      if (origin.kind === 'terminal' && known !== undefined && !known.isOver)
        this.#known.set(origin.event, { ...known, ended: origin.intensity });
    }
    if ([...this.#known.values()].some((one, i) => one !== before[i]))
      this.#options.together.commit({ state: this.#state() });
  }

  #state() {
    return { [earthquakesState]: [...this.#known] };
  }

  #take(word: EarthquakeWord, actor: EmergencyActor): { readonly act: string; readonly emergency: string | null } {
    const { clock, audit, together } = this.#options;
    const before = this.#known.get(word.event);
    const done = this.#judge(word, actor);
    const line = { time: clock.now(), who: actor.who, from: actor.from };
    const why = `intensity ${word.intensity}, update ${word.update}`;
    const lines = audit.lines({ ...line, what: `crisis.earthquake ${word.event}`, why, result: done.act });
    const isNew = this.#known.get(word.event) !== before;
    if (lines.length > 0 || isNew)
      together.commit({ ...(lines.length > 0 && { audit: lines }), ...(isNew && { state: this.#state() }) });
    return done;
  }

  #judge(word: EarthquakeWord, { who, from }: EmergencyActor): { act: string; emergency: string | null } {
    const { clock, emergencies, from: least } = this.#options;
    const no = (act: string) => ({ act, emergency: null });
    if (word.test) return no('test');
    const before = this.#known.get(word.event);
    if (before?.isOver === true) return no(word.cancel ? 'none' : 'over');
    if (before !== undefined && word.update <= before.update && !word.cancel) return no('older');
    if (word.cancel) {
      this.#remember(word, before, true);
      const isIt = (origin: EmergencyOrigin) => origin.kind === 'terminal' && origin.event === word.event;
      const ended = emergencies.endOf(isIt, who, 'the terminal took its warning back', true);
      return no(ended > 0 ? 'end' : 'none');
    }
    if (word.arrival < clock.now() - late) return no('too-late');
    if (word.arrival > clock.now() + mostAhead) return no('too-far');
    if (word.intensity < least) {
      this.#remember(word, before, false);
      return no('below-threshold');
    }
    if (before?.ended !== undefined && word.intensity < before.ended + graver) {
      this.#remember(word, before, false);
      return no('ended');
    }
    if (this.#others(word.event) >= mostAtOnce) return no('too-many');
    const { event, arrival, intensity, magnitude, place } = word;
    const { emergency } = emergencies.begin({
      ...{ kind: 'earthquake', drill: false, zones: null, by: who, from, sounds: true },
      origin: { kind: 'terminal', device: who, event, arrival, intensity, magnitude, place },
      why: `${place === '' ? 'earthquake' : place}, intensity ${intensity}`,
    });
    this.#options.count?.(emergency.id, arrival);
    // Only what has begun is known: said again, what failed may sound.
    this.#remember(word, undefined, false);
    return { act: 'sound', emergency: emergency.id };
  }

  #others(event: string): number {
    const causes = this.#options.emergencies.open.flatMap((one) => one.causes);
    return causes.filter(({ origin }) => origin.kind === 'terminal' && origin.event !== event).length;
  }

  #remember({ event, update }: EarthquakeWord, before: Known | undefined, isOver: boolean): void {
    this.#known.delete(event);
    const ended = before?.ended === undefined ? {} : { ended: before.ended };
    this.#known.set(event, { update: Math.max(update, before?.update ?? 0), isOver, ...ended });
    const [oldest] = this.#known.keys();
    if (this.#known.size > remembered && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Written by this file; what is not understood is forgotten. */
function readState(stored: unknown): Map<string, Known> {
  return new Map(Array.isArray(stored) ? (stored as [string, Known][]) : []);
}
