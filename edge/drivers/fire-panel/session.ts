import type { Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Session, Sink } from '../driver.ts';
import type { BytePort, PortSource } from '../ports/port.ts';
import type { FirePanelConfig } from './config.ts';
import { type PanelRecord, PanelText } from './panel-text.ts';
import type { PanelEvent } from './panel-words.ts';

export interface FirePanelOptions {
  readonly config: FirePanelConfig;
  readonly source: PortSource;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A record whose end the panel does not mark is whole after so long without a byte, ms. */
const restAfter = 1_000;
const openPatience = 5_000;
/** So many lines in a row that are no text: the line is set wrongly. */
const mostGarbage = 5;

/** What a point says. `known`: since the line was opened the panel has said so itself. */
interface Said {
  readonly value: boolean | string;
  readonly known: boolean;
}

/**
 * One panel. `alarm` is true from the first line that says fire until the panel says that it was reset; a line that is lost takes
 * nothing back. After a start nobody knows what the panel had printed before: until it speaks, `alarm` is false and uncertain.
 */
export class FirePanelSession implements Session {
  readonly #options: FirePanelOptions;
  readonly #said = new Map<string, Said>();
  readonly #done: Promise<void>;
  readonly #ending = new AbortController();
  #port: BytePort | null = null;
  #why = 'the line was not opened yet';
  #garbage = 0;
  #heard: number;
  #health = '';

  constructor(options: FirePanelOptions) {
    this.#options = options;
    this.#heard = options.clock.monotonic();
    this.#forget();
    const signal = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#done = this.#keepOpen(signal);
  }

  async read(points: readonly Point[]): Promise<readonly Sample[]> {
    const { quietFor } = this.#options.config;
    if (quietFor !== undefined && this.#port !== null && this.#options.clock.monotonic() - this.#heard > quietFor) {
      this.#say('degraded', 'the panel has printed nothing for longer than it ever should');
    }
    return points.map(({ name }) => this.#sampleOf(name));
  }

  #sampleOf(point: PointName): Sample {
    const said = this.#said.get(point);
    if (said === undefined) return { point, value: null, quality: 'bad', reason: 'configuration-error' };
    if (this.#port === null) return { point, value: null, quality: 'bad', reason: 'no-communication' };
    if (this.#garbage >= mostGarbage) return { point, value: null, quality: 'bad', reason: 'communication-error' };
    if (this.#isTooQuiet()) return { point, value: said.value, quality: 'uncertain', reason: 'last-usable-value' };
    return said.known
      ? { point, value: said.value, quality: 'good' }
      : { point, value: said.value, quality: 'uncertain', reason: 'last-usable-value' };
  }

  #isTooQuiet(): boolean {
    const { quietFor } = this.#options.config;
    return quietFor !== undefined && this.#options.clock.monotonic() - this.#heard > quietFor;
  }

  #forget(): void {
    for (const point of ['alarm', 'fault', 'disabled']) this.#said.set(point, { value: false, known: false });
    this.#said.set('last', { value: '', known: false });
  }

  async #keepOpen(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ first: 500, cap: 30_000 });
    while (!signal.aborted) {
      try {
        const ended = await this.#listen(signal, () => backoff.reset());
        this.#why = ended;
      } catch (error) {
        this.#why = messageOf(error);
      }
      this.#port = null;
      if (signal.aborted) return;
      this.#options.sink.count('reconnect');
      this.#say('offline', this.#why);
      this.#tell();
      await delay(backoff.next(), signal).catch(() => {});
    }
  }

  /** Until the line ends; what ended it. */
  async #listen(signal: AbortSignal, opened: () => void): Promise<string> {
    const { source, config } = this.#options;
    await using port = await source.open(openPatience, signal);
    const text = new PanelText({
      encoding: config.encoding,
      words: config.words,
      onEvent: (event) => this.#happen(event),
      onRecord: (record) => this.#record(record),
      onGarbage: () => this.#onGarbage(),
    });
    this.#port = port;
    this.#garbage = 0;
    this.#heard = this.#options.clock.monotonic();
    this.#say('online', `listens to ${source.label}`);
    this.#tell();
    let timer: NodeJS.Timeout | undefined;
    const closed = Promise.withResolvers<string>();
    const onAbort = () => closed.resolve('closed by us');
    signal.addEventListener('abort', onAbort, { once: true });
    port.listen({
      data: (bytes) => {
        opened();
        this.#heard = this.#options.clock.monotonic();
        clearTimeout(timer);
        text.push(bytes);
        timer = setTimeout(() => text.rest(), restAfter);
      },
      closed: closed.resolve,
    });
    const why = await closed.promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    text.rest();
    return why;
  }

  #happen(event: PanelEvent): void {
    this.#options.sink.count(event);
    this.#isText();
    const on = (point: string, value: boolean) => {
      this.#said.set(point, { value, known: true });
      this.#options.sink.sample(this.#sampleOf(point as PointName));
    };
    if (event === 'fire') on('alarm', true);
    if (event === 'fault') on('fault', true);
    if (event === 'disabled') on('disabled', true);
    // Only a reset ends an alarm: one detector that is quiet again does not say that the others are.
    if (event === 'reset') for (const point of ['alarm', 'fault', 'disabled']) on(point, false);
  }

  #record({ event, printed, part, text }: PanelRecord): void {
    const { sink, clock } = this.#options;
    this.#isText();
    this.#said.set('last', { value: [printed, part, text].filter((one) => one !== '').join(' '), known: true });
    sink.sample(this.#sampleOf('last' as PointName));
    const data = { what: event, part, text, printed };
    sink.event({ id: newHappeningId(clock), type: 'fire_panel', time: clock.now(), data });
  }

  #isText(): void {
    if (this.#garbage === 0) return;
    this.#garbage = 0;
    this.#say('online', `listens to ${this.#options.source.label}`);
  }

  #onGarbage(): void {
    this.#options.sink.count('garbage');
    if (++this.#garbage !== mostGarbage) return;
    this.#say('degraded', 'what comes is no text: check baud rate, parity and encoding');
    this.#tell();
  }

  #tell(): void {
    for (const point of this.#said.keys()) this.#options.sink.sample(this.#sampleOf(point as PointName));
  }

  #say(state: 'online' | 'offline' | 'degraded', message: string): void {
    if (this.#health === `${state} ${message}`) return;
    this.#health = `${state} ${message}`;
    this.#options.sink.health(state, message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#done;
  }
}
