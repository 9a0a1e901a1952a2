import type { Clock } from '#edge/runtime/clock.ts';
import { type AnswerTimer, answerTimer } from './answer-timer.ts';
import { BusError } from './bus-error.ts';
import type { Found, Link, LinkEvents, LinkKind, Question } from './link.ts';
import type { BytePort } from './port.ts';

/** More than two of the longest frames (256 bytes): older bytes of a noisy line are dropped. */
const maxBuffer = 1024;
/** Enough bytes for the answer, none of them valid, and silence for so long: it is not coming. Wi-Fi gateways pause 50 ms. */
const quietAfterGarbage = 120;
/** More than any frame has: noise lies before it. Then it is looked at now and then: a line that is never quiet must not cost much. */
const longestFrame = 300;
/** Least pause between two looks at a noisy line, ms, and how many times longer than a look it is. */
const lookPause = 5;
const lookShare = 15;
/** How long answers stay comparable; a doubled answer later than this was never seen. */
const twinWindow = 1_000;
const maxRecent = 256;
const maxUnanswered = 64;
/** Nobody answers later than this, ms. */
const lateAtMost = 30_000;
/** For so long after a timeout an answer to the same question is looked at twice: it may be the one that did not come, ms. */
const wary = 5_000;
const nothing = Buffer.alloc(0);

interface Pending {
  readonly question: Question;
  readonly sent: number;
  /** When it was sent last: a doubted answer has it asked once more. */
  asked: number;
  readonly timeout: number;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: BusError) => void;
  /** `no`: nothing odd so far. `doubted`: what came equals a recent answer. `asked`: so the request was sent once more. */
  again: 'no' | 'doubted' | 'asked';
  doubted: Buffer | null;
  /** An answer that may be that to an older question, and when it came: believed when no other one follows. */
  candidate: (Found & { readonly at: number }) | null;
  timer: AnswerTimer;
  extra: AnswerTimer | undefined;
}

interface Unanswered {
  readonly question: Question;
  readonly expired: number;
}

/**
 * Frames over a plain line of bytes, serial or TCP, one question at a time. Nothing there numbers the answers: an answer
 * proves only what its protocol repeats in it (Modbus RTU: unit, function and length). So the input is flushed before each
 * request, noise is skipped by the question's own scan, and where a question says that its answers are vague, an answer that
 * is byte for byte one that came moments ago is not believed: it may be a copy that a gateway sent twice (which would shift
 * every later answer by one) or a value that did not move. The request is sent once more, and two equal answers are the
 * value. Late answers are the bus's business: it holds the unit back.
 */
class StreamLink implements Link {
  readonly #port: BytePort;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  #buffer: Buffer = nothing;
  #look: NodeJS.Timeout | undefined;
  #lookNotBefore = 0;
  #pending: Pending | null = null;
  #ended = false;
  /** Accepted answers of the last moments, oldest first. */
  readonly #recent: { readonly frame: Buffer; readonly at: number }[] = [];
  /** Requests that timed out a moment ago: their late answers teach how long to hold a unit back. */
  readonly #unanswered: Unanswered[] = [];
  /** The question that was answered last, while a second answer to it would mean a second device. */
  #answered: { readonly question: Question; readonly at: number } | null = null;
  /** Smoothed answer time, ms; decides how long an answer may follow its forerunner's copy. */
  #latency = 20;

