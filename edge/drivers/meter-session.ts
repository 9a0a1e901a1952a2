import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Reason, Sample } from '#edge/domain/reading.ts';
import type { Decoded } from '#edge/profiles/decode.ts';
import { noValue } from '#edge/profiles/decode.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Session, Sink } from './driver.ts';
import type { WriteOutcome } from './read-back.ts';

/** One question on the wire and the points that its answer brings. */
export interface MeterQuestion {
  readonly points: readonly Point[];
}

/** What a request came to, as far as the session has to know. */
export interface Failure {
  readonly reason: Reason;
  /** `refused`: the meter says that it has no such thing. `silent`: it was not heard. `fault`: anything else. */
  readonly kind: 'refused' | 'silent' | 'fault';
  /** Asking at once again may help. */
  readonly again: boolean;
}

/** What the protocol of a meter adds to its session. */
export interface MeterTalk<Q extends MeterQuestion> {
  /** Where it is, for messages. */
  readonly label: string;
  /** The fewest questions that bring these points. */
  plan(points: readonly Point[]): readonly Q[];
  /** Points that are not in the result were not in the answer. */
  ask(question: Q, signal: AbortSignal): Promise<ReadonlyMap<PointName, Decoded>>;
  /** Other questions for a refused one; none when there are none. Called once per refusal: it may remember. */
  instead(question: Q): readonly Q[];
  failureOf(error: unknown): Failure;
  write(point: Point | undefined, command: Command, signal: AbortSignal): Promise<WriteOutcome>;
  /** It was silent for long: another meter may stand there when it answers again. */
  lost(): void;
  /** Two meters answer to its number: nobody knows whose value is whose. */
  isShared(): boolean;
  /** The serial number it says it has. */
  identify(serial: string): void;
}

export interface MeterSessionOptions<Q extends MeterQuestion> {
  readonly device: Device;
  readonly talk: MeterTalk<Q>;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Gives the line back. */
  readonly release: () => Promise<void>;
}

/** A value the meter refuses is asked for again after a minute, then ever more rarely, at last once a day. */
const refusedFirst = 60_000;
const refusedCap = 86_400_000;
/** A meter heard this lately gets one second chance before its values turn bad. */
const recentlyHeard = 60_000;
/** One lost answer is no news. */
const silentReads = 2;
/** So often in a row, and it is no accident any more. */
const muteAfter = 3;
/** Name of the point that is the meter's serial number. */
const serialPoint = 'serial';

/** One polled meter that answers questions about a few values each: what is asked, what its silences and refusals mean. */
export class MeterSession<Q extends MeterQuestion> implements Session {
  readonly #options: MeterSessionOptions<Q>;
  readonly #refused = new Map<PointName, { until: number; pause: number; message: string }>();
  /** Monotonic time of the last write to a point: what was asked for before it says nothing about it. */
  readonly #written = new Map<PointName, number>();
  /** Monotonic time of the last question for a point: the longest waiting goes first. */
  readonly #asked = new Map<PointName, number>();
  /** Reads in a row in which a point brought silence, and others an answer. */
  readonly #mute = new Map<PointName, number>();
  #lastHeard = Number.NEGATIVE_INFINITY;
  #lastError: unknown;
  #silentReads = 0;
  #said = '';

  constructor(options: MeterSessionOptions<Q>) {
    this.#options = options;
  }

