import type { Bus } from '#edge/bus/bus.ts';
import { commandTopic } from '#edge/bus/topics.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { failedAlarm, workingAgain } from './alarms.ts';
import { limitOf, strengthOf, type Wait } from './limits.ts';
import { doubt, hasLimits, learn, move } from './movement.ts';
import { type Flight, type Output, succeeded } from './output.ts';
import type { Recorder } from './recorder.ts';

/** A command that has not reached the device by then is void, ms. */
export const commandLife = 5_000;
/** A driver is told of a longer `until` this long before the one it knows ends, ms. */
const renewBefore = 10_000;
/** What the way back takes, ms. */
export const margin = 500;
const maxFlights = 4_096;
/** An output that had to be put back so many times in a row does not obey. */
export const maxDrifts = 3;

export interface DeliveryOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly isReady: (process: string) => boolean;
  /** The rules have had their first look since the start: what they forbid is known. Before that only life safety acts. */
  readonly isJudged: () => boolean;
  readonly onAlarm: (decision: AlarmDecision) => void;
  /** `confirmed` of this output has changed. */
  readonly onConfirmed: (output: Output) => void;
}

/** Brings what is wanted to the devices: sends, waits for the answer, tries again with back-off, gives alarm. */
export interface Delivery {
  /** Sends what is wanted if it is due. Publishes synchronously, before anything is awaited. */
  deliver(output: Output): void;
  /** Something else is wanted: forget the failures of what was wanted before. */
  renew(output: Output): void;
  /** Whatever is on its way does not count any more; it may still arrive. */
  forget(output: Output): void;
  /** Why what is wanted is not on its way; null when it is, or is confirmed, or nothing is wanted. */
  waitOf(output: Output): Wait | null;
  onResult(result: CommandResult): void;
  /** Gives up on answers that did not come. */
  tick(): void;
  readonly counters: { readonly sent: number; readonly strangeResults: number; readonly inFlight: number };
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { bus, clock, recorder, isReady, isJudged, onAlarm, onConfirmed } = options;
  const flights = new Map<string, Flight>();
  let sent = 0;
  let strangeResults = 0;

  const send = (output: Output, want: NonNullable<Output['want']>) => {
    const { device, point } = output.place;
    const now = clock.now();
    const { value, priority, until } = want;
    const id = newHappeningId(clock);
    const expires = now + commandLife;
    const command: Command = { id, device: device.id, point: point.name, value, priority, issued: now, expires, until };
    const deadline = clock.monotonic() + commandLife + output.rule.verifyWithin + margin;
    const flight: Flight = { command, output, deadline };
    output.flight = flight;
    output.lastSent = clock.monotonic();
    output.toldUntil = until;
    output.contrary = null;
    output.noted = null;
    if (move(output, value, clock.monotonic()) && hasLimits(output)) recorder.moved(output.ref);
    publish(flight);
    sent++;
    flights.set(command.id, flight);
    if (flights.size > maxFlights) forgetOldest();
    recorder.audit({
      time: now,
      who: want.owner ?? 'process:core',
      from: 'core',
      what: `command ${output.ref}=${JSON.stringify(value)}`,
      why: want.reason,
      result: `sent to ${output.place.process}`,
    });
  };
  const publish = (flight: Flight) => {
    const failed = (error: unknown) => settle(flight, 'failed', `it could not be sent: ${messageOf(error)}`);
    try {
      bus.publish(commandTopic(flight.output.place.process), flight.command).catch(failed);
    } catch (error) {
      // Not in this turn: `settle` may ask for a commit, and the acts of the turn come first.
      queueMicrotask(() => failed(error));
    }
  };
  const settle = ({ command }: Flight, outcome: CommandResult['outcome'], message: string) => {
    const { id, device, point } = command;
    conclude({ id, device, point, outcome, message, time: clock.now() });
    recorder.commit();
  };
  const forgetOldest = () => {
    for (const flight of flights.values()) {
      if (flight.output.flight === flight) continue;
      flights.delete(flight.command.id);
      return;
    }
  };

