import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Decoded } from '#edge/profiles/decode.ts';
import { decodeBit, decodeRegisters, noValue } from '#edge/profiles/decode.ts';
import { parseModbusAddress } from '#edge/profiles/modbus-address.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import type { Session, Sink } from '../driver.ts';
import type { Bus } from '../ports/bus.ts';
import { BusError } from '../ports/bus-error.ts';
import { checkedNames, judgeChecks } from './check-gate.ts';
import type { ModbusConfig } from './config.ts';
import { isSilence, ModbusError, reasonOf } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { readExchange } from './exchange.ts';
import { askModbus } from './line.ts';
import type { Block, Span } from './planner.ts';
import { barrierAt, cutOf, planReads, spanOf } from './planner.ts';
import type { Item } from './write.ts';
import { writePoint } from './write.ts';

export interface ModbusSessionOptions {
  readonly device: Device;
  readonly profile: ModbusProfile;
  readonly config: ModbusConfig;
  readonly bus: Bus;
  /** Cost of a request in registers, from the line's physics. */
  readonly overhead: number;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Gives the line back. */
  readonly release: () => Promise<void>;
}

/** A value the device refuses is asked for again after a minute, then ever more rarely, at last once a day. */
const refusedFirst = 60_000;
const refusedCap = 86_400_000;
/** Exceptions 5 and 6: still working, busy. */
const busyPause = 200;
const busyRetries = 3;
/** A unit heard this lately gets one second chance before its values turn bad. */
const recentlyHeard = 60_000;

/** One Modbus device: plans reads, decodes, learns what the device refuses, writes and reads back. */
export class ModbusSession implements Session {
  readonly #options: ModbusSessionOptions;
  readonly #items: ReadonlyMap<PointName, Item>;
  readonly #barriers = new Set<string>();
  readonly #refused = new Map<PointName, { until: number; pause: number; message: string }>();
  /** Monotonic time of the last write to a point: what was asked for before it says nothing about it. */
  readonly #written = new Map<PointName, number>();
  readonly #checkItems: readonly Item[];
  #checked: boolean;
  #lastHeard = Number.NEGATIVE_INFINITY;
  #silentReads = 0;
  #said = '';

  constructor(options: ModbusSessionOptions) {
    this.#options = options;
    const items = options.device.points.map((point): Item => ({ point, address: parseModbusAddress(point.address) }));
    this.#items = new Map(items.map((item) => [item.point.name, item]));
    const names = checkedNames(options.profile.check);
    this.#checkItems = items.filter((item) => names.has(item.point.name));
    this.#checked = names.size === 0;
  }

