import type { Bus } from '#edge/bus/bus.ts';
import { outputTopic } from '#edge/bus/topics.ts';
import { type DeviceId, type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { CommandResult, Hold, OutputState, Request, RequestResult } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { type AlarmDecision, type Decision, isHoldChange } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { recordedAgain, unrecordedAlarm } from './alarms.ts';
import { createByHand } from './by-hand.ts';
import { createClockSteps } from './clock-steps.ts';
import { createDelivery } from './delivery.ts';
import { describeOutput } from './describe.ts';
import { createFollow } from './follow.ts';
import { createInterlockHolds } from './interlock-holds.ts';
import { createTurns, type Wait } from './limits.ts';
import { movementState, restoredMovement, storedMovement } from './movement.ts';
import { newOutput, type Output, type OutputPoint, recordedHolds } from './output.ts';
import { createPulses, type PressWish } from './pulses.ts';
import { createRecorder, type RecorderOptions, type Unrecorded } from './recorder.ts';
import { createRequests } from './requests.ts';
import { restore } from './restore.ts';

/** Loads of one zone start so long after each other when their supply is back, ms. */
const staggerGap = 2_000;
/** A switch that is read to be turned must stay so for this long, ms. */
const localDebounce = 3_000;

export interface CommandsOptions {
  /** Every point that can be written; others are passed over. */
  readonly points: readonly OutputPoint[];
  readonly bus: Bus;
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly restored: { readonly holds: readonly Hold[]; readonly state?: Readonly<Record<string, unknown>> };
  /** Globs (`<device>/<point>`, `*` within a segment) of the points a client may request. */
  readonly requestGrants: (client: string) => readonly string[];
  /**
   * Sources `output:<ref>` and `store:acts`. Called between turns, never from within a call into `commands`. A return
   * of an alarm that is not open is meant to be ignored.
   */
  readonly onAlarms: (decisions: readonly AlarmDecision[]) => void;
  /** Acts that happened could not be recorded yet; its alarm comes through `onAlarms`. */
  readonly onUnrecorded: (failure: Unrecorded) => void;
  /** Something about an output changed: who holds it, perhaps. Called within a turn: only to be noted. */
  readonly onOutput?: (ref: PointRef) => void;
  /** Between two loads of a zone that start after a power cut, ms; default 2,000. */
  readonly staggerGap?: number;
  /** How long a switch must be read to be turned, ms; default 3,000. */
  readonly localDebounce?: number;
}

export interface Commands {
  /**
   * Once, when the bus is up: publishes every output's state, drops what expired meanwhile, and asserts fail-safe values
   * where nobody holds: the process may have ended between a release and its command. Not without `isMemoryWhole`
   * (default true): who does not know what was held must not silence it.
   */
  start(memory?: { readonly isMemoryWhole: boolean }): void;
  /** Answers after the commit. Never rejects; the same client and id again gets the same answer. */
  request(request: Request): Promise<RequestResult>;
  /**
   * Acts on the holds and forbids among the rules' decisions: the commands are published before this returns, and before their
   * record is begun, which happens in this turn too.
   */
  setInterlockHolds(decisions: readonly Decision[]): void;
  /**
   * Once, after the first evaluation: drops restored holds of rules that no rule stands for (`standing`). Until then nothing but
   * life safety acts, because what the rules forbid is not known yet.
   */
  adoptInterlockHolds(standing: readonly { readonly owner: string; readonly ref: PointRef }[]): void;
  /** What was read, in the turn in which it was heard: of outputs it tells whether somebody turned the switch. */
  onReadings(readings: readonly Reading[]): void;
  /**
   * Presses a button (`snapshot` of a camera; `driver-session` of any device: opens its session anew): a command behind which no
   * hold stands. One at a time for each; who asks meanwhile gets the same answer. Never rejects: without an answer of the device
   * within its time the outcome is `failed`, for what is no button `refused`.
   */
  pulse(device: DeviceId, point: string, owner: string, reason: string, press?: PressWish): Promise<CommandResult>;
  onResult(result: CommandResult): void;
  /** A driver process is there, or there anew: everything held through it is asserted again, loads in turn. */
  onProcessReady(process: string): void;
  /** Until it is ready again, only commands of priority 1 and 5 are sent to it. */
  onProcessStopped(process: string): void;
  /** A device is back: what is held on it is asserted again, loads in turn. */
  onDeviceOnline(device: DeviceId): void;
  /** Expiry, missing answers, retries, owed records. Call several times a second. */
  tick(): void;
  outputs(): OutputState[];
  /** Who holds an output now, in no order; [] also for what is no output. */
  holdsOn(ref: PointRef): readonly Hold[];
  /** What the device last said to a command, and how many of them failed in a row since. */
  toldOn(ref: PointRef): { readonly confirmed: OutputState['confirmed']; readonly failures: number };
  readonly counters: Readonly<Record<string, number>>;
}

export function createCommands(options: CommandsOptions): Commands {
  const { bus, clock, log } = options;
  const { holds: restoredHolds, state: restoredState = {} } = options.restored;
  const outputs = new Map<string, Output>();
  for (const place of options.points) {
    const rule = place.point.write;
    if (rule === undefined || rule.momentary === true) continue;
    const ref = pointRef(place.device.id, place.point.name);
    outputs.set(ref, newOutput(place, rule, restoredMovement(restoredState[movementState(ref)], clock)));
  }
  const ready = new Set<string>();
  const isReady = (process: string) => ready.has(process);
  let judged = false;
  const onAlarm = betweenTurns(options.onAlarms);
  const recorder = createRecorder({
    append: options.append,
    clock,
    holdsOf: holdsFrom(outputs),
    movementOf: movementFrom(outputs, clock),
    onUnrecorded: (failure) => {
      log.error({ error: failure.error, what: failure.what }, 'acts could not be recorded');
      onAlarm(unrecordedAlarm(failure));
      options.onUnrecorded(failure);
    },
    onRecorded: () => onAlarm(recordedAgain()),
  });
  const state = createStatePublisher(bus, log, (output) => describeOutput(output, delivery.waitOf(output), clock));
  const publish = (output: Output) => {
    output.toldWait = waitWord(delivery.waitOf(output));
    state.publish(output);
    options.onOutput?.(output.ref);
  };
  const delivery = createDelivery({
    bus,
    clock,
    recorder,
    isReady,
    isJudged: () => judged,
    onAlarm,
    onConfirmed: (output) => {
      byHand.confirmed(output);
      publish(output);
    },
  });
  const turns = createTurns(options.staggerGap ?? staggerGap);
  const follow = createFollow({ clock, recorder, delivery, turns, publish, onAlarm });
  const byHand = createByHand({
    clock,
    recorder,
    follow,
    outputs,
    turns,
    publish,
    onAlarm,
    debounce: options.localDebounce ?? localDebounce,
  });
  const interlocks = createInterlockHolds({ clock, recorder, follow, outputs, publish, onAlarm });
  const pulses = createPulses({ points: options.points, bus, clock, recorder, isReady });
  const steps = createClockSteps({ clock, recorder, outputs, publish });
  const requests = createRequests({
    clock,
    recorder,
    grants: options.requestGrants,
    outputOf: (ref) => outputs.get(ref),
    onChanged: (output) => {
      follow.changed(output);
      publish(output);
    },
    drop: follow.drop,
  });
  restore(restoredHolds, outputs, recorder, clock);
  for (const output of outputs.values()) follow.begin(output);

  /** Runs a turn and writes down what it did. */
  const turn = <T>(act: () => T): T => {
    steps.follow();
    const done = act();
    recorder.commit();
    return done;
  };
  return {
    start: ({ isMemoryWhole } = { isMemoryWhole: true }) =>
      turn(() => {
        for (const output of outputs.values()) {
          if (isMemoryWhole) follow.fallSafe(output);
          follow.calm(output);
          publish(output);
        }
        follow.expire(outputs.values());
      }),
    request: (request) => {
      steps.follow();
      return requests.request(request);
    },
    setInterlockHolds: (decisions) => {
      steps.follow();
      interlocks.set(decisions.filter(isHoldChange));
    },
    adoptInterlockHolds: (standing) =>
      turn(() => {
        judged = true;
        interlocks.adopt(standing);
        for (const output of outputs.values()) delivery.deliver(output);
      }),
    onReadings: (readings) => turn(() => byHand.hear(readings)),
    pulse: (device, point, owner, reason, press) => turn(() => pulses.pulse(device, point, owner, reason, press)),
    onResult: (result) =>
      turn(() => {
        if (!pulses.onResult(result)) delivery.onResult(result);
      }),
    onProcessReady: (process) => {
      ready.add(process);
      turn(() => follow.assertAgain([...outputs.values()].filter((output) => output.place.process === process)));
    },
    onProcessStopped: (process) => void ready.delete(process),
    onDeviceOnline: (device) =>
      turn(() => follow.assertAgain([...outputs.values()].filter((output) => output.place.device.id === device))),
    tick: () => {
      turn(() => {
        follow.expire(outputs.values());
        delivery.tick();
        pulses.tick();
        byHand.tick();
        for (const output of outputs.values()) {
          delivery.deliver(output);
          if (waitWord(delivery.waitOf(output)) !== output.toldWait) publish(output);
        }
      });
      recorder.tick();
    },
    toldOn: (ref) => {
      const { confirmed = null, failures = 0 } = outputs.get(ref) ?? {};
      return { confirmed, failures };
    },
    holdsOn: (ref) => outputs.get(ref)?.holds ?? [],
    outputs: () => [...outputs.values()].map((output) => describeOutput(output, delivery.waitOf(output), clock)),
    get counters() {
      const { failed, dropped, owed } = recorder.counters;
      const records = { recordsFailed: failed, recordsDropped: dropped, recordsOwed: owed };
      const acts = { ...delivery.counters, ...requests.counters, ...byHand.counters, ...pulses.counters };
      return { ...acts, ...state.counters, ...records };
    },
  };
}

/** Gathers alarm decisions and hands them over after the turn, so that whoever judges them is never called back within it. */
function betweenTurns(hand: (decisions: readonly AlarmDecision[]) => void): (decision: AlarmDecision) => void {
  let waiting: AlarmDecision[] = [];
  return (decision) => {
    if (waiting.push(decision) > 1) return;
    queueMicrotask(() => {
      const decisions = waiting;
      waiting = [];
      hand(decisions);
    });
  };
}

function holdsFrom(outputs: ReadonlyMap<string, Output>): RecorderOptions['holdsOf'] {
  return (ref) => {
    const output = outputs.get(ref);
    return output === undefined ? [] : recordedHolds(output);
  };
}

function createStatePublisher(bus: Bus, log: Log, describe: (output: Output) => OutputState) {
  let unpublished = 0;
  return {
    publish: (output: Output) => {
      const failed = (error: unknown) => {
        unpublished++;
        log.warn({ ref: output.ref, error: messageOf(error) }, 'the state of an output was not published');
      };
      try {
        bus.publish(outputTopic(output.ref), describe(output), { retain: true }).catch(failed);
      } catch (error) {
        failed(error);
      }
    },
    get counters() {
      return { unpublished };
    },
  };
}

function movementFrom(outputs: ReadonlyMap<string, Output>, clock: Clock): RecorderOptions['movementOf'] {
  return (ref) => {
    const output = outputs.get(ref);
    return output === undefined ? null : [movementState(ref), storedMovement(output, clock)];
  };
}

function waitWord(wait: Wait | null): string {
  return wait === null ? '' : `${wait.for} ${wait.until}`;
}
