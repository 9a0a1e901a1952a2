import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import { parseSnmpAddress, type SnmpAddress } from '#edge/profiles/snmp-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Session, Sink } from '../driver.ts';
import type { Agent, Answer } from './agent.ts';
import type { SnmpConfig } from './config.ts';
import { type Decoded, decodeVarbind, isAbsent, noValue } from './decode.ts';
import { endsRead, reasonOf, SnmpError } from './errors.ts';
import { type Ask, type Cell, locate, mostValues, planAsks } from './planner.ts';
import { Rates } from './rates.ts';
import { writePoint } from './write.ts';

export interface SnmpSessionOptions {
  readonly device: Device;
  readonly config: SnmpConfig;
  readonly agent: Agent;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Item extends Cell {
  readonly point: Point;
  readonly address: SnmpAddress;
}

/** sysUpTime: who is younger than it was has started again, and counts from 0. */
const upTime = '1.3.6.1.2.1.1.3.0';
/** What an agent does not have is looked for again after so long. */
const absentFor = 600_000;
const fewest = 5;

/** One agent's values: what is asked together, what it does not have, what counters rise by. */
export class SnmpSession implements Session {
  readonly #options: SnmpSessionOptions;
  readonly #items: ReadonlyMap<PointName, Item>;
  readonly #rates = new Rates();
  readonly #absent = new Map<PointName, number>();
  readonly #written = new Map<PointName, number>();
  #most = mostValues;
  #upTime = 0;
  #silentReads = 0;
  #lastError: unknown;
  #said = '';

  constructor(options: SnmpSessionOptions) {
    this.#options = options;
    const { device, config } = options;
    this.#items = new Map(
      device.points.map((point) => {
        const address = parseSnmpAddress(point.address);
        return [point.name, { point, address, ...locate(address, config) }];
      }),
    );
  }

