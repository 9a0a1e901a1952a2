import type { Bus, Subscription } from '#edge/bus/bus.ts';
import { decodeAnswer, decodeReading, encodeRequest } from '#edge/bus/codec.ts';
import { answerTopic, readingTopic, requestTopic } from '#edge/bus/topics.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import { priorities, type RequestResult } from '#edge/domain/output.ts';
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

/** The only door between flows and the campus: readings out, requests in. */
export interface Guest extends AsyncDisposable {
  /** The present readings of a pattern (`pir-*\/occupancy`, `*` within a segment), and each one that comes. */
  watch(pattern: string, onReading: (reading: Reading) => void): Promise<Subscription>;
  /** Resolves with core's answer. Throws FLOWS_BUSY, FLOWS_NO_ANSWER, FLOWS_REFUSED or BUS_AWAY. */
  request(wish: Wish): Promise<RequestResult>;
}

export interface GuestOptions {
  /** Connected as `client`. */
  readonly bus: Bus;
  readonly client: string;
  readonly clock: Clock;
  readonly log: Log;
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

export async function openGuest({ bus, client, clock, log, answerTimeout = 10_000 }: GuestOptions): Promise<Guest> {
  const pending = new Map<string, PromiseWithResolvers<RequestResult>>();
  let tokens = burst;
  let filledAt = clock.monotonic();

  function takeToken(): boolean {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  }

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

  return {
    async watch(pattern, onReading) {
      const { filter, matches } = parsePattern(pattern);
      const heard = new Map<string, string>();
      return within(
        busTimeout,
        `subscribing to ${pattern}`,
        bus.subscribe(filter, (_topic, payload) => {
          const decoded = decodeReading(payload);
          if (!decoded.ok) {
            log.warn({ pattern, problem: decoded.message }, 'a reading could not be understood');
            return;
          }
          const reading = decoded.value;
          // Subscriptions that overlap, and a retained reading after a reconnect, bring the same one again.
          const print = `${reading.receivedTime} ${reading.quality} ${reading.value}`;
          if (!matches(reading.ref) || heard.get(reading.ref) === print) return;
          if (heard.size >= mostRemembered) heard.clear();
          heard.set(reading.ref, print);
          onReading(reading);
        }),
      );
    },

    async request({ ref, value, seconds, reason }) {
      if (pending.size >= mostPending) {
        throw new CodedError('FLOWS_BUSY', `${mostPending} requests wait for an answer; this one was not sent`);
      }
      if (!takeToken()) {
        throw new CodedError('FLOWS_BUSY', `more than ${perSecond} requests a second; this one was not sent`);
      }
      const id: HappeningId = newHappeningId(clock);
      const waiter = Promise.withResolvers<RequestResult>();
      // Nobody may be waiting yet when a refusal comes.
      waiter.promise.catch(() => undefined);
      pending.set(id, waiter);
      try {
        const message = encodeRequest({ id, point: ref, value, priority: priorities.automation, seconds, reason });
        await within(busTimeout, 'publishing the request', bus.publish(requestTopic(client), message, { qos: 1 }));
        return await within(answerTimeout, `the answer to the request for ${ref}`, waiter.promise);
      } catch (error) {
        if (error instanceof CodedError && error.code === 'TIMEOUT') {
          throw new CodedError('FLOWS_NO_ANSWER', error.message, { cause: error });
        }
        throw error;
      } finally {
        pending.delete(id);
      }
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
