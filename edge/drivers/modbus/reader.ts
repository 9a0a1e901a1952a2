import type { Reason, Sample } from '#edge/domain/reading.ts';
import { type Decoded, decodeBit, decodeFactor, decodeRegisters, noValue } from '#edge/profiles/decode.ts';
import type { RegisterFormat } from '#edge/profiles/modbus-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { BusError } from '../ports/bus-error.ts';
import { isRefusal, isSilence, ModbusError, reasonOf } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { readExchange } from './exchange.ts';
import type { Teachings } from './learned.ts';
import type { Block, Span } from './planner.ts';
import { barrierAt, cutOf, hasHole, spanOf } from './planner.ts';
import {
  blocksOf,
  type Cell,
  type Entry,
  type Plan,
  type PlanOptions,
  placeOf,
  type Step,
  stepOf,
  type Trial,
  type Wanted,
} from './read-plan.ts';

export interface ReaderOptions {
  readonly unit: number;
  readonly clock: Clock;
  readonly teachings: Teachings;
  readonly limits: Pick<PlanOptions, 'max' | 'gap' | 'overhead' | 'barriers'>;
  /** Data bytes of the answer. */
  readonly ask: (exchange: Exchange, signal: AbortSignal) => Promise<Buffer>;
  readonly count: (word: string) => void;
  /** Something was learned: plans made before no longer hold. */
  readonly learned: () => void;
  /** Monotonic time of its last answer. */
  readonly lastHeard: () => number;
}

/** Exceptions 5 and 6: still working, busy. */
const busyPause = 200;
const busyRetries = 3;
/** A unit heard this lately gets one second chance before its values turn bad. */
const recentlyHeard = 60_000;

/** One pass over a plan. */
interface Pass {
  readonly plan: Plan;
  readonly samples: (Sample | undefined)[];
  /** Of scaled values: decoded when the factors are known. */
  readonly raw: (Buffer | undefined)[];
  readonly factors: (number | Reason | undefined)[];
}

export interface ReadResult {
  /** As the plan's points. */
  readonly samples: readonly Sample[];
  /** The last thing that went wrong. */
  readonly error: unknown;
}

/** Reads what a plan asks for, decodes it, and learns what the device refuses. */
export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Never rejects: what was not had is a bad sample with its reason. */
  async read(plan: Plan, signal: AbortSignal): Promise<ReadResult> {
    const pass: Pass = { plan, samples: [], raw: [], factors: [] };
    let lastError: unknown = null;
    let steps = plan.steps;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      if (step === undefined) break;
      try {
        step.exchange ??= this.#exchangeFor(step.block);
        const bytes = await this.#readBlock(step.exchange, signal);
        this.#take(pass, step, bytes);
        if (step.trial !== null) this.#succeeded(step.trial, step.block);
      } catch (error) {
        lastError = error;
        if (isRefusal(error)) {
          steps = [...this.#refused(pass, step, messageOf(error)), ...steps.slice(i + 1)];
          i = -1;
          continue;
        }
        // After one silence the rest of this device is skipped: it would only cost the line one timeout each.
        const isOver = isSilence(error);
        for (const { block } of isOver ? steps.slice(i) : [step]) lose(pass, block, reasonOf(error));
        if (isOver) break;
      }
    }
    return { samples: finish(pass), error: lastError };
  }

  /** Data bytes of a stretch that is no value of a plan: a name plate, a read-back. Rejects as the line does. */
  readSpan(span: Span, signal: AbortSignal): Promise<Buffer> {
    return this.#readBlock(this.#exchangeFor(span), signal);
  }

  #exchangeFor({ table, at, length }: Span): Exchange {
    return readExchange(this.#options.unit, table, at, length);
  }

  async #readBlock(exchange: Exchange, signal: AbortSignal): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.ask(exchange, signal);
      } catch (error) {
        if (signal.aborted || !this.#isWorthAnother(error, attempt)) throw error;
        if (error instanceof ModbusError) await delay(busyPause, signal);
      }
    }
  }

  #isWorthAnother(error: unknown, attempt: number): boolean {
    // A gateway that says that a unit is silent has waited for it already.
    if (error instanceof ModbusError) return [5, 6].includes(error.exception) && attempt <= busyRetries;
    if (!(error instanceof BusError) || error.outcome === 'held') return false;
    return attempt === 1 && this.#options.clock.monotonic() - this.#options.lastHeard() < recentlyHeard;
  }

  #take({ plan, samples, raw, factors }: Pass, step: Step, bytes: Buffer): void {
    const { block, cells } = step;
    const isBit = block.table === 'coil' || block.table === 'discrete';
    if (this.#options.teachings.refusals > 0) this.#accepted(cells);
    for (const cell of cells) {
      const { entry, start, length } = cell;
      const wanted = plan.wanted[entry.value];
      if (wanted === undefined) factors[entry.factor] = factorIn(plan, entry, bytes.subarray(start, start + length));
      else if (isBit) samples[entry.value] = bitSample(wanted, cell, bytes);
      else if (wanted.factors.length > 0) raw[entry.value] = bytes.subarray(start, start + length);
      else samples[entry.value] = registerSample(wanted, cell, bytes, step.image);
    }
    if (step.image === null) step.image = Buffer.from(bytes);
    else bytes.copy(step.image);
  }

  #accepted(cells: readonly Cell[]): void {
    const { teachings, learned } = this.#options;
    for (const { entry } of cells) if (teachings.accept(placeOf(entry.address))) learned();
  }

  #succeeded(trial: Trial, block: Block<Entry>): void {
    trial.longest = Math.max(trial.longest, block.length);
    this.#settled(trial, block);
  }

  #settled(trial: Trial, { table }: Span): void {
    trial.open--;
    if (trial.open > 0 || trial.isRefused || trial.longest === 0 || table === 'coil' || table === 'discrete') return;
    // All parts were given, and no hole lay between them: the device gives only so much at once.
    this.#options.teachings.limit(trial.longest, trial.barriers, this.#options.clock.now());
    this.#options.learned();
  }

  /** Cuts a refused block and returns its parts; a single value is put aside. */
  #refused(pass: Pass, { block, trial }: Step, message: string): Step[] {
    const { teachings, limits, clock, count, learned } = this.#options;
    learned();
    const cut = cutOf(block);
    if (cut === null) {
      for (const { address } of block.items) teachings.refuse(placeOf(address), message, clock.now());
      lose(pass, block, 'configuration-error');
      if (trial !== null) {
        trial.isRefused = true;
        this.#settled(trial, block);
      }
      return [];
    }
    const barrier = barrierAt(block.table, cut);
    count('split');
    const isKept = teachings.addBarrier(barrier, clock.now());
    // Without a barrier the plan would be the same block again, for ever.
    const sides = isKept ? [block.items] : sidesOf(block, cut);
    const parts = sides.flatMap((items) => blocksOf(items, { ...limits, teachings }));
    const tried = trial ?? (hasHole(block) ? null : { open: 1, longest: 0, isRefused: false, barriers: [] });
    if (tried !== null) {
      tried.barriers.push(barrier);
      tried.open += parts.length - 1;
    }
    return parts.map((part) => stepOf(part, tried));
  }
}

