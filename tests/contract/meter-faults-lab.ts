import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Sink } from '#edge/drivers/driver.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { faultOf, type MeterFault, seededRandom } from '#edge/simulators/meter-faults.ts';

/*
 * Real drivers on lines that go wrong, and slaves that remember what they had. Every value names its place (unit or meter, table,
 * address or identifier) and counts the answers of its slave, so that a value of another place or another time is seen as what it is.
 */

/** `unplugged`: a USB adapter is pulled out and put back 100 ms later. `0x0B`: the gateway says that nobody answers. */
export type FaultKind = MeterFault['kind'] | 'exception' | '0x0B' | 'unplugged';

/** What one read or write came to. `doubtful`: a value that says of itself that it is not sure. */
export type Verdict = 'good' | 'bad' | 'doubtful' | 'wrong';

/** One device, asked and judged: one read, or one write and what the slave has then. */
export interface Subject {
  readonly name: string;
  turn(): Promise<Verdict>;
}

/** One line, its connection and the slaves on it. */
export interface LabLine {
  readonly subjects: readonly Subject[];
  readonly weather: Weather;
}

export interface Lab extends AsyncDisposable {
  readonly protocol: string;
  readonly kinds: readonly FaultKind[];
  readonly lines: readonly LabLine[];
}

/**
 * How long an answer is waited for, and a unit left alone after that; how late most late answers are, and the rest of them, ms. In the
 * field a second and a second: 1.5 s, and up to 20 s.
 */
export const timing = { timeout: 60, lateWindow: 100, late: 150, veryLate: 1_200 } as const;
export const patience = { timeout: `${timing.timeout}ms`, lateWindow: `${timing.lateWindow}ms` } as const;
export const never = new AbortController().signal;
export const quiet: Sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };

/** Decides what becomes of each answer of one line. Seeded: the same seed breaks the same ones. */
export class Weather {
  /** Answers that were spoiled, by what. */
  readonly faults: Partial<Record<FaultKind, number>> = {};
  readonly #random: () => number;
  #kinds: readonly FaultKind[] = [];
  #share = 0;
  #next: { readonly kind: FaultKind; readonly fired: () => void } | null = null;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From now on `share` of the answers (0 to 1) go wrong, each kind as often as the next. */
  storm(share: number, kinds: readonly FaultKind[]): void {
    this.#share = share;
    this.#kinds = kinds;
  }

  /** Spoils the next answer; resolves when that happened. */
  strike(kind: FaultKind): Promise<void> {
    return new Promise((resolve) => {
      this.#next = { kind, fired: resolve };
    });
  }

  /** Asked once for each answer. */
  draw(): { readonly kind: FaultKind; readonly ms: number } | null {
    const next = this.#next;
    this.#next = null;
    const kind = next?.kind ?? this.#drawn();
    if (kind === undefined) return null;
    next?.fired();
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    return { kind, ms: this.#msOf(kind, next !== null) };
  }

  #drawn(): FaultKind | undefined {
    if (this.#share === 0 || this.#random() >= this.#share) return undefined;
    return this.#kinds[Math.floor(this.#random() * this.#kinds.length)];
  }

  /** Late is later than it is waited for; slow, doubled and split answers come within that time, mostly. */
  #msOf(kind: FaultKind, isMost: boolean): number {
    const { timeout, late, veryLate } = timing;
    const part = isMost ? 0.5 : this.#random();
    if (kind !== 'late') return Math.round((0.05 + 0.9 * part) * timeout);
    const most = !isMost && this.#random() < 0.25 ? veryLate : late;
    return Math.round(timeout + (most - timeout) * part);
  }
}

/** The kinds that the meters of DL/T 645 and CJ/T 188 know. */
export function meterFault(drawn: { readonly kind: FaultKind; readonly ms: number }): MeterFault {
  const { kind, ms } = drawn;
  return kind === 'exception' || kind === '0x0B' || kind === 'unplugged' ? { kind: 'silent' } : faultOf(kind, ms);
}

