import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Decoded } from '#edge/profiles/decode.ts';
import { decodeDlt645 } from '#edge/profiles/decode-dlt645.ts';
import { parseDlt645Address } from '#edge/profiles/dlt645-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { MeterTalk } from '../meter-session.ts';
import type { Bus } from '../ports/bus.ts';
import type { WriteOutcome } from '../read-back.ts';
import type { Dlt645Config } from './config.ts';
import { anyMeter } from './config.ts';
import { Dlt645Error, failureOf } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { addressExchange, readExchange, readMoreExchange } from './exchange.ts';
import type { Item, Read } from './planner.ts';
import { planReads, readSingles } from './planner.ts';
import type { Relays } from './relay.ts';
import { writeRelay } from './relay.ts';

export interface AskOptions {
  readonly urgency: 'read' | 'write';
  readonly signal: AbortSignal;
}

export interface Dlt645TalkOptions {
  readonly device: Device;
  readonly config: Dlt645Config;
  readonly preamble: number;
  /** The profile says that the meter answers blocks. */
  readonly hasBlocks: boolean;
  readonly label: string;
  readonly clock: Clock;
  readonly relays: Relays;
  readonly bus: Pick<Bus, 'isShared' | 'noteSerial'>;
  /** One exchange on the line, in its turn; resolves with the answer's frame. */
  readonly request: (exchange: Exchange<unknown>, options: AskOptions) => Promise<Buffer>;
}

/** Parts of one answer that are asked for; 200 bytes each, and no identifier has more than a few hundred. */
const maxParts = 16;

/** One DL/T 645-2007 meter: what is asked how, what it refuses, and its relay. */
export class Dlt645Talk implements MeterTalk<Read> {
  readonly #options: Dlt645TalkOptions;
  readonly #items: ReadonlyMap<PointName, Item>;
  /** Blocks that the meter refused. */
  readonly #missing = new Set<string>();
  readonly #written = new Map<PointName, number>();
  /** The meter's number once it is known. */
  #meter: string | null;

  constructor(options: Dlt645TalkOptions) {
    this.#options = options;
    const items = options.device.points.map((point): Item => {
      const { block, ...address } = parseDlt645Address(point.address);
      return { point, address: block === undefined || !options.hasBlocks ? address : { ...address, block } };
    });
    this.#items = new Map(items.map((item) => [item.point.name, item]));
    this.#meter = this.#given;
  }

  get label(): string {
    return `meter ${this.#meter ?? 'of unknown number'} at ${this.#options.label}`;
  }

  plan(points: readonly Point[]): readonly Read[] {
    const items = points.flatMap(({ name }) => this.#items.get(name) ?? []);
    return planReads(items, { missing: this.#missing });
  }

  async ask(read: Read, signal: AbortSignal): Promise<ReadonlyMap<PointName, Decoded>> {
    const data = await this.#readData(read.di, read.length, { urgency: 'read', signal }).catch((error: unknown) => {
      const isNo = read.isBlock && error instanceof Dlt645Error && error.kind === 'refused';
      throw isNo ? new Dlt645Error('block', error.message, error.word) : error;
    });
    if (!read.isBlock && data.length !== read.length) {
      const meter = this.#meter ?? anyMeter;
      throw new Dlt645Error(
        'shape',
        `meter ${meter} answers ${data.length} bytes to ${read.di}, its profile says ${read.length}`,
      );
    }
    return new Map(
      read.items.map(({ point, address }) => [
        point.name,
        decodeDlt645(address, data, { range: point.range, block: read.isBlock }),
      ]),
    );
  }

  instead(read: Read): readonly Read[] {
    if (!read.isBlock) return [];
    this.#missing.add(read.di);
    return readSingles(read.items.filter(({ address }) => address.di !== read.di));
  }

  failureOf = failureOf;

  lost(): void {
    this.#meter = this.#given;
  }

  isShared(): boolean {
    return this.#options.bus.isShared(this.#meter ?? anyMeter);
  }

  identify(serial: string): void {
    if (this.#meter !== null) this.#options.bus.noteSerial(this.#meter, serial);
  }

  async write(point: Point | undefined, command: Command, signal: AbortSignal): Promise<WriteOutcome> {
    const item = point === undefined ? undefined : this.#items.get(point.name);
    if (item === undefined) return { outcome: 'refused', message: `there is no point ${command.point}` };
    const { clock, config, relays, preamble, request } = this.#options;
    const options: AskOptions = { urgency: 'write', signal };
    return writeRelay({
      item,
      command,
      clock,
      config,
      relays,
      signal,
      lastWrite: this.#written.get(item.point.name) ?? Number.NEGATIVE_INFINITY,
      written: () => this.#written.set(item.point.name, clock.monotonic()),
      asked: async () => ({ meter: await this.#number(options), preamble }),
      data: () => this.#readData(item.address.di, item.address.part?.length ?? item.address.length, options),
      send: async (exchange) => exchange.parse(await request(exchange, options)),
    });
  }

  get #given(): string | null {
    const { meter } = this.#options.config;
    return meter === anyMeter ? null : meter;
  }

  /** Asks the meter for its number where the site does not say it. */
  async #number(options: AskOptions): Promise<string> {
    if (this.#meter !== null) return this.#meter;
    const exchange = addressExchange(this.#options.preamble);
    this.#meter = exchange.parse(await this.#options.request(exchange, options));
    return this.#meter;
  }

  /** All data of an identifier, however many frames the meter needs for it. */
  async #readData(di: string, expected: number, options: AskOptions): Promise<Buffer> {
    const { preamble, request } = this.#options;
    const asked = { meter: await this.#number(options), preamble };
    const first = readExchange(asked, di, expected);
    let part = first.parse(await request(first, options));
    const parts = [part.data];
    while (part.more) {
      if (parts.length >= maxParts) {
        throw new Dlt645Error('shape', `meter ${asked.meter} sends more than ${maxParts} parts of ${di}`);
      }
      const next = readMoreExchange(asked, di, parts.length);
      part = next.parse(await request(next, options));
      parts.push(part.data);
    }
    return Buffer.concat(parts);
  }
}
