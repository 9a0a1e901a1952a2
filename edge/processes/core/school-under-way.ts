import type { PointRef } from '#edge/domain/ids.ts';
import type { OutputState } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { LedgerLine, LedgerOutcome } from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { isArbitrated, isOtherSound, isSameOrder, type SchoolActs, type Told } from './school-acts.ts';

/** What came of something that was begun. */
export interface Closing {
  readonly line: LedgerLine;
  readonly outcome: LedgerOutcome;
  readonly reason: string;
  readonly message: string;
}

interface Open {
  readonly line: LedgerLine;
  readonly told: readonly Told[];
  readonly heard: Set<PointRef>;
  readonly begun: number;
  /** Monotonic: then nobody waits for an answer any more. */
  readonly ends: number;
}

/** An output that has not confirmed by then has not done it, ms. */
const answerPatience = 60_000;
const shortestPatience = 2_000;

export interface UnderWayOptions {
  readonly acts: Pick<SchoolActs, 'outputs' | 'isHeld'>;
  readonly clock: Clock;
}

/** What was begun and is not confirmed: closed when the outputs say that they did it, or when they had time enough to. */
export class UnderWay {
  readonly #options: UnderWayOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: UnderWayOptions) {
    this.#options = options;
  }

  get keys(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** `lasts`: how long it goes on, ms. */
  begin(line: LedgerLine, told: readonly Told[], lasts: number): void {
    const { clock } = this.#options;
    const patience = Math.min(answerPatience, Math.max(shortestPatience, lasts));
    const ends = clock.monotonic() + patience;
    this.#open.set(line.key, { line, told, heard: new Set(), begun: clock.now(), ends });
  }

  /** Nobody waits for it any more; whether any output had confirmed it. null: nobody did. */
  forget(key: string): { readonly isHeard: boolean } | null {
    const open = this.#open.get(key);
    this.#open.delete(key);
    return open === undefined ? null : { isHeard: open.heard.size > 0 };
  }

  /** What the outputs say of what is under way. */
  look(): readonly Closing[] {
    if (this.#open.size === 0) return [];
    const { acts, clock } = this.#options;
    const outputs = acts.outputs();
    return [...this.#open].flatMap(([key, open]) => {
      const { line, told, heard, ends } = open;
      for (const { ref, value } of told) if (hasDone(outputs.get(ref), line.entry, value, open.begun)) heard.add(ref);
      // A sound that waits for its turn may yet be heard.
      const mayCome = heard.size === 0 && told.some(isArbitrated) && acts.isHeld(line.entry);
      const last = mayCome ? ends + answerPatience : ends;
      if (heard.size < told.length && clock.monotonic() < last) return [];
      this.#open.delete(key);
      return [closing(open, outputs)];
    });
  }
}

function closing({ line, told, heard }: Open, outputs: ReadonlyMap<string, OutputState>): Closing {
  const share = `${heard.size} of ${told.length} outputs confirmed it`;
  if (heard.size > 0) {
    const outcome = line.reason === 'late' ? 'late' : 'done';
    return { line, outcome, reason: heard.size < told.length ? 'partly' : line.reason, message: share };
  }
  const holders = told.flatMap(({ ref }) => outputs.get(ref)?.holder ?? []);
  const stronger = holders.find((one) => one !== `schedule:${line.entry}`);
  if (stronger === undefined) return { line, outcome: 'failed', reason: 'not-confirmed', message: share };
  return { line, outcome: 'failed', reason: 'overruled', message: `${stronger} held it meanwhile` };
}

/** What had the value already is not told again. */
function hasDone(output: OutputState | undefined, entry: string, value: Value, begun: number): boolean {
  const said = output?.confirmed ?? null;
  if (output?.holder !== `schedule:${entry}` || said === null) return false;
  if (said.outcome !== 'done' && said.outcome !== 'sent') return false;
  // Two bells of one entry must not take each other's answers.
  if (!isSameOrder(value, output.value)) return false;
  // Nor must a bell take that of the page before it.
  if (isOtherSound(value, said.value)) return false;
  return said.time >= begun || isSameOrder(value, said.value);
}