export interface Tally {
  good: number;
  bad: number;
  doubtful: number;
  wrong: number;
}

export const emptyTally = (): Tally => ({ good: 0, bad: 0, doubtful: 0, wrong: 0 });

/** A device that does not answer is asked again after so long, ms: what is held back must not be asked in a tight loop. */
const pauseAfterBad = 5;

export interface Effort {
  /** Until so many answers were judged, or the time is over, ms. */
  readonly answers: number;
  readonly ms: number;
  /** Between two turns of a device, ms. */
  readonly pause?: number;
}

/** Reads every device of the lab round and round; counts into `tally` as it goes. */
export async function readMany(lab: Lab, effort: Effort, tally: Tally = emptyTally()): Promise<Tally> {
  const { answers, ms, pause = 0 } = effort;
  const end = performance.now() + ms;
  const isOver = () => tally.good + tally.doubtful + tally.wrong >= answers || performance.now() > end;
  const each = async ({ turn }: Subject) => {
    while (!isOver()) {
      const verdict = await turn();
      tally[verdict]++;
      const rest = Math.max(pause, verdict === 'bad' ? pauseAfterBad : 0);
      if (rest > 0) await delay(rest, never);
    }
  };
  await Promise.all(lab.lines.flatMap(({ subjects }) => subjects.map(each)));
  return tally;
}

/** Spoils one answer of a line; how long until the device that was asked is read well again, ms. */
export async function recoveryFrom(kind: FaultKind, line: LabLine, subject: Subject): Promise<number> {
  let struck = Number.NaN;
  const strike = line.weather.strike(kind).then(() => {
    struck = performance.now();
  });
  const seen = emptyTally();
  const began = performance.now();
  for (;;) {
    const verdict = await subject.turn();
    seen[verdict]++;
    if (verdict === 'wrong') throw new Error(`${subject.name}: a wrong value after ${kind}: ${mistakes.at(-1)}`);
    if (verdict === 'good' && !Number.isNaN(struck)) break;
    if (performance.now() - began > 40_000) {
      throw new Error(`${subject.name}: not read again within 40 s after ${kind}: ${JSON.stringify(seen)}`);
    }
    if (verdict !== 'good') await delay(pauseAfterBad, never);
  }
  await strike;
  return performance.now() - struck;
}

export const faultsOf = (lab: Lab): Partial<Record<FaultKind, number>> => {
  const sum: Partial<Record<FaultKind, number>> = {};
  for (const { weather } of lab.lines) {
    for (const kind of lab.kinds) {
      const count = weather.faults[kind];
      if (count !== undefined) sum[kind] = (sum[kind] ?? 0) + count;
    }
  }
  return sum;
};

/** What was wrong, for people: the first few. */
export const mistakes: string[] = [];
const note = (text: string) => void (mistakes.length < 20 && mistakes.push(text));

/** The worst of what its samples say; `isRight` judges what was read as good, `truth` says what would have been. */
export function judge(samples: readonly Sample[], isRight: (sample: Sample) => boolean, truth: () => string): Verdict {
  const wrong = samples.find((sample) => sample.quality === 'good' && !isRight(sample));
  if (wrong !== undefined) {
    note(`${wrong.point} read as ${JSON.stringify(wrong.value)}; ${truth()}`);
    return 'wrong';
  }
  if (samples.length === 0 || samples.some(({ quality }) => quality === 'bad')) return 'bad';
  return samples.some(({ quality }) => quality !== 'good') ? 'doubtful' : 'good';
}

/** `has`: what the slave has now. A write that says it is done must be. */
export function judgeWrite({ value }: Pick<Command, 'value'>, result: CommandResult, has: unknown): Verdict {
  if (result.outcome !== 'done') return 'bad';
  if (has === value && result.value === value) return 'good';
  note(
    `${result.point} written as ${JSON.stringify(value)}, said done at ${result.value}; it is ${JSON.stringify(has)}`,
  );
  return 'wrong';
}