  async read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    const started = this.#now();
    const values = await this.#readPoints(points, AbortSignal.any([signal, this.#options.signal]));
    const { value: serial } = [...values].find(([name]) => name === serialPoint)?.[1] ?? {};
    if (typeof serial === 'string') this.#options.talk.identify(serial);
    this.#sayHealth(values);
    return points.flatMap(({ name }): Sample[] => {
      if ((this.#written.get(name) ?? Number.NEGATIVE_INFINITY) >= started) return [];
      // Given up before its turn came (32 meters at 2,400 baud take minutes to read in full): that is no news of it.
      if (signal.aborted && !values.has(name)) return [];
      return [this.#believed({ point: name, ...(values.get(name) ?? noValue('configuration-error')) })];
    });
  }

  async write(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { device, talk, sink, clock } = this.#options;
    const point = device.points.find(({ name }) => name === command.point);
    const outcome = await talk.write(point, command, AbortSignal.any([signal, this.#options.signal]));
    if (outcome.value !== undefined) {
      // The read-back is news: the reading follows the output at once, not at the next poll.
      this.#written.set(command.point, this.#now());
      sink.sample(this.#believed({ point: command.point, value: outcome.value, quality: 'good' }));
    }
    return { id: command.id, device: command.device, point: command.point, ...outcome, time: clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.release();
  }

  async #readPoints(points: readonly Point[], signal: AbortSignal): Promise<Map<PointName, Decoded>> {
    const { talk } = this.#options;
    const values = new Map<PointName, Decoded>();
    const work = this.#inTurn(talk.plan(points.filter((point) => this.#mayAsk(point, values))));
    let isHeard = false;
    for (let question = work.shift(); question !== undefined && !signal.aborted; question = work.shift()) {
      for (const { name } of question.points) this.#asked.set(name, this.#now());
      try {
        const answer = await this.#askTwice(question, signal);
        isHeard = true;
        for (const { name } of question.points) {
          values.set(name, answer.get(name) ?? noValue('configuration-error'));
          this.#refused.delete(name);
          this.#mute.delete(name);
        }
      } catch (error) {
        if (signal.aborted) {
          for (const { name } of question.points) this.#asked.delete(name);
          break;
        }
        this.#lastError = error;
        const { kind, reason } = talk.failureOf(error);
        const isRefusal = kind === 'refused' || (kind === 'silent' && isHeard && this.#isMute(question));
        if (isRefusal) {
          const { others, aside } = this.#refuse(question, messageOf(error));
          work.unshift(...others);
          for (const { name } of aside) values.set(name, noValue('configuration-error'));
          continue;
        }
        // After one silence the rest of this meter is skipped: it would only cost the line one timeout each.
        const lost = kind === 'silent' ? [question, ...work.splice(0)] : [question];
        for (const { name } of lost.flatMap((one) => one.points)) values.set(name, noValue(reason));
      }
    }
    return values;
  }

  /** Some meters do not refuse what they do not have: they say nothing, while they answer to everything else. */
  #isMute({ points }: Q): boolean {
    const times = Math.max(...points.map(({ name }) => this.#mute.get(name) ?? 0)) + 1;
    for (const { name } of points) this.#mute.set(name, times);
    return times >= muteAfter;
  }

  /** On a slow line a read may be given up before its end: what was not reached then is asked for first now. */
  #inTurn(questions: readonly Q[]): Q[] {
    const since = ({ points }: Q) => Math.min(...points.map(({ name }) => this.#asked.get(name) ?? 0));
    return [...questions].sort((a, b) => since(a) - since(b));
  }

  #believed(sample: Sample): Sample {
    if (sample.quality !== 'good' || !this.#options.talk.isShared()) return sample;
    return { ...sample, quality: 'uncertain', reason: 'not-accurate' };
  }

  #mayAsk({ name }: Point, values: Map<PointName, Decoded>): boolean {
    const refused = this.#refused.get(name);
    if (refused === undefined || refused.until <= this.#now()) return true;
    values.set(name, noValue('configuration-error'));
    return false;
  }

  /** Other questions that may bring the same; points for which there are none are put aside for a while. */
  #refuse(question: Q, message: string): { readonly others: readonly Q[]; readonly aside: readonly Point[] } {
    const { talk, sink } = this.#options;
    const others = talk.instead(question);
    if (others.length > 0) sink.count('split');
    const hopeful = new Set(others.flatMap(({ points }) => points.map(({ name }) => name)));
    const aside = question.points.filter(({ name }) => !hopeful.has(name));
    for (const { name } of aside) {
      const before = this.#refused.get(name)?.pause ?? refusedFirst / 4;
      const pause = Math.min(refusedCap, before * 4);
      this.#refused.set(name, { until: this.#now() + pause, pause, message });
    }
    return { others, aside };
  }

  async #askTwice(question: Q, signal: AbortSignal): Promise<ReadonlyMap<PointName, Decoded>> {
    const { talk } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await talk.ask(question, signal);
        this.#lastHeard = this.#now();
        return answer;
      } catch (error) {
        const { again, kind } = talk.failureOf(error);
        if (kind === 'refused') this.#lastHeard = this.#now();
        const isRecent = this.#now() - this.#lastHeard < recentlyHeard;
        if (!again || attempt > 1 || signal.aborted || !isRecent) throw error;
      }
    }
  }

  #sayHealth(values: ReadonlyMap<PointName, Decoded>): void {
    const { talk } = this.#options;
    const decoded = [...values.values()];
    const isSilent = decoded.length > 0 && decoded.every((one) => one.reason === 'no-communication');
    this.#silentReads = isSilent ? this.#silentReads + 1 : 0;
    const refused = [...this.#refused.values()][0];
    if (isSilent) {
      if (this.#silentReads < silentReads) return;
      talk.lost();
      this.#say('offline', `${talk.label}: ${messageOf(this.#lastError)}`, codeOf(this.#lastError));
    } else if (decoded.some((one) => one.reason === 'communication-error')) {
      this.#say('degraded', messageOf(this.#lastError), codeOf(this.#lastError));
    } else if (talk.isShared()) {
      this.#say('degraded', 'two meters answer to this number: nobody knows whose value is whose', 'shared');
    } else if (refused !== undefined) {
      this.#say('degraded', `${this.#refused.size} values: ${refused.message}`, 'refused');
    } else if (decoded.length > 0) this.#say('online', 'answers', '');
  }

  /** A transition is a new state or a new kind of fault, not a new number in the message. */
  #say(state: 'online' | 'degraded' | 'offline', message: string, kind: string): void {
    const said = `${state} ${kind}`;
    if (said === this.#said) return;
    this.#said = said;
    this.#options.sink.health(state, message);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
