import { TokenBucket } from '#edge/bus/admission.ts';
import type { Bus, Subscription } from '#edge/bus/bus.ts';
import {
  type AskMessage,
  type CalendarMessage,
  type Decoded,
  decodeAlarm,
  decodeAnswer,
  decodeCalendar,
  decodeCampusEvent,
  decodeOutputState,
  decodeReading,
  encodeAsk,
  encodeRequest,
} from '#edge/bus/codec.ts';
import {
  answerTopic,
  calendarTopic,
  campusEventTopic,
  filters,
  outputTopic,
  readingTopic,
  requestTopic,
} from '#edge/bus/topics.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import { isSlug, slugPattern } from '#edge/domain/ids.ts';
import { type OutputState, priorities, type RequestResult } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';

/** What a flow may wish for. Flows are automation: the priority is not theirs to choose. */
export interface Wish {
  readonly ref: PointRef;
  /** null takes the flows' hold back. */
  readonly value: Value | null;
  /** 1 to 86,400. */
  readonly seconds: number;
  readonly reason: string;
}

/** Which node asks: for the budget of its tab, and for whoever reads why. */
export interface Asker {
  readonly tab: string;
  /** `flow:<tab>/<node>` */
  readonly origin: string;
}

type WithoutOrigin<T> = T extends unknown ? Omit<T, 'origin' | 'id'> : never;
export type Ask = WithoutOrigin<AskMessage>;

/** The only door between flows and the campus: what is so comes out, what is wished for goes in. */
export interface Guest extends AsyncDisposable {
  /** The present readings of a pattern (`pir-*\/occupancy`, `*` within a segment), and each one that comes. */
  watch(pattern: string, onReading: (reading: Reading) => void): Promise<Subscription>;
  /** Each event of the type as it happens; '' is every type. */
  watchEvents(type: string, onEvent: (event: CampusEvent) => void): Promise<Subscription>;
  /** Open alarms as they are, and each change of one. */
  watchAlarms(onAlarm: (alarm: Alarm) => void): Promise<Subscription>;
  watchOutput(ref: PointRef, onOutput: (output: OutputState) => void): Promise<Subscription>;
  watchCalendar(onCalendar: (calendar: CalendarMessage) => void): Promise<Subscription>;
  /**
   * Resolves with core's answer, or with outcome `over-budget` when the asker's tab takes too much. Throws FLOWS_BUSY,
   * FLOWS_NO_ANSWER, FLOWS_REFUSED or BUS_AWAY.
   */
  request(wish: Wish, asker?: Asker): Promise<RequestResult>;
  /** The same for alarms and words for people. Reports of our own are of no tab. */
  ask(ask: Ask, asker: Asker): Promise<RequestResult>;
}

export interface GuestOptions {
  /** Connected as `client`. */
  readonly bus: Bus;
  readonly client: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Why a tab may not ask now; null: it may. */
  readonly budget?: (tab: string) => string | null;
  /** ms. */
  readonly answerTimeout?: number;
}

/** A flow in a loop must not fill the memory, nor core's disk: every request is committed and audited. */
const mostPending = 100;
const burst = 50;
const perSecond = 10;
/** Points whose last reading a watcher remembers, to tell a repeated one. */
const mostRemembered = 10_000;
const busTimeout = 10_000;

