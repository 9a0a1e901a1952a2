import type { EmergencyOrigin } from '#edge/domain/emergency.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Batch } from '#edge/store/batch.ts';
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
  readonly commit: (batch: Batch) => void;
  readonly clock: Clock;
}

/** A wave that came so long ago is no warning, ms. */
const late = 60_000;
const remembered = 1_000;

/** The newest message of each earthquake counts; a test never sounds. */
export class Earthquakes {
  readonly #options: EarthquakesOptions;
  readonly #updates = new Map<string, number>();

  constructor(options: EarthquakesOptions) {
    this.#options = options;
  }

  take(word: EarthquakeWord, actor: EmergencyActor): { readonly act: string; readonly emergency: string | null } {
    const done = this.#judge(word, actor);
    const line = { time: this.#options.clock.now(), who: actor.who, from: actor.from };
    const why = `intensity ${word.intensity}, update ${word.update}`;
    this.#options.commit({ audit: [{ ...line, what: `crisis.earthquake ${word.event}`, why, result: done.act }] });
    return done;
  }

  #judge(word: EarthquakeWord, { who, from }: EmergencyActor): { act: string; emergency: string | null } {
    const { clock, emergencies, from: least } = this.#options;
    const no = (act: string) => ({ act, emergency: null });
    if (word.test) return no('test');
    const before = this.#updates.get(word.event);
    if (before !== undefined && word.update <= before && !word.cancel) return no('older');
    this.#remember(word);
    const isIt = (origin: EmergencyOrigin) => origin.kind === 'terminal' && origin.event === word.event;
    if (word.cancel) {
      const ended = emergencies.endOf(isIt, who, 'the terminal took its warning back', true);
      return no(ended > 0 ? 'end' : 'none');
    }
    if (word.arrival < clock.now() - late) return no('too-late');
    if (word.intensity < least) return no('below-threshold');
    const { event, arrival, intensity, magnitude, place } = word;
    const { emergency } = emergencies.begin({
      ...{ kind: 'earthquake', drill: false, zones: null, by: who, from, sounds: true },
      origin: { kind: 'terminal', device: who, event, arrival, intensity, magnitude, place },
      why: `${place === '' ? 'earthquake' : place}, intensity ${intensity}`,
    });
    return { act: 'sound', emergency: emergency.id };
  }

  #remember({ event, update }: EarthquakeWord): void {
    this.#updates.delete(event);
    this.#updates.set(event, update);
    const [oldest] = this.#updates.keys();
    if (this.#updates.size > remembered && oldest !== undefined) this.#updates.delete(oldest);
  }
}