  const conclude = (result: CommandResult) => {
    const flight = flights.get(result.id);
    const isOurs = flight?.command.device === result.device && flight.command.point === result.point;
    if (flight === undefined || !isOurs) {
      strangeResults++;
      return;
    }
    flights.delete(result.id);
    const { output, command } = flight;
    recorder.command({ command, result });
    recorder.audit({
      time: result.time,
      who: `process:${output.place.process}`,
      from: output.place.process,
      what: `result ${output.ref}=${JSON.stringify(command.value)}`,
      why: `command ${command.id}`,
      result: result.message === undefined ? result.outcome : `${result.outcome}: ${result.message}`,
    });
    // A newer command has overtaken this one: only its answer counts.
    if (output.flight !== flight) return;
    output.flight = null;
    const value = result.value ?? (succeeded(result.outcome) ? command.value : null);
    output.confirmed = { value, outcome: result.outcome, time: result.time };
    if (succeeded(result.outcome)) {
      learn(output, command.value, clock.monotonic());
      onSuccess(output, command);
    } else onFailure(output, command, result);
    onConfirmed(output);
  };
  const onSuccess = (output: Output, command: Command) => {
    output.pending = output.want !== null && !covers(command, output.want);
    output.failures = 0;
    output.backoff.reset();
    // What obeys and does not keep it is not well yet.
    if (output.alarmed !== false && output.drifts.count < maxDrifts) {
      onAlarm(workingAgain(output));
      output.alarmed = false;
    }
    deliver(output);
  };
  const onFailure = (output: Output, command: Command, result: CommandResult) => {
    output.failures++;
    output.pending = output.want !== null;
    output.notBefore = clock.monotonic() + output.backoff.next();
    // One failure may be a lost frame; a mismatch never is, and neither are two failures in a row.
    if (result.outcome !== 'mismatch' && output.failures < 2) return;
    if (output.alarmed !== true) onAlarm(failedAlarm(output, command, result));
    output.alarmed = true;
  };

  /** The first reason why it may not be sent now; null: it may. */
  const obstacle = (output: Output, want: NonNullable<Output['want']>): Wait | null => {
    if (strengthOf(want) !== priorities.lifeSafety && !isJudged()) return { for: 'device', until: null };
    // Life safety and critical commands do not wait for a process to say that it is there, nor life safety for a pause.
    if (want.priority > priorities.critical && !isReady(output.place.process)) return { for: 'device', until: null };
    const now = clock.monotonic();
    const limit = limitOf(output, want, now);
    if (limit !== null) return limit;
    const gap = want.priority === priorities.lifeSafety ? 0 : output.lastSent + output.rule.minGap;
    const due = Math.max(output.notBefore, gap);
    return now < due ? { for: 'device', until: due } : null;
  };
  const isDue = (output: Output, want: NonNullable<Output['want']>) => {
    if (output.flight !== null && covers(output.flight.command, want)) return false;
    return output.pending || mustTellUntil(output, clock.now());
  };
  const deliver = (output: Output) => {
    const { want } = output;
    if (want !== null && isDue(output, want) && obstacle(output, want) === null) send(output, want);
  };

  return {
    deliver,
    renew: (output) => {
      output.failures = 0;
      output.notBefore = 0;
      output.backoff.reset();
    },
    forget: (output) => {
      if (output.flight !== null) doubt(output, clock.monotonic());
      output.flight = null;
    },
    waitOf: (output) => {
      const { want, pending } = output;
      return want !== null && pending && isDue(output, want) ? obstacle(output, want) : null;
    },
    onResult: (result) => conclude(result),
    tick: () => {
      const now = clock.monotonic();
      for (const flight of flights.values()) {
        if (now < flight.deadline) continue;
        const waited = commandLife + flight.output.rule.verifyWithin + margin;
        const { id, device, point } = flight.command;
        const message = `no answer from ${flight.output.place.process} within ${waited} ms`;
        conclude({ id, device, point, outcome: 'failed', message, time: clock.now() });
      }
    },
    get counters() {
      return { sent, strangeResults, inFlight: flights.size };
    },
  };
}

/** Is the wish told by this command? The same clip at another priority is another class of sound, heard elsewhere. */
function covers(command: Command, want: NonNullable<Output['want']>): boolean {
  const isUrgent = want.priority <= priorities.critical && want.priority < command.priority;
  return command.value === want.value && !isUrgent;
}

/** The driver ends the output by itself at the `until` it knows: it must hear of a shorter one now, of a longer in time. */
function mustTellUntil({ want, toldUntil }: Output, now: number): boolean {
  if (want === null || toldUntil === undefined || want.until === toldUntil) return false;
  if (toldUntil === null) return true;
  if (want.until !== null && want.until < toldUntil) return true;
  return now >= toldUntil - renewBefore;
}
