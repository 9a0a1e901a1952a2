import type { Sample } from '#edge/domain/reading.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Sink } from '../driver.ts';

export interface Condition {
  readonly samples: readonly Sample[];
  /** The last thing that went wrong while they were read. */
  readonly error: unknown;
  /** Why the device does not look like its profile; `unheard`: that cannot be judged yet. */
  readonly complaint: string | null | 'unheard';
  readonly isShared: boolean;
  /** Places that the device refuses, and what it said first. */
  readonly refusals: number;
  readonly refusal: string | null;
}

/** Reads in a row without any answer: one lost answer is no news. */
const silentReads = 2;

/** Tells people how one device is: once for each new state or new kind of fault, not for a new number in the message. */
export class Voice {
  readonly #sink: Sink;
  readonly #label: string;
  #silent = 0;
  #said = '';

  constructor(sink: Sink, label: string) {
    this.#sink = sink;
    this.#label = label;
  }

  /** true when the device is taken for gone. */
  say({ samples, error, complaint, isShared, refusals, refusal }: Condition): boolean {
    let silent = 0;
    let garbled = 0;
    for (const { quality, reason } of samples) {
      if (quality === 'good') continue;
      if (reason === 'no-communication') silent++;
      else if (quality === 'bad' && reason === 'communication-error') garbled++;
    }
    const isSilent = silent > 0 && silent === samples.length;
    this.#silent = isSilent ? this.#silent + 1 : 0;
    if (isSilent) {
      if (this.#silent < silentReads) return false;
      this.#tell('offline', codeOf(error), () => `${this.#label}: ${messageOf(error)}`);
      return true;
    }
    if (garbled > 0) this.#tell('degraded', codeOf(error), () => messageOf(error));
    else if (isShared)
      this.#tell('degraded', 'shared', () => 'two devices answer with this id: nobody knows whose value is whose');
    else if (complaint === 'unheard') return false;
    else if (complaint !== null) {
      this.#tell('degraded', 'check', () => `the device does not look like its profile: ${complaint}`);
    } else if (refusal !== null) this.#tell('degraded', 'refused', () => `${refusals} values: ${refusal}`);
    else this.#tell('online', '', () => 'answers');
    return false;
  }

  #tell(state: 'online' | 'degraded' | 'offline', kind: string, message: () => string): void {
    const key = `${state} ${kind}`;
    if (this.#said === key) return;
    this.#said = key;
    this.#sink.health(state, message());
  }
}
