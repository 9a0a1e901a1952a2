import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Session, Sink } from '../driver.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import { type PjlinkConfig, passwordOf } from './config.ts';
import { type Conversation, converse, PjlinkError } from './conversation.ts';
import { errorOf, type Meaning, meaningOf } from './words.ts';

export interface PjlinkSessionOptions {
  readonly device: Device;
  readonly config: PjlinkConfig;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Judged = Pick<Sample, 'value' | 'quality' | 'reason'>;

/** A password that was refused is not tried again by reading for so long, ms: it will not become right by itself. */
const heldFor = 600_000;

/** One projector. Looks and commands take turns: most take one connection at a time. */
export class PjlinkSession implements Session {
  readonly #options: PjlinkSessionOptions;
  readonly #meanings: ReadonlyMap<PointName, Meaning>;
  #turn: Promise<unknown> = Promise.resolve();
  /** null: not asked yet. */
  #level: 1 | 2 | null = null;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #heldWith: string | null = null;
  #silentReads = 0;
  #said = '';

  constructor(options: PjlinkSessionOptions) {
    this.#options = options;
    this.#meanings = new Map(
      options.device.points.flatMap(({ name, address }) => {
        const meaning = meaningOf(wordOf(address));
        return meaning === undefined ? [] : [[name, meaning] as const];
      }),
    );
  }

  read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    return this.#inTurn(async () => {
      if (points.length === 0) return [];
      try {
        const answers = await this.#withProjector(signal, (talk) => this.#askAll(talk, points));
        this.#silentReads = 0;
        this.#options.sink.count('answer');
        this.#say('online', 'answers');
        return points.map(({ name }) => ({ point: name, ...(answers.get(name) ?? bad('configuration-error')) }));
      } catch (error) {
        const reason = this.#hear(error);
        return points.map(({ name }) => ({ point: name, ...bad(reason) }));
      }
    });
  }

  write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    return this.#inTurn(async () => {
      const outcome = await this.#write(command, signal);
      const { id, device, point } = command;
      const { clock, sink } = this.#options;
      if (outcome.value !== undefined) sink.sample({ point, value: outcome.value, quality: 'good' });
      return { id, device, point, ...outcome, time: clock.now() };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
  }

  async #write(command: Command, signal: AbortSignal): Promise<WriteOutcome> {
    const { device, clock } = this.#options;
    const { point: name, value, expires } = command;
    const point = device.points.find((one) => one.name === name);
    const meaning = this.#meanings.get(name);
    if (point?.write === undefined || meaning?.encode === undefined) {
      return { outcome: 'refused', message: `${name} cannot be written` };
    }
    const parameter = meaning.encode(value);
    if (parameter === null) return { outcome: 'refused', message: `${name} does not take ${JSON.stringify(value)}` };
    if (clock.now() > expires) return { outcome: 'expired', message: 'its time was over when its turn came' };
    try {
      const answer = await this.#withProjector(signal, (talk) => talk.ask(meaning.command, parameter, meaning.level));
      const refusal = errorOf(answer);
      if (refusal !== null) return { outcome: 'failed', message: refusal.message };
      if (answer.toUpperCase() !== 'OK') return { outcome: 'failed', message: `it answers ${answer.slice(0, 40)}` };
    } catch (error) {
      // After a silence it may have happened all the same: the read-back knows. A wrong password did nothing.
      if (codeOf(error) !== 'PJLINK_TIMEOUT') return { outcome: 'failed', message: messageOf(error) };
    }
    return readBack({
      ...{ clock, signal: this.#both(signal), rule: point.write, wanted: value },
      read: async () => ({
        value: meaning.decode(
          await this.#withProjector(signal, (talk) => talk.ask(meaning.command, '?', meaning.level)),
        ),
      }),
      isSame: (now) => now === value,
      before: { outcome: 'failed', message: 'given up before it was read back' },
    });
  }

  async #askAll(talk: Conversation, points: readonly Point[]): Promise<Map<PointName, Judged>> {
    this.#level ??= (await talk.ask('CLSS', '?', 1)) === '2' ? 2 : 1;
    const answers = new Map<string, string>();
    const values = new Map<PointName, Judged>();
    for (const { name } of points) {
      const meaning = this.#meanings.get(name);
      if (meaning === undefined || meaning.level > this.#level) continue;
      const key = `${meaning.level}${meaning.command}`;
      const answer = answers.get(key) ?? (await talk.ask(meaning.command, '?', meaning.level));
      answers.set(key, answer);
      const refusal = errorOf(answer);
      const value = refusal === null ? meaning.decode(answer) : null;
      if (value !== null) values.set(name, { value, quality: 'good' });
      else values.set(name, bad(refusal?.reason ?? 'communication-error'));
    }
    return values;
  }

  async #withProjector<T>(signal: AbortSignal, work: (talk: Conversation) => Promise<T>): Promise<T> {
    const { config, clock } = this.#options;
    const { host, port, timeout } = config;
    const password = await passwordOf(config);
    if (clock.monotonic() < this.#heldUntil && password === this.#heldWith) {
      throw new PjlinkError('PJLINK_HELD', 'the password was refused; it is not tried again until it is another');
    }
    try {
      await using talk = await converse({ host, port, password, timeout, signal: this.#both(signal) });
      return await work(talk);
    } catch (error) {
      if (codeOf(error) === 'PJLINK_AUTH') {
        this.#heldUntil = clock.monotonic() + heldFor;
        this.#heldWith = password;
      }
      throw error;
    }
  }

  #hear(error: unknown): 'no-communication' | 'communication-error' | 'held' | 'configuration-error' {
    const { sink } = this.#options;
    const code = codeOf(error);
    const why = messageOf(error);
    if (code === 'PJLINK_AUTH' || code === 'PJLINK_HELD') {
      sink.count('held');
      if (code === 'PJLINK_AUTH') this.#say('held', why);
      return 'held';
    }
    if (code === 'PJLINK_CONFIG') {
      this.#say('misconfigured', why);
      return 'configuration-error';
    }
    if (code === 'PJLINK_GARBLED') {
      sink.count('garbled');
      this.#say('degraded', why);
      return 'communication-error';
    }
    sink.count('silence');
    this.#silentReads++;
    // Somebody else may be talking to it: once is no news.
    if (this.#silentReads > 1) this.#say('offline', why);
    return 'no-communication';
  }

  #say(state: 'online' | 'degraded' | 'offline' | 'held' | 'misconfigured', message: string): void {
    if (this.#said === state) return;
    this.#said = state;
    this.#options.sink.health(state, message);
  }

  #both(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#options.signal]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function bad(reason: NonNullable<Sample['reason']>): Judged {
  return { value: null, quality: 'bad', reason };
}

function wordOf(address: unknown): string {
  const at = typeof address === 'object' && address !== null && 'at' in address ? address.at : '';
  return typeof at === 'string' ? at : '';
}