  async read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    const started = this.#now();
    const items = points.flatMap((point) => this.#items.get(point.name) ?? []);
    const values = await this.#readItems(items, AbortSignal.any([signal, this.#options.signal]));
    this.#sayHealth(values);
    return points.flatMap((point): Sample[] => {
      // What was asked for before a write says nothing about what it did.
      if ((this.#written.get(point.name) ?? Number.NEGATIVE_INFINITY) >= started) return [];
      return [{ point: point.name, ...(values.get(point.name) ?? noValue('configuration-error')) }];
    });
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { agent, sink, clock } = this.#options;
    const all = AbortSignal.any([signal, this.#options.signal]);
    const outcome = await writePoint(
      {
        clock,
        signal: all,
        set: async (item, integer) => {
          await agent.ask({ kind: 'set', oid: item.oid, integer }, 'write', all);
        },
        read: async (item) => {
          const found = (await agent.ask({ kind: 'get', oids: [item.oid] }, 'write', all)).get(item.oid);
          return found === undefined || isAbsent(found)
            ? noValue('configuration-error')
            : decodeVarbind(item.address, found);
        },
        written: (name) => void this.#written.set(name, this.#now()),
      },
      this.#items.get(command.point),
      command,
    );
    const { id, device, point } = command;
    if (outcome.value !== undefined) sink.sample({ point, value: outcome.value, quality: 'good' });
    return { id, device, point, ...outcome, time: clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.agent[Symbol.asyncDispose]();
  }

  async #readItems(items: readonly Item[], signal: AbortSignal): Promise<Map<PointName, Decoded>> {
    const values = new Map<PointName, Decoded>();
    const askable = items.filter(({ point: { name } }) => {
      const isAsked = (this.#absent.get(name) ?? 0) <= this.#now();
      if (!isAsked) values.set(name, noValue('configuration-error'));
      return isAsked;
    });
    const work = planAsks(askable, this.#most);
    for (let ask = work.shift(); ask !== undefined; ask = work.shift()) {
      try {
        const answer = await this.#ask(ask, signal);
        const missing = this.#take(ask, answer, values);
        // A table with holes, or an answer that was cut: what is left is asked for by name.
        if (missing.length > 0) work.unshift(...planNames(missing, this.#most));
      } catch (error) {
        this.#lastError = error;
        if (error instanceof SnmpError && error.outcome === 'too-big' && ask.cells.length > 1) {
          this.#most = Math.max(fewest, Math.ceil(this.#most / 2));
          const parts = planNames(ask.cells, Math.min(this.#most, Math.ceil(ask.cells.length / 2)));
          work.unshift(...parts);
          continue;
        }
        const lost = endsRead(error) || signal.aborted ? [ask, ...work.splice(0)] : [ask];
        for (const { point } of lost.flatMap(({ cells }) => cells)) values.set(point.name, noValue(reasonOf(error)));
      }
    }
    return values;
  }

  async #ask(ask: Ask<Item>, signal: AbortSignal): Promise<Answer> {
    const { agent } = this.#options;
    const counts = ask.cells.some(({ address }) => address.rate);
    if (ask.kind === 'get') {
      const oids = ask.cells.map(({ oid }) => oid);
      return agent.ask({ kind: 'get', oids: counts ? [...oids, upTime] : oids }, 'read', signal);
    }
    if (counts) this.#hearUpTime(await agent.ask({ kind: 'get', oids: [upTime] }, 'read', signal));
    return agent.ask({ kind: 'bulk', after: ask.after, rows: ask.rows }, 'read', signal);
  }

  /** Puts what came into `values`; returns the cells of a GETBULK that did not come. */
  #take(ask: Ask<Item>, answer: Answer, values: Map<PointName, Decoded>): readonly Item[] {
    this.#hearUpTime(answer);
    const at = this.#now();
    const missing: Item[] = [];
    for (const item of ask.cells) {
      const { address, point, oid } = item;
      const found = answer.get(oid);
      if (found === undefined && ask.kind === 'bulk') missing.push(item);
      else if (found === undefined) values.set(point.name, noValue('communication-error'));
      else if (isAbsent(found)) {
        this.#absent.set(point.name, this.#now() + absentFor);
        values.set(point.name, noValue('configuration-error'));
      } else {
        this.#absent.delete(point.name);
        values.set(
          point.name,
          address.rate ? this.#rates.take(point.name, address, found, at) : decodeVarbind(address, found),
        );
      }
    }
    return missing;
  }

  #hearUpTime(answer: Answer): void {
    const ticks = answer.get(upTime)?.value;
    if (typeof ticks !== 'number') return;
    if (ticks < this.#upTime) this.#rates.reset();
    this.#upTime = ticks;
  }

  #sayHealth(values: ReadonlyMap<PointName, Decoded>): void {
    const decoded = [...values.values()];
    if (decoded.length === 0) return;
    const only = (reason: string) => decoded.every((one) => one.quality === 'bad' && one.reason === reason);
    const where = this.#options.agent.label;
    const why = `${where}: ${messageOf(this.#lastError)}`;
    const isSilent = only('no-communication');
    this.#silentReads = isSilent ? this.#silentReads + 1 : 0;
    if (isSilent) {
      // One lost answer is no news.
      if (this.#silentReads > 1) this.#say('offline', why, codeOf(this.#lastError));
    } else if (only('held')) this.#say('held', why, codeOf(this.#lastError));
    else if (
      this.#lastError instanceof SnmpError &&
      this.#lastError.outcome === 'config' &&
      only('configuration-error')
    ) {
      this.#say('misconfigured', why, 'config');
    } else if (decoded.some(({ reason }) => reason === 'communication-error' || reason === 'device-failure')) {
      this.#say('degraded', why, codeOf(this.#lastError));
    } else this.#sayComplete();
  }

  #sayComplete(): void {
    const gone = [...this.#absent.keys()].flatMap((name) => this.#items.get(name)?.point ?? []);
    const missed = gone.filter(({ optional }) => optional !== true);
    const [first] = missed;
    if (first === undefined) this.#say('online', 'answers', '');
    else this.#say('degraded', `it has no ${first.name}, and ${missed.length - 1} more of its profile`, 'absent');
  }

  /** A transition is a new state or a new kind of fault, not a new number in the message. */
  #say(state: 'online' | 'degraded' | 'offline' | 'held' | 'misconfigured', message: string, kind: string): void {
    const key = `${state} ${kind}`;
    if (this.#said === key) return;
    this.#said = key;
    this.#options.sink.health(state, message);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

function planNames(items: readonly Item[], most: number): Ask<Item>[] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, i) => ({
    kind: 'get',
    cells: items.slice(i * most, (i + 1) * most),
  }));
}
