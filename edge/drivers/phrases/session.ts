import type { Device, Point, ValueType } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import { type PhraseAddress, type Pieces, parsePhraseAddress, placed } from '#edge/profiles/phrases-address.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Session, Sink } from '../driver.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import type { PhrasesConfig } from './config.ts';
import { sayOverHttp } from './http-way.ts';
import type { Line } from './lines.ts';
import { bytesOf, pathOf, phraseFor } from './render.ts';
import { sayOverTcp } from './tcp-way.ts';

export interface PhrasesSessionOptions {
  readonly device: Device;
  readonly config: PhrasesConfig;
  readonly line: Line;
  readonly sink: Sink;
  readonly clock: Clock;
  /** Says something on a topic of its gateway. Rejects when nobody can be told now. */
  readonly tell: (topic: string, payload: Buffer) => Promise<void>;
  readonly signal: AbortSignal;
}

type Judged = Pick<Sample, 'value' | 'quality' | 'reason'>;

/** One device with a phrase book. */
export class PhrasesSession implements Session {
  readonly #options: PhrasesSessionOptions;
  readonly #addresses: ReadonlyMap<PointName, PhraseAddress>;
  readonly #at: string;
  #said = '';

  constructor(options: PhrasesSessionOptions) {
    this.#options = options;
    const { device, config } = options;
    this.#addresses = new Map(device.points.map(({ name, address }) => [name, parsePhraseAddress(address)]));
    this.#at = 'mqtt' in config ? config.mqtt : '';
    const wrong = [...this.#addresses.values()].find(({ way }) => !(way in config));
    if (wrong !== undefined)
      throw new CodedError(
        'DEVICE_CONFIG',
        `address: its profile is told over ${wrong.way}, so it must be {${wrong.way}: ...}`,
      );
    if (![...this.#addresses.values()].some(({ ask }) => ask !== null))
      this.#say('online', 'can be told; nothing says whether it hears');
  }

  async read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    const samples: Sample[] = [];
    for (const { name, type } of points) samples.push({ point: name, ...(await this.#look(name, type, signal)) });
    return samples;
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { id, device, point, value } = command;
    const { clock, sink } = this.#options;
    const outcome = await this.#write(command, signal);
    // Nobody has heard it: it is believed to have what it was told last.
    if (outcome.outcome === 'sent') sink.sample({ point, value, quality: 'uncertain', reason: 'last-usable-value' });
    else if (outcome.value !== undefined) sink.sample({ point, value: outcome.value, quality: 'good' });
    return { id, device, point, ...outcome, time: clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.line[Symbol.dispose]();
  }

  async #write({ point: name, value, expires }: Command, signal: AbortSignal): Promise<WriteOutcome> {
    const { device, clock, sink, line } = this.#options;
    const point = device.points.find((one) => one.name === name);
    const address = this.#addresses.get(name);
    if (point?.write === undefined || address === undefined)
      return { outcome: 'refused', message: `${name} cannot be written` };
    const phrase = phraseFor(address, value, this.#at);
    if ('refused' in phrase) return { outcome: 'refused', message: `${name}: ${phrase.refused}` };
    const expected = address.expect === null ? null : this.#bytes(address.expect, address);
    const said = await line.inTurn(async (): Promise<WriteOutcome> => {
      if (clock.now() > expires) return { outcome: 'expired', message: 'its time was over when its turn came' };
      try {
        await this.#tell(address, phrase.bytes, expected, signal);
        sink.count('sent');
        return expected === null ? { outcome: 'sent' } : { outcome: 'sent', message: 'it has understood' };
      } catch (error) {
        this.#hear(error);
        return { outcome: 'failed', message: messageOf(error) };
      }
    });
    if (said.outcome !== 'sent') return said;
    this.#say('online', address.ask === null ? 'can be told; nothing says whether it hears' : 'answers');
    if (address.ask === null) return said;
    return readBack({
      ...{ clock, signal: this.#both(signal), rule: point.write, wanted: value },
      read: () => line.inTurn(() => this.#ask(address, point.type, signal)),
      isSame: (now) => now === value,
      before: { outcome: 'failed', message: 'given up before it was read back' },
    });
  }

  async #tell(address: PhraseAddress, bytes: Buffer, expected: Buffer | null, ending: AbortSignal): Promise<void> {
    const { config, tell } = this.#options;
    const signal = this.#both(ending);
    if ('mqtt' in config) return tell(placed(address.where, this.#at), bytes);
    if ('tcp' in config) {
      const { tcp, timeout } = config;
      await sayOverTcp(bytes, expected === null ? [] : [expected], { ...tcp, timeout, signal });
      return;
    }
    const { http, username, password, timeout } = config;
    const { method, type, where } = address;
    const url = `${http.replace(/\/+$/, '')}${pathOf(where, bytes, password)}`;
    // Where it stands in the address it is not said twice.
    const shown = where.includes('{password}') ? undefined : password;
    await sayOverHttp(bytes, expected, { url, method, type, username, password: shown, timeout, signal });
  }

  async #look(name: PointName, type: ValueType, signal: AbortSignal): Promise<Judged> {
    const { sink, line } = this.#options;
    const address = this.#addresses.get(name);
    if (address === undefined || address.ask === null) return bad('configuration-error');
    try {
      const { value } = await line.inTurn(() => this.#ask(address, type, signal));
      sink.count('answer');
      this.#say('online', 'answers');
      return { value, quality: 'good' };
    } catch (error) {
      return bad(this.#hear(error));
    }
  }

  /** Throws PHRASES_* and PORT_*. */
  async #ask(address: PhraseAddress, type: ValueType, ending: AbortSignal): Promise<{ readonly value: Value }> {
    const { config } = this.#options;
    const { ask } = address;
    if (ask === null || !('tcp' in config)) throw new CodedError('PHRASES_OTHER', 'its state cannot be asked');
    const values = Object.keys(ask.is);
    const answers = values.map((value) => this.#bytes(ask.is[value] ?? [], address));
    const { tcp, timeout } = config;
    const found = await sayOverTcp(this.#bytes(ask.say, address), answers, {
      ...tcp,
      timeout,
      signal: this.#both(ending),
    });
    return { value: asValue(values[found] ?? '', type) };
  }

  /** Of what is written in the profile alone. */
  #bytes(pieces: Pieces, address: PhraseAddress): Buffer {
    const rendered = bytesOf(pieces, address, null, this.#at);
    if ('bytes' in rendered) return rendered.bytes;
    throw new CodedError('PROFILE_ADDRESS', rendered.refused);
  }

  #hear(error: unknown): 'no-communication' | 'communication-error' {
    const { sink } = this.#options;
    const isOther = codeOf(error) === 'PHRASES_OTHER';
    sink.count(isOther ? 'refused' : 'silence');
    this.#say(isOther ? 'degraded' : 'offline', messageOf(error));
    return isOther ? 'communication-error' : 'no-communication';
  }

  #say(state: 'online' | 'degraded' | 'offline', message: string): void {
    if (this.#said === state) return;
    this.#said = state;
    this.#options.sink.health(state, message);
  }

  #both(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#options.signal]);
  }
}

/** Keys of a profile are texts. */
function asValue(key: string, type: ValueType): Value {
  if (type === 'boolean') return key === 'true';
  return type === 'number' ? Number(key) : key;
}

function bad(reason: NonNullable<Sample['reason']>): Judged {
  return { value: null, quality: 'bad', reason };
}