function factorIn({ factors }: Plan, { factor }: Entry, bytes: Buffer): number | Reason {
  const place = factors[factor];
  return place === undefined ? 'configuration-error' : (decodeFactor(place.format, bytes) ?? 'device-failure');
}

function sidesOf({ items }: Block<Entry>, cut: number): Entry[][] {
  const isBefore = ({ address }: Entry) => spanOf(address).at < cut;
  return [items.filter(isBefore), items.filter((item) => !isBefore(item))];
}

/** Scaled, a float of a device can become too large for a number, and such a number is none to anybody behind us. */
export function decodeFinite(format: RegisterFormat, bytes: Buffer, range: Wanted['range'], factor = 1): Decoded {
  const decoded = decodeRegisters(format, bytes, range, factor);
  const isNone = typeof decoded.value === 'number' && !Number.isFinite(decoded.value);
  return isNone ? noValue('device-failure') : decoded;
}

/** Most registers say what they said the last time: then nothing is decoded and nothing is made anew. */
function registerSample(wanted: Wanted, cell: Cell, bytes: Buffer, image: Buffer | null): Sample | undefined {
  if (cell.sample !== null && image !== null && isSame(cell, bytes, image)) return cell.sample;
  if (wanted.format === null) return undefined;
  const { value, quality, reason } = decodeFinite(wanted.format, ownBytes(cell, bytes), wanted.range);
  const { point } = wanted;
  cell.sample = reason === undefined ? { point, value, quality } : { point, value, quality, reason };
  return cell.sample;
}

/** Values are decoded one at a time: one buffer of each size serves them all, for as long as that takes. */
const lent = [2, 4, 6, 8].map((size) => Buffer.alloc(size));

/** Its bytes alone; nobody may keep them. */
function ownBytes({ start, length }: Cell, bytes: Buffer): Buffer {
  const own = lent[length / 2 - 1];
  if (own === undefined) return bytes.subarray(start, start + length);
  for (let i = 0; i < length; i++) own[i] = bytes[start + i] ?? 0;
  return own;
}

/** A value has two to eight bytes: a loop is faster than a call into the runtime. */
function isSame({ start, length }: Cell, bytes: Buffer, image: Buffer): boolean {
  for (let i = start; i < start + length; i++) if (bytes[i] !== image[i]) return false;
  return true;
}

function bitSample({ point }: Wanted, cell: Cell, bytes: Buffer): Sample {
  const decoded = decodeBit(bytes, cell.start);
  if (cell.sample?.value !== decoded.value) cell.sample = { point, ...decoded };
  return cell.sample;
}

/** Marks what a block would have brought, unless it came another way. */
function lose({ plan, samples, factors }: Pass, { items }: Block<Entry>, reason: Reason): void {
  for (const { value, factor } of items) {
    const wanted = plan.wanted[value];
    if (wanted !== undefined) samples[value] = { point: wanted.point, ...noValue(reason) };
    else if (factor >= 0) factors[factor] = reason;
  }
}

/** Scales what waits for its factors. */
function finish(pass: Pass): readonly Sample[] {
  return pass.plan.wanted.map(
    (wanted, i) => pass.samples[i] ?? { point: wanted.point, ...scaledValue(pass, wanted, i) },
  );
}

function scaledValue({ raw, factors }: Pass, { format, factors: scaledBy, range }: Wanted, index: number): Decoded {
  const bytes = raw[index];
  if (format === null || bytes === undefined) return noValue('configuration-error');
  let product = 1;
  for (const at of scaledBy) {
    const factor = factors[at];
    if (typeof factor !== 'number') return noValue(factor ?? 'configuration-error');
    product *= factor;
  }
  return decodeFinite(format, bytes, range, product);
}