  constructor(port: BytePort, clock: Clock, events: LinkEvents) {
    this.#port = port;
    this.#clock = clock;
    this.#events = events;
    port.listen({ data: (bytes) => this.#receive(bytes), closed: (reason) => this.#end(reason) });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(question: Question): void {
    this.#flush();
    this.#port.write(question.request);
  }

  exchange(question: Question, timeout: number): Promise<Found> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new BusError('closed', 'the connection is closed'));
      this.#flush();
      const timer = this.#after(timeout, () => this.#expire(timeout));
      const sent = this.#clock.monotonic();
      this.#pending = {
        question,
        sent,
        asked: sent,
        timeout,
        resolve,
        reject,
        timer,
        again: 'no',
        doubted: null,
        candidate: null,
        extra: undefined,
      };
      this.#port.write(question.request);
    });
  }

  /** What has come is looked at before it counts as missing. */
  #after(ms: number, action: () => void): AnswerTimer {
    let isOff = false;
    const timer = answerTimer(this.#clock, ms, () => {
      if (this.#look !== undefined) this.#lookNow();
      if (!isOff) action();
    });
    return {
      cancel() {
        isOff = true;
        timer.cancel();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('closed by us');
    await this.#port[Symbol.asyncDispose]();
  }

  #flush(): void {
    if (this.#buffer.length > 0) this.#events.count('stray');
    this.#buffer = nothing;
  }

  #receive(bytes: Buffer): void {
    const all = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    this.#buffer = all.length > maxBuffer ? all.subarray(-maxBuffer) : all;
    if (this.#look !== undefined) return;
    const wait = this.#buffer.length > longestFrame ? this.#lookNotBefore - this.#clock.monotonic() : 0;
    if (wait > 0) this.#look = setTimeout(() => this.#lookNow(), wait);
    else this.#lookNow();
  }

  #lookNow(): void {
    clearTimeout(this.#look);
    this.#look = undefined;
    const began = this.#clock.monotonic();
    this.#takeAnswers();
    const ended = this.#clock.monotonic();
    this.#lookNotBefore = ended + Math.max(lookPause, lookShare * (ended - began));
  }

  #takeAnswers(): void {
    this.#learnLate();
    const pending = this.#pending;
    if (pending?.question.unit !== this.#answered?.question.unit) this.#hearSecond();
    if (pending === null) return;
    for (let found = this.#take(pending.question); found !== null; found = this.#take(pending.question)) {
      const isConfirmed = pending.again === 'asked' && pending.doubted?.equals(found.frame) === true;
      if (!isConfirmed && this.#isTwin(pending.question, found.frame)) this.#doubt(pending, found.frame);
      else if (this.#isSettledBy(pending, found)) return;
    }
    if (pending.again !== 'no' || pending.candidate !== null) return;
    pending.extra?.cancel();
    if (this.#recent.some(({ frame }) => frame.equals(this.#buffer))) this.#buffer = nothing;
    if (this.#buffer.length >= (pending.question.length ?? Number.POSITIVE_INFINITY)) {
      pending.extra = this.#after(quietAfterGarbage, () => this.#fail('crc', this.#whatCame(pending.question)));
    }
  }

  #take(question: Question): Found | null {
    if (this.#buffer.length === 0) return null;
    const found = question.find(this.#buffer);
    if (found !== null) this.#buffer = this.#buffer.subarray(found.consumed);
    return found;
  }

  /** A copy of an answer that names its question answers the same question: only the vague ones are dangerous. */
  #isTwin(question: Question, frame: Buffer): boolean {
    if (question.vague !== true) return false;
    const since = this.#clock.monotonic() - twinWindow;
    return this.#recent.some((known) => known.at > since && known.frame.equals(frame));
  }

  /**
   * Accepts an answer, unless the same question had none lately: then it may be that one, seconds late, and the true one follows.
   * With two answers neither is believed, and the question is asked once more: now nothing is outstanding.
   */
  #isSettledBy(pending: Pending, found: Found): boolean {
    const { question, candidate } = pending;
    const older = candidate !== null || question.vague === true ? this.#olderThan(question, found.frame) : undefined;
    if (older === undefined) {
      this.#accept(pending, found);
      return true;
    }
    const now = this.#clock.monotonic();
    pending.timer.cancel();
    if (candidate?.frame.equals(found.frame) === true) return false;
    pending.extra?.cancel();
    if (candidate === null) {
      const own = { ...found, frame: Buffer.from(found.frame), at: now };
      pending.candidate = own;
      pending.extra = this.#after(Math.min(500, Math.max(15, 1.5 * this.#latency)), () => this.#accept(pending, own));
      return false;
    }
    this.#unanswered.splice(this.#unanswered.indexOf(older), 1);
    this.#events.count('late');
    this.#events.late(question.unit, now - older.expired);
    pending.candidate = null;
    this.#askAgain(pending);
    return false;
  }

  /** A question of its unit that timed out lately and that this would answer as well. */
  #olderThan({ unit }: Question, frame: Buffer): Unanswered | undefined {
    const since = this.#clock.monotonic() - wary;
    return this.#unanswered.find(
      ({ question, expired }) => expired > since && question.unit === unit && question.find(frame) !== null,
    );
  }

  #askAgain(pending: Pending): void {
    pending.again = 'asked';
    pending.asked = this.#clock.monotonic();
    pending.timer.cancel();
    pending.timer = this.#after(pending.timeout, () => this.#expire(pending.timeout));
    this.#port.write(pending.question.request);
  }

  /** Gives the true answer a moment to follow its forerunner's copy, then asks again. */
  #doubt(pending: Pending, frame: Buffer): void {
    if (pending.again !== 'no' || pending.candidate !== null) return;
    pending.again = 'doubted';
    pending.doubted = frame;
    this.#events.count('doubted');
    pending.extra?.cancel();
    const patience = Math.min(100, Math.max(5, 1.5 * this.#latency));
    pending.extra = this.#after(patience, () => this.#askAgain(pending));
  }

  #accept(pending: Pending, found: Found): void {
    const now = this.#clock.monotonic();
    const { question, again, doubted, candidate } = pending;
    if (again === 'no') this.#latency += 0.2 * ((candidate?.at ?? now) - pending.sent - this.#latency);
    // Two questions, and this answers one of them: the other answer is still on its way, and would be in time for so long.
    else if (doubted !== null && !this.#isTwin(question, found.frame)) {
      this.#events.unsettled(question.unit, Math.max(0, pending.timeout - (now - pending.asked)));
    }
    this.#answered = again === 'asked' ? null : { question, at: now };
    this.#settle();
    this.#recent.push({ frame: Buffer.from(found.frame), at: now });
    while (this.#recent.length > maxRecent || (this.#recent[0]?.at ?? now) < now - twinWindow) this.#recent.shift();
    this.#hearSecond();
    pending.resolve(found);
  }

  /** Two answers to one question that are not copies: two devices use this id. */
  #hearSecond(): void {
    const answered = this.#answered;
    if (answered === null || this.#buffer.length === 0) return;
    if (this.#clock.monotonic() - answered.at > twinWindow) return;
    const { question } = answered;
    if (this.#unanswered.some((other) => other.question.unit === question.unit)) return;
    const second = question.find(this.#buffer);
    if (second === null || this.#recent.some(({ frame }) => frame.equals(second.frame))) return;
    this.#answered = null;
    this.#events.second(question.unit);
  }

  #expire(timeout: number): void {
    const pending = this.#pending;
    if (pending === null) return;
    const { question, again } = pending;
    const lost = { question, expired: this.#clock.monotonic() };
    // Asked twice: two answers may come yet.
    this.#unanswered.push(lost, ...(again === 'asked' ? [{ ...lost }] : []));
    while (this.#unanswered.length > maxUnanswered) this.#unanswered.shift();
    if (this.#buffer.length > 0) this.#fail('crc', this.#whatCame(question));
    else this.#fail('timeout', `unit ${question.unit} did not answer within ${timeout} ms (${question.what})`);
  }

  #whatCame({ unit, what }: Question): string {
    return `unit ${unit}: ${this.#buffer.length} bytes came, no valid answer among them (${what})`;
  }

  #learnLate(): void {
    if (this.#unanswered.length === 0) return;
    const now = this.#clock.monotonic();
    while ((this.#unanswered[0]?.expired ?? now) < now - lateAtMost) this.#unanswered.shift();
    // The unit's own open request may look the same: that is an answer, not a late one. And what equals an answer of the last
    // moments is a copy of it: taken for an old late answer it would have its unit, and all others, held back for ages.
    const index = this.#unanswered.findIndex(
      ({ question }) => this.#pending?.question.unit !== question.unit && this.#newsFor(question) !== null,
    );
    const [late] = index < 0 ? [] : this.#unanswered.splice(index, 1);
    if (late === undefined) return;
    this.#passOver(this.#newsFor(late.question)?.consumed ?? 0);
    // What lies in the buffer now is no second answer.
    if (this.#answered?.question.unit === late.question.unit) this.#answered = null;
    this.#events.count('late');
    this.#events.late(late.question.unit, now - late.expired);
  }

  #newsFor(question: Question): Found | null {
    const found = question.find(this.#buffer);
    return found === null || this.#recent.some(({ frame }) => frame.equals(found.frame)) ? null : found;
  }

  /** Whose bytes these are is known: they are no garbage in place of the answer that is waited for. */
  #passOver(bytes: number): void {
    if (this.#pending !== null && this.#pending.question.find(this.#buffer) !== null) return;
    this.#buffer = this.#buffer.subarray(bytes);
  }

  #settle(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    pending?.timer.cancel();
    pending?.extra?.cancel();
    return pending;
  }

  #fail(outcome: 'timeout' | 'crc' | 'closed', message: string): void {
    this.#settle()?.reject(new BusError(outcome, message));
  }

  #end(reason: string): void {
    this.#ended = true;
    clearTimeout(this.#look);
    this.#fail('closed', `the connection ended: ${reason}`);
  }
}

/** Frames that follow one another on a line without numbers: Modbus RTU, DL/T 645, CJ/T 188, together if need be. */
export const streamLink: LinkKind = {
  name: 'a serial line',
  numbered: false,
  open: (port, clock, events) => new StreamLink(port, clock, events),
};
