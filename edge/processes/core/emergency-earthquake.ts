import type { EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { BoundedAudit } from './emergency-audit.ts';
import type { EmergencyActor, EmergencyDesk } from './emergency-desk.ts';

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
  readonly emergencies: Pick<EmergencyDesk, 'begin' | 'endOf'>;
  /** What `state` has of it. */
  readonly stored: unknown;
  readonly commit: (batch: Batch) => void;
  readonly audit: BoundedAudit;
  /** Says how many seconds are left. */
  readonly count?: (emergency: string, arrival: number) => void;
  readonly clock: Clock;
}

export const earthquakesState = 'earthquakes';
/** A wave that came so long ago is no warning, and none is on its way for so long, ms. */
const late = 60_000;
const mostAhead = 600_000;
const remembered = 100;

interface Known {
  readonly update: number;
  /** The terminal took it back: whatever still comes of it is late. */
  readonly isOver: boolean;
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
    const { clock, audit, commit } = this.#options;
    const before = this.#known.get(word.event);
    const done = this.#judge(word, actor);
    const line = { time: clock.now(), who: actor.who, from: actor.from };
    const why = `intensity ${word.intensity}, update ${word.update}`;
    const lines = audit.lines({ ...line, what: `crisis.earthquake ${word.event}`, why, result: done.act });
    const isNew = this.#known.get(word.event) !== before;
    const state = { [earthquakesState]: [...this.#known] };
    if (lines.length > 0 || isNew) commit({ ...(lines.length > 0 && { audit: lines }), ...(isNew && { state }) });
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
    const { event, arrival, intensity, magnitude, place } = word;
    const { emergency } = emergencies.begin({
      ...{ kind: 'earthquake', drill: false, zones: null, by: who, from, sounds: true },
      origin: { kind: 'terminal', device: who, event, arrival, intensity, magnitude, place },
      why: `${place === '' ? 'earthquake' : place}, intensity ${intensity}`,
    });
    this.#options.count?.(emergency.id, arrival);
    // Only what has begun is known: said again, what failed may sound.
    this.#remember(word, before, false);
    return { act: 'sound', emergency: emergency.id };
  }

  #remember({ event, update }: EarthquakeWord, before: Known | undefined, isOver: boolean): void {
    this.#known.delete(event);
    this.#known.set(event, { update: Math.max(update, before?.update ?? 0), isOver });
    const [oldest] = this.#known.keys();
    if (this.#known.size > remembered && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Written by this file; what is not understood is forgotten. */
function readState(stored: unknown): Map<string, Known> {
  return new Map(Array.isArray(stored) ? (stored as [string, Known][]) : []);
}
