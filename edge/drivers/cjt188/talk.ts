import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Cjt188Address } from '#edge/profiles/cjt188-address.ts';
import { parseCjt188Address } from '#edge/profiles/cjt188-address.ts';
import type { Decoded } from '#edge/profiles/decode.ts';
import { decodeCjt188 } from '#edge/profiles/decode-cjt188.ts';
import type { MeterQuestion, MeterTalk } from '../meter-session.ts';
import type { Bus } from '../ports/bus.ts';
import type { WriteOutcome } from '../read-back.ts';
import type { Cjt188Config } from './config.ts';
import { anyMeter } from './config.ts';
import { failureOf } from './errors.ts';
import type { Answer, Asked, Exchange } from './exchange.ts';
import { readExchange } from './exchange.ts';

interface Item {
  readonly point: Point;
  readonly address: Cjt188Address;
}

/** One answer brings everything of an identifier. */
export interface Read extends MeterQuestion {
  readonly di: string;
  readonly items: readonly Item[];
}

export interface Cjt188TalkOptions {
  readonly device: Device;
  readonly config: Cjt188Config;
  /** How the profile says that the meter is asked. */
  readonly asked: Omit<Asked, 'meter'>;
  readonly label: string;
  readonly bus: Pick<Bus, 'isShared' | 'noteSerial'>;
  /** One exchange on the line, in its turn; resolves with the answer's frame. */
  readonly request: (exchange: Exchange<Answer>, signal: AbortSignal) => Promise<Buffer>;
}

/** One CJ/T 188-2004 meter of water, gas, heat or cold. */
export class Cjt188Talk implements MeterTalk<Read> {
  readonly #options: Cjt188TalkOptions;
  readonly #items: ReadonlyMap<PointName, Item>;
  #meter: string;
  #serial = 0;

  constructor(options: Cjt188TalkOptions) {
    this.#options = options;
    const items = options.device.points.map((point): Item => ({ point, address: parseCjt188Address(point.address) }));
    this.#items = new Map(items.map((item) => [item.point.name, item]));
    this.#meter = options.config.meter;
  }

  get label(): string {
    const meter = this.#meter === anyMeter ? 'of unknown number' : this.#meter;
    return `meter ${meter} at ${this.#options.label}`;
  }

  plan(points: readonly Point[]): readonly Read[] {
    const byIdentifier = new Map<string, Item[]>();
    for (const item of points.flatMap(({ name }) => this.#items.get(name) ?? [])) {
      byIdentifier.set(item.address.di, [...(byIdentifier.get(item.address.di) ?? []), item]);
    }
    return [...byIdentifier].map(([di, items]) => ({ di, items, points: items.map(({ point }) => point) }));
  }

  async ask(read: Read, signal: AbortSignal): Promise<ReadonlyMap<PointName, Decoded>> {
    const { asked, request } = this.#options;
    this.#serial = (this.#serial % 255) + 1;
    const expected = Math.max(...read.items.map(({ address }) => address.at + address.length + 1));
    const exchange = readExchange({ ...asked, meter: this.#meter }, read.di, this.#serial, expected);
    const { meter, data } = exchange.parse(await request(exchange, signal));
    // Whoever answered to "anybody" is asked by its number from now on.
    this.#meter = meter;
    return new Map(read.items.map(({ point, address }) => [point.name, decodeCjt188(address, data, point.range)]));
  }

  instead(): readonly Read[] {
    return [];
  }

  failureOf = failureOf;

  lost(): void {
    this.#meter = this.#options.config.meter;
  }

  isShared(): boolean {
    return this.#options.bus.isShared(this.#meter);
  }

  identify(serial: string): void {
    this.#options.bus.noteSerial(this.#meter, serial);
  }

  async write(_point: Point | undefined, command: Command): Promise<WriteOutcome> {
    return { outcome: 'refused', message: `there is no output ${command.point} on this meter` };
  }
}
