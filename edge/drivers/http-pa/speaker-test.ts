import type { Clock } from '#edge/runtime/clock.ts';
import type { PaCall, SpeakerTestCalls } from './presets.ts';

/** A loudspeaker that heard itself yesterday is believed until today's test is over, ms. */
const goodFor = 26 * 3_600_000;
/** It is begun within this time after its minute, or left out today: nobody expects tones at another time, ms. */
const window = 30 * 60_000;
/** A result that does not come is none, ms. */
const resultPatience = 300_000;

export interface SpeakerTestOptions {
  readonly calls: SpeakerTestCalls;
  readonly ask: (call: PaCall) => Promise<string>;
  readonly clock: Clock;
  /** The last result stands until the new one is there: so long it is not read, ms. */
  readonly pause: number;
}

/** The test that a loudspeaker makes of itself with its own microphone, once a day while nothing plays. */
export class SpeakerTest {
  readonly #options: SpeakerTestOptions;
  #begunOn = '';
  /** Monotonic ms; null: none is under way. */
  #begunAt: number | null = null;
  #last: { readonly isPassed: boolean; readonly at: number } | null = null;
  #isAsking = false;

  constructor(options: SpeakerTestOptions) {
    this.#options = options;
  }

  /** null: nothing is known. */
  verdict(): { readonly isPassed: boolean; readonly words: string } | null {
    const last = this.#last;
    if (last === null || (last.isPassed && this.#options.clock.now() - last.at > goodFor)) return null;
    const time = new Date(last.at).toISOString().slice(0, 16);
    const words = last.isPassed
      ? `it said yes, and heard itself in its test of ${time}Z`
      : `it failed its own test of ${time}Z`;
    return { isPassed: last.isPassed, words };
  }

  /** Now and then; never throws. */
  async look(isFree: boolean): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await (this.#begunAt === null ? this.#begin(isFree) : this.#read(this.#begunAt));
    } catch {
      // What does not answer is told by the probe; a test that did not begin is left out today.
    } finally {
      this.#isAsking = false;
    }
  }

  async #begin(isFree: boolean): Promise<void> {
    const { calls, clock, ask } = this.#options;
    const now = new Date(clock.now());
    const [hour = 0, minute = 0] = calls.daily.split(':').map(Number);
    const due = new Date(now).setHours(hour, minute, 0, 0);
    const day = now.toDateString();
    if (!isFree || this.#begunOn === day || now.getTime() < due || now.getTime() - due > window) return;
    this.#begunOn = day;
    await ask(calls.start);
    this.#begunAt = clock.monotonic();
  }

  async #read(begunAt: number): Promise<void> {
    const { calls, clock, ask, pause } = this.#options;
    const age = clock.monotonic() - begunAt;
    if (age < pause) return;
    if (age > resultPatience) this.#begunAt = null;
    const text = await ask(calls.result);
    const isPassed = text.includes(calls.passed);
    if (!isPassed && !text.includes(calls.failed)) return;
    this.#last = { isPassed, at: clock.now() };
    this.#begunAt = null;
  }
}
