import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import { type Command, type CommandResult, priorities } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Session, Sink } from '../driver.ts';
import { readBack, type WriteOutcome } from '../read-back.ts';
import { type PjlinkConfig, passwordOf } from './config.ts';
import { type Conversation, converse, PjlinkError } from './conversation.ts';
import { type LampState, Later } from './later.ts';
import type { Turns } from './turns.ts';
import { errorOf, inputsWord, lampOf, type Meaning, meaningOf, sourcesOf, usualSource } from './words.ts';

export interface PjlinkSessionOptions {
  readonly device: Device;
  readonly config: PjlinkConfig;
  readonly sink: Sink;
  readonly clock: Clock;
  /** Whose lamp is struck next. */
  readonly turns: Turns;
  readonly signal: AbortSignal;
}

type Judged = Pick<Sample, 'value' | 'quality' | 'reason'>;

/** A password that was refused is not tried again by reading for so long, ms: it will not become right by itself. */
const heldFor = 600_000;

/** What a list of sources may take: the value of a point is bounded. */
const longestList = 240;
/** A command is void after 5 s: so long it may wait for its turn, ms. */
const longestTurn = 4_000;

/** One projector. Looks and commands take turns: most take one connection at a time. */
export class PjlinkSession implements Session {
  readonly #options: PjlinkSessionOptions;
  readonly #meanings: ReadonlyMap<PointName, Meaning>;
  readonly #later = new Later();
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
        const meaning = meaningOf(wordOf(address), options.config.inputs);
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
    const { device, clock, turns } = this.#options;
    const { point: name, value, expires, priority } = command;
    const point = device.points.find((one) => one.name === name);
    const meaning = this.#meanings.get(name);
    if (point?.write === undefined || meaning?.encode === undefined) {
      return { outcome: 'refused', message: `${name} cannot be written` };
    }
    const parameter = meaning.encode(value);
    if (parameter === null) return { outcome: 'refused', message: `${name} does not take ${JSON.stringify(value)}` };
    // Whatever was wanted of it before is not wanted any more.
    this.#later.drop(name);
    const isLamp = meaning.command === 'POWR';
    const left = expires - clock.now() - 500;
    if (isLamp && value === true && priority !== priorities.lifeSafety)
      await turns.take(Math.min(longestTurn, left), this.#both(signal));
    if (clock.now() > expires) return { outcome: 'expired', message: 'its time was over when its turn came' };
    try {
      const put = await this.#withProjector(signal, (talk) => this.#put(talk, meaning, parameter, value));
      if (put.later) return this.#defer(command, meaning, put.lamp);
      if (put.outcome !== null) return put.outcome;
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

  /** Tells it, and where it says "not now" asks what its lamp does. `outcome` null: it took it. */
  async #put(talk: Conversation, meaning: Meaning, parameter: string, value: Value): Promise<Put> {
    const answer = await talk.ask(meaning.command, parameter, meaning.level);
    if (answer.toUpperCase() === 'OK') return { later: false, outcome: null };
    const refusal = errorOf(answer);
    if (refusal === null)
      return { later: false, outcome: { outcome: 'failed', message: `it answers ${answer.slice(0, 40)}` } };
    const lamp = refusal.reason === 'held' ? lampOf(await talk.ask('POWR', '?', 1)) : null;
    if (lamp !== null && isForLater(meaning, value, lamp)) return { later: true, lamp };
    return { later: false, outcome: { outcome: 'failed', message: refusal.message } };
  }

  /** `sent`, not `done`: nothing proves it until the lamp is there; the next looks do it and tell what it came to. */
  #defer({ point, value, until }: Command, meaning: Meaning, lamp: LampState): WriteOutcome {
    this.#options.sink.count('deferred');
    const of = meaning.command === 'POWR' ? 'lamp' : 'picture';
    const isRest = of === 'picture' && value === meaning.rest && lamp !== 'warming';
    if (!isRest) this.#later.put({ point, value, of, until });
    return { outcome: 'sent', message: laterWords[isRest ? 'rest' : lamp] };
  }

  /** Does what has waited for the lamp. What is refused is tried again at the next look. */
  async #catchUp(talk: Conversation, lamp: LampState): Promise<void> {
    const { clock, sink } = this.#options;
    for (const { point, value } of this.#later.due(lamp, clock.now())) {
      const meaning = this.#meanings.get(point);
      const parameter = meaning?.encode?.(value) ?? null;
      if (meaning === undefined || parameter === null) continue;
      const answer = await talk.ask(meaning.command, parameter, meaning.level);
      const isDone = answer.toUpperCase() === 'OK';
      sink.count(isDone ? 'caught-up' : 'still-refused');
      if (isDone) this.#later.drop(point);
    }
  }

  async #askAll(talk: Conversation, points: readonly Point[]): Promise<Map<PointName, Judged>> {
    this.#level ??= (await talk.ask('CLSS', '?', 1)) === '2' ? 2 : 1;
    const answers = new Map<string, string>();
    if (this.#later.size > 0) {
      const lamp = lampOf(await talk.ask('POWR', '?', 1));
      if (lamp !== null) await this.#catchUp(talk, lamp);
    }
    const values = new Map<PointName, Judged>();
    for (const { name, address } of points) {
      if (wordOf(address) === inputsWord) {
        values.set(name, await this.#sources(talk, this.#level));
        continue;
      }
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

  /** `31 HDMI 1, 32 HDMI 2`: its codes, and what it calls them itself (class 2). */
  async #sources(talk: Conversation, level: 1 | 2): Promise<Judged> {
    const answer = await talk.ask('INST', '?', level);
    const refusal = errorOf(answer);
    if (refusal !== null) return bad(refusal.reason);
    const told: string[] = [];
    for (const code of sourcesOf(answer)) {
      const own = level === 2 ? await talk.ask('INNM', `?${code}`, 2) : '';
      told.push(`${code} ${own === '' || errorOf(own) !== null ? usualSource(code) : readable(own)}`);
    }
    return told.length === 0
      ? bad('communication-error')
      : { value: told.join(', ').slice(0, longestList), quality: 'good' };
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

type Put =
  | { readonly later: true; readonly lamp: LampState }
  | { readonly later: false; readonly outcome: WriteOutcome | null };

const laterWords: Readonly<Record<LampState | 'rest', string>> = {
  standby: 'it is off: done when it is on',
  warming: 'it is warming up: done when it is on',
  cooling: 'it is cooling down: done when it is through',
  on: 'it says "not now" although it is on: tried again at the next look',
  rest: 'it is off, and has this by itself when it comes on',
};

/** Not now, but soon. A lamp that is off is no reason to turn on something else, nor a failure. */
function isForLater({ command }: Meaning, value: Value, lamp: LampState): boolean {
  if (command !== 'POWR') return true;
  return value === true ? lamp === 'cooling' : lamp === 'warming';
}

/** Names of sources are UTF-8 of up to 128 bytes (4.17); the conversation reads bytes. */
function readable(name: string): string {
  return Buffer.from(name, 'latin1')
    .toString('utf8')
    .replaceAll(/[\p{C},]/gu, ' ')
    .trim()
    .slice(0, 40);
}

function bad(reason: NonNullable<Sample['reason']>): Judged {
  return { value: null, quality: 'bad', reason };
}

function wordOf(address: unknown): string {
  const at = typeof address === 'object' && address !== null && 'at' in address ? address.at : '';
  return typeof at === 'string' ? at : '';
}