export async function openGuest(options: GuestOptions): Promise<Guest> {
  const { bus, client, clock, log, budget = () => null, answerTimeout = 10_000 } = options;
  const pending = new Map<string, PromiseWithResolvers<RequestResult>>();
  const tokens = new TokenBucket(perSecond, burst, clock);

  const answers = await within(
    busTimeout,
    'subscribing to the answers',
    bus.subscribe(answerTopic(client), (_topic, payload) => {
      const decoded = decodeAnswer(payload);
      if (!decoded.ok) {
        log.warn({ problem: decoded.message }, 'an answer could not be understood');
      } else if ('error' in decoded.value) {
        // A refusal of the broker names no request, and the connection is closed behind it: it concerns all of them.
        for (const { reject } of pending.values()) reject(new CodedError('FLOWS_REFUSED', decoded.value.message));
      } else {
        pending.get(decoded.value.id)?.resolve(decoded.value);
      }
    }),
  );

  async function send(id: HappeningId, payload: object, what: string): Promise<RequestResult> {
    if (pending.size >= mostPending) {
      throw new CodedError('FLOWS_BUSY', `${mostPending} requests wait for an answer; this one was not sent`);
    }
    if (tokens.available() < 1) {
      throw new CodedError('FLOWS_BUSY', `more than ${perSecond} requests a second; this one was not sent`);
    }
    tokens.spend(1);
    const waiter = Promise.withResolvers<RequestResult>();
    // Nobody may be waiting yet when a refusal comes.
    waiter.promise.catch(() => undefined);
    pending.set(id, waiter);
    try {
      await within(busTimeout, 'publishing the request', bus.publish(requestTopic(client), payload, { qos: 1 }));
      return await within(answerTimeout, `the answer to the request for ${what}`, waiter.promise);
    } catch (error) {
      if (error instanceof CodedError && error.code === 'TIMEOUT') {
        throw new CodedError('FLOWS_NO_ANSWER', error.message, { cause: error });
      }
      throw error;
    } finally {
      pending.delete(id);
    }
  }

  function overBudget(id: HappeningId, asker: Asker | undefined): RequestResult | null {
    const why = asker === undefined ? null : budget(asker.tab);
    if (why === null || asker === undefined) return null;
    return { id, accepted: false, outcome: 'over-budget', message: `${asker.origin}: ${why}` };
  }

  function listen<T>(
    filter: string,
    decodeOne: (payload: Uint8Array) => Decoded<T>,
    onOne: (one: T) => void,
  ): Promise<Subscription> {
    return within(
      busTimeout,
      `subscribing to ${filter}`,
      bus.subscribe(filter, (topic, payload) => {
        // An empty payload clears what was retained.
        if (payload.length === 0) return;
        const decoded = decodeOne(payload);
        if (decoded.ok) onOne(decoded.value);
        else log.warn({ topic, problem: decoded.message }, 'a message of core could not be understood');
      }),
    );
  }

  return {
    async watch(pattern, onReading) {
      const { filter, matches } = parsePattern(pattern);
      const heard = new Map<string, string>();
      return listen(filter, decodeReading, (reading) => {
        // Subscriptions that overlap, and a retained reading after a reconnect, bring the same one again.
        const print = `${reading.receivedTime} ${reading.quality} ${reading.value}`;
        if (!matches(reading.ref) || heard.get(reading.ref) === print) return;
        if (heard.size >= mostRemembered) heard.clear();
        heard.set(reading.ref, print);
        onReading(reading);
      });
    },

    async watchEvents(type, onEvent) {
      if (type !== '' && !isSlug(type)) throw new CodedError('FLOWS_PATTERN', `"${type}" is not a type of events`);
      return listen(type === '' ? filters.events : campusEventTopic(type), decodeCampusEvent, onEvent);
    },

    watchAlarms: (onAlarm) => {
      const heard = new Map<string, string>();
      return listen(filters.alarms, decodeAlarm, (alarm) => {
        const print = JSON.stringify(alarm);
        if (heard.get(alarm.id) === print) return;
        if (heard.size >= mostRemembered) heard.clear();
        if (alarm.state === 'normal') heard.delete(alarm.id);
        else heard.set(alarm.id, print);
        onAlarm(alarm);
      });
    },

    watchOutput: (ref, onOutput) => listen(outputTopic(ref), decodeOutputState, onOutput),
    watchCalendar: (onCalendar) => listen(calendarTopic, decodeCalendar, onCalendar),

    async request({ ref, value, seconds, reason }, asker) {
      const id = newHappeningId(clock);
      const refused = overBudget(id, asker);
      if (refused !== null) return refused;
      const origin = asker === undefined ? {} : { origin: asker.origin };
      const wish = { id, point: ref, value, priority: priorities.automation, seconds, reason, ...origin };
      return send(id, encodeRequest(wish), ref);
    },

    async ask(ask, asker) {
      const id = newHappeningId(clock);
      // Our own report of a tab that takes too much is not the tab's.
      const refused = ask.ask === 'report' ? null : overBudget(id, asker);
      if (refused !== null) return refused;
      return send(id, encodeAsk({ ...ask, id, origin: asker.origin }), ask.ask);
    },

    async [Symbol.asyncDispose]() {
      for (const { reject } of pending.values()) reject(new CodedError('FLOWS_STOPPING', 'flows are stopping'));
      await answers[Symbol.asyncDispose]();
    },
  };
}

/** The MQTT filter that brings at least what a pattern wants, and the test that lets no more through. */
export function parsePattern(pattern: string): { filter: string; matches: (ref: string) => boolean } {
  const segments = pattern.split('/');
  const isPattern = (segment: string) => segment === '*' || slugPattern.test(segment.replaceAll('*', 'a'));
  if (segments.length !== 2 || pattern.length > 127 || !segments.every(isPattern)) {
    throw new CodedError(
      'FLOWS_PATTERN',
      `"${pattern}" is not <device>/<point> (a-z, 0-9, _ and -; * within a segment)`,
    );
  }
  const filter = readingTopic(segments.map((segment) => (segment.includes('*') ? '+' : segment)).join('/') as PointRef);
  const expression = new RegExp(`^${segments.map((segment) => segment.replaceAll('*', '[^/]*')).join('/')}$`);
  return { filter, matches: (ref) => expression.test(ref) };
}

/** A test for words with `*` in them, several parted by commas; '' fits everything. */
export function parseGlobs(globs: string): (text: string) => boolean {
  const wanted = globs
    .split(',')
    .map((glob) => glob.trim())
    .filter((glob) => glob !== '')
    .slice(0, 64);
  if (wanted.length === 0) return () => true;
  const parts = wanted.map((glob) => glob.slice(0, 127).replace(/\*+/g, '*').split('*').map(escapePattern).join('.*'));
  const expression = new RegExp(`^(?:${parts.join('|')})$`);
  return (text) => expression.test(text);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
