import type { Bus } from '#edge/bus/bus.ts';
import { outputTopic } from '#edge/bus/topics.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { CommandResult, Hold, OutputState, Request, RequestResult } from '#edge/domain/output.ts';
import { type AlarmDecision, type Decision, isHoldChange } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { recordedAgain, unrecordedAlarm } from './alarms.ts';
import { createDelivery } from './delivery.ts';
import { createFollow } from './follow.ts';
import { createInterlockHolds } from './interlock-holds.ts';
import { describeOutput, newOutput, type Output, type OutputPoint, recordedHolds } from './output.ts';
import { putHold } from './priority-array.ts';
import { createRecorder, type Recorder, type RecorderOptions, type Unrecorded } from './recorder.ts';
import { createRequests } from './requests.ts';

export interface CommandsOptions {
  /** Every point that can be written; others are passed over. */
  readonly points: readonly OutputPoint[];
  readonly bus: Bus;
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly restored: { readonly holds: readonly Hold[] };
  /** What the interlocks remember now: stored in one transaction with their holds, under `interlocks`. */
  readonly interlockState: () => unknown;
  /** Globs (`<device>/<point>`, `*` within a segment) of the points a client may request. */
  readonly requestGrants: (client: string) => readonly string[];
  /**
   * Sources `output:<ref>` and `store:acts`. Called between turns, never from within a call into `commands`. A return
   * of an alarm that is not open is meant to be ignored.
   */
  readonly onAlarms: (decisions: readonly AlarmDecision[]) => void;
  /** Acts that happened could not be recorded yet; its alarm comes through `onAlarms`. */
  readonly onUnrecorded: (failure: Unrecorded) => void;
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
   * Acts on the holds among the rules' decisions: the commands are published before this returns, and before their
   * record is begun, which happens in this turn too.
   */
  setInterlockHolds(decisions: readonly Decision[]): void;
  /** Once, after the first evaluation: drops restored interlock holds that no interlock stands for (`standingHolds`). */
  adoptInterlockHolds(standing: readonly { readonly owner: string; readonly ref: PointRef }[]): void;
  onResult(result: CommandResult): void;
  /** A driver process is there, or there anew: everything held through it is asserted again. */
  onProcessReady(process: string): void;
  /** Until it is ready again, only commands of priority 1 and 5 are sent to it. */
  onProcessStopped(process: string): void;
  /** A device is back: what is held on it is asserted again. */
  onDeviceOnline(device: DeviceId): void;
  /** Expiry, missing answers, retries, owed records. Call several times a second. */
  tick(): void;
  outputs(): OutputState[];
  readonly counters: Readonly<Record<string, number>>;
}

export function createCommands(options: CommandsOptions): Commands {
  const { clock, log } = options;
  const outputs = new Map<string, Output>();
  for (const place of options.points) {
    if (place.point.write === undefined) continue;
    const output = newOutput(place, place.point.write);
    outputs.set(output.ref, output);
  }
  const ready = new Set<string>();
  const onAlarm = betweenTurns(options.onAlarms);
  const recorder = createRecorder({
    append: options.append,
    clock,
    holdsOf: holdsFrom(outputs),
    interlockState: options.interlockState,
    onUnrecorded: (failure) => {
      log.error({ error: failure.error, what: failure.what }, 'acts could not be recorded');
      onAlarm(unrecordedAlarm(failure));
      options.onUnrecorded(failure);
    },
    onRecorded: () => onAlarm(recordedAgain()),
  });
  const state = createStatePublisher(options.bus, clock, log);
  const { publish } = state;
  const isReady = (process: string) => ready.has(process);
  const delivery = createDelivery({ bus: options.bus, clock, recorder, isReady, onAlarm, onConfirmed: publish });
  const follow = createFollow({ clock, recorder, delivery, publish, onAlarm });
  const interlocks = createInterlockHolds({ clock, recorder, follow, outputs, publish, onAlarm });
  const requests = createRequests({
    clock,
    recorder,
    grants: options.requestGrants,
    outputOf: (ref) => outputs.get(ref),
    onChanged: (output) => {
      follow.changed(output);
      publish(output);
    },
  });
  restore(options.restored.holds, outputs, recorder, clock);
  for (const output of outputs.values()) follow.begin(output);

  /** Runs a turn and writes down what it did. */
  const turn = (act: () => void) => {
    act();
    recorder.commit();
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
    request: requests.request,
    setInterlockHolds: (decisions) => interlocks.set(decisions.filter(isHoldChange)),
    adoptInterlockHolds: interlocks.adopt,
    onResult: (result) => turn(() => delivery.onResult(result)),
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
        for (const output of outputs.values()) delivery.deliver(output);
      });
      recorder.tick();
    },
    outputs: () => [...outputs.values()].map((output) => describeOutput(output, clock.now())),
    get counters() {
      const { failed, dropped, owed } = recorder.counters;
      const records = { recordsFailed: failed, recordsDropped: dropped, recordsOwed: owed };
      return { ...delivery.counters, ...requests.counters, ...state.counters, ...records };
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

function createStatePublisher(bus: Bus, clock: Clock, log: Log) {
  let unpublished = 0;
  return {
    publish: (output: Output) => {
      const failed = (error: unknown) => {
        unpublished++;
        log.warn({ ref: output.ref, error: messageOf(error) }, 'the state of an output was not published');
      };
      try {
        bus.publish(outputTopic(output.ref), describeOutput(output, clock.now()), { retain: true }).catch(failed);
      } catch (error) {
        failed(error);
      }
    },
    get counters() {
      return { unpublished };
    },
  };
}

function restore(holds: readonly Hold[], outputs: ReadonlyMap<string, Output>, recorder: Recorder, clock: Clock): void {
  for (const hold of holds) {
    const output = outputs.get(hold.ref);
    if (output !== undefined) {
      output.holds = putHold(output.holds, hold).holds;
      continue;
    }
    const what = `relinquish ${hold.ref}`;
    const why = 'there is no such output any more';
    recorder.holdsChanged(hold.ref);
    recorder.audit({ time: clock.now(), who: hold.owner, from: 'core', what, why, result: 'dropped at the start' });
  }
}