  async read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    const started = this.#now();
    const wanted = points.flatMap((point) => this.#items.get(point.name) ?? []);
    const extra = this.#checked ? [] : this.#checkItems.filter((item) => !wanted.includes(item));
    const values = await this.#readItems([...wanted, ...extra], AbortSignal.any([signal, this.#options.signal]));
    const complaint = this.#judge(values);
    this.#sayHealth(values, complaint);
    return points.flatMap((point): Sample[] => {
      if ((this.#written.get(point.name) ?? Number.NEGATIVE_INFINITY) >= started) return [];
      const decoded = values.get(point.name) ?? noValue('configuration-error');
      const doubtful = !this.#checked && decoded.quality === 'good';
      return [{ point: point.name, ...decoded, ...(doubtful ? { quality: 'uncertain', reason: 'not-accurate' } : {}) }];
    });
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const item = this.#items.get(command.point);
    const outcome = await writePoint(
      {
        unit: this.#options.config.unit,
        clock: this.#options.clock,
        request: (exchange) => this.#request(exchange, 'write', AbortSignal.any([signal, this.#options.signal])),
        read: async (one) => {
          const span = spanOf(one.address);
          const exchange = readExchange(this.#options.config.unit, span.table, span.at, span.length);
          const bytes = await this.#request(exchange, 'write', AbortSignal.any([signal, this.#options.signal]));
          return decodeItem(one, span, bytes);
        },
        lastWrite: (name) => this.#written.get(name) ?? Number.NEGATIVE_INFINITY,
        written: (name) => this.#written.set(name, this.#now()),
        signal,
      },
      item,
      command,
    );
    const { id, device, point } = command;
    if (outcome.value !== undefined) {
      // The read-back is news: the reading follows the output at once, not at the next poll.
      this.#options.sink.sample({ point, value: outcome.value, quality: 'good' });
    }
    return { id, device, point, ...outcome, time: this.#options.clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.release();
  }

  async #readItems(items: readonly Item[], signal: AbortSignal): Promise<Map<PointName, Decoded>> {
    const values = new Map<PointName, Decoded>();
    const askable = items.filter((item) => {
      const refused = this.#refused.get(item.point.name);
      if (refused === undefined || refused.until <= this.#now()) return true;
      values.set(item.point.name, noValue('configuration-error'));
      return false;
    });
    const work = this.#plan(askable);
    for (let block = work.shift(); block !== undefined; block = work.shift()) {
      try {
        const bytes = await this.#readBlock(block, signal);
        for (const item of block.items) {
          values.set(item.point.name, decodeItem(item, block, bytes));
          this.#refused.delete(item.point.name);
        }
      } catch (error) {
        if (isRefusal(error)) {
          work.unshift(...this.#learn(block, messageOf(error)));
          if (!work.some((other) => other.items.some((item) => block?.items.includes(item)))) {
            for (const item of block.items) values.set(item.point.name, noValue('configuration-error'));
          }
          continue;
        }
        // After one silence the rest of this device is skipped: it would only cost the line one timeout each.
        const lost = isSilence(error) ? [block, ...work.splice(0)] : [block];
        for (const item of lost.flatMap((one) => one.items)) values.set(item.point.name, noValue(reasonOf(error)));
        this.#lastError = error;
      }
    }
    return values;
  }

  #lastError: unknown;

  #plan(items: readonly Item[]): Block<Item>[] {
    const { bus } = this.#options.profile;
    const { overhead } = this.#options;
    return planReads(items, { max: bus.max, gap: bus.gap, overhead, barriers: this.#barriers });
  }

  /** Cuts a refused block and returns its parts; a single value is put aside and returns nothing. */
  #learn(block: Block<Item>, message: string): Block<Item>[] {
    const cut = cutOf(block);
    if (cut !== null) {
      this.#barriers.add(barrierAt(block.table, cut));
      this.#options.sink.count('split');
      return this.#plan(block.items);
    }
    for (const { point } of block.items) {
      const before = this.#refused.get(point.name)?.pause ?? refusedFirst / 4;
      const pause = Math.min(refusedCap, before * 4);
      this.#refused.set(point.name, { until: this.#now() + pause, pause, message });
    }
    return [];
  }

  async #readBlock(block: Span, signal: AbortSignal): Promise<Buffer> {
    const ask = () => {
      const exchange = readExchange(this.#options.config.unit, block.table, block.at, block.length);
      return this.#request(exchange, 'read', signal);
    };
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted || !this.#isWorthAnother(error, attempt)) throw error;
        if (error instanceof ModbusError) await delay(busyPause, signal);
      }
    }
  }

  #isWorthAnother(error: unknown, attempt: number): boolean {
    if (error instanceof ModbusError) return [5, 6].includes(error.exception) && attempt <= busyRetries;
    if (!(error instanceof BusError) || error.outcome === 'held') return false;
    return attempt === 1 && this.#now() - this.#lastHeard < recentlyHeard;
  }

  async #request(exchange: Exchange, urgency: 'read' | 'write', signal: AbortSignal): Promise<Buffer> {
    const { config, profile, bus, device, sink } = this.#options;
    const bytes = await askModbus(bus, exchange, {
      urgency,
      timeout: config.timeout,
      lateWindow: config.lateWindow,
      pause: profile.bus.pause,
      signal,
      count: (word) => sink.count(word),
      device: device.id,
    });
    this.#lastHeard = this.#now();
    return bytes;
  }

  /** null when the checks pass (now or before); else what is wrong. */
  #judge(values: ReadonlyMap<PointName, Decoded>): string | null {
    if (this.#checked) return null;
    const verdict = judgeChecks(this.#options.profile.check, values);
    this.#checked = verdict === null;
    return verdict;
  }

  #sayHealth(values: ReadonlyMap<PointName, Decoded>, complaint: string | null): void {
    const decoded = [...values.values()];
    const silent = decoded.length > 0 && decoded.every((one) => one.reason === 'no-communication');
    this.#silentReads = silent ? this.#silentReads + 1 : 0;
    const refused = [...this.#refused.values()][0];
    const errors = decoded.filter((one) => one.quality === 'bad' && one.reason === 'communication-error').length;
    if (silent) {
      // One lost answer is no news; another device may stand there after a long silence.
      if (this.#silentReads < 2) return;
      this.#checked = this.#options.profile.check.length === 0;
      this.#say('offline', `${this.#options.bus.label}: ${messageOf(this.#lastError)}`, codeOf(this.#lastError));
    } else if (errors > 0) this.#say('degraded', messageOf(this.#lastError), codeOf(this.#lastError));
    else if (complaint === 'unheard') return;
    else if (complaint !== null) {
      this.#say('degraded', `the device does not look like its profile: ${complaint}`, 'check');
    } else if (refused !== undefined)
      this.#say('degraded', `${this.#refused.size} values: ${refused.message}`, 'refused');
    else this.#say('online', 'answers', '');
  }

  /** A transition is a new state or a new kind of fault, not a new number in the message. */
  #say(state: 'online' | 'degraded' | 'offline', message: string, kind: string): void {
    const key = `${state} ${kind}`;
    if (this.#said === key) return;
    this.#said = key;
    this.#options.sink.health(state, message);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

/** Exceptions 1, 2 and 3: the device does not know this function, address or length. */
function isRefusal(error: unknown): boolean {
  return error instanceof ModbusError && (error.outcome === 'limit' || [1, 2, 3].includes(error.exception));
}

function decodeItem(item: Item, span: Span, bytes: Buffer): Decoded {
  const { address, point } = item;
  const offset = address.at - span.at;
  if (span.table === 'coil' || span.table === 'discrete') return decodeBit(bytes, offset);
  return decodeRegisters(address.format, bytes.subarray(2 * offset, 2 * (offset + address.length)), point.range);
}
