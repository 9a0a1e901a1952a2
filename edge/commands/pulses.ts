import type { Bus } from '#edge/bus/bus.ts';
import { commandTopic } from '#edge/bus/topics.ts';
import type { DeviceId, PointName } from '#edge/domain/ids.ts';
import { type Command, type CommandResult, priorities, sessionPoint } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { commandLife, margin } from './delivery.ts';
import type { OutputPoint } from './output.ts';
import type { Recorder } from './recorder.ts';

/** Opening a session anew is slower than a write, ms. */
const reopenWithin = 15_000;

export interface PulsesOptions {
  readonly points: readonly OutputPoint[];
  readonly bus: Bus;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly isReady: (process: string) => boolean;
}

/** Commands that nothing stands behind: a push button is pressed once, and what came of it is answered. */
export interface Pulses {
  /** At most one at a time for each button: who presses it meanwhile gets the same answer. Never rejects. */
  pulse(device: DeviceId, point: string, owner: string, reason: string): Promise<CommandResult>;
  /** False when the result is of no pulse. */
  onResult(result: CommandResult): boolean;
  /** Gives up on answers that did not come. */
  tick(): void;
  readonly counters: { readonly pulses: number };
}

interface Button {
  readonly device: DeviceId;
  readonly point: PointName;
  readonly process: string;
  readonly value: Value;
  /** What the device may take, ms. */
  readonly within: number;
}

interface Press {
  readonly button: Button;
  readonly command: Command;
  /** Monotonic ms. */
  readonly deadline: number;
  readonly answer: PromiseWithResolvers<CommandResult>;
}

export function createPulses({ points, bus, clock, recorder, isReady }: PulsesOptions): Pulses {
  const buttons = buttonsOf(points);
  /** By button; as many as the campus has. */
  const presses = new Map<string, Press>();
  let pulses = 0;

  const conclude = (
    press: Press,
    outcome: CommandResult['outcome'],
    more: Pick<CommandResult, 'message' | 'value'>,
  ) => {
    const { button, command } = press;
    const { id, device, point } = command;
    const result: CommandResult = { id, device, point, outcome, ...more, time: clock.now() };
    presses.delete(`${device}/${point}`);
    recorder.command({ command, result });
    recorder.audit({
      time: result.time,
      who: `process:${button.process}`,
      from: button.process,
      what: `result ${device}/${point}`,
      why: `command ${id}`,
      result: result.message === undefined ? outcome : `${outcome}: ${result.message}`,
    });
    press.answer.resolve(result);
  };
  const send = (key: string, button: Button, owner: string, reason: string): Press => {
    const { device, point, value, process, within } = button;
    const now = clock.now();
    const id = newHappeningId(clock);
    const priority = priorities.automation;
    const command: Command = {
      id,
      device,
      point,
      value,
      priority,
      issued: now,
      expires: now + commandLife,
      until: null,
    };
    const deadline = clock.monotonic() + commandLife + within + margin;
    const press: Press = { button, command, deadline, answer: Promise.withResolvers() };
    presses.set(key, press);
    pulses++;
    recorder.audit({
      time: now,
      who: owner,
      from: 'core',
      what: `command ${key}=${JSON.stringify(value)}`,
      why: reason,
      result: `sent to ${process}`,
    });
    const failed = (error: unknown) => {
      if (presses.get(key) !== press) return;
      conclude(press, 'failed', { message: `it could not be sent: ${messageOf(error)}` });
      recorder.commit();
    };
    try {
      bus.publish(commandTopic(process), command).catch(failed);
    } catch (error) {
      queueMicrotask(() => failed(error));
    }
    return press;
  };
  const refuse = (device: DeviceId, point: string, owner: string, reason: string, result: CommandResult) => {
    const { time, outcome, message = '' } = result;
    const what = `command ${device}/${point}`;
    recorder.audit({ time, who: owner, from: 'core', what, why: reason, result: `${outcome}: ${message}` });
    return Promise.resolve(result);
  };

  return {
    pulse: (device, point, owner, reason) => {
      const key = `${device}/${point}`;
      const button = buttons.get(key);
      const no = (outcome: CommandResult['outcome'], message: string) =>
        refuse(device, point, owner, reason, {
          id: newHappeningId(clock),
          device,
          point: point as PointName,
          outcome,
          message,
          time: clock.now(),
        });
      if (button === undefined) return no('refused', `"${key}" is no button of this campus`);
      const running = presses.get(key);
      if (running !== undefined) return running.answer.promise;
      if (!isReady(button.process)) return no('failed', `the process ${button.process} is not there`);
      return send(key, button, owner, reason).answer.promise;
    },
    onResult: ({ id, device, point, outcome, message, value }) => {
      const press = presses.get(`${device}/${point}`);
      if (press?.command.id !== id) return false;
      conclude(press, outcome, {
        ...(message === undefined ? {} : { message }),
        ...(value === undefined ? {} : { value }),
      });
      return true;
    },
    tick: () => {
      const now = clock.monotonic();
      for (const press of presses.values()) {
        if (now < press.deadline) continue;
        const waited = commandLife + press.button.within + margin;
        conclude(press, 'failed', { message: `no answer from ${press.button.process} within ${waited} ms` });
      }
    },
    get counters() {
      return { pulses };
    },
  };
}

/** Points that profiles call momentary, and the session of every device that a driver process runs. */
function buttonsOf(points: readonly OutputPoint[]): ReadonlyMap<string, Button> {
  const buttons = new Map<string, Button>();
  for (const { device, point, process } of points) {
    const session = { device: device.id, point: sessionPoint as PointName, process };
    buttons.set(`${device.id}/${sessionPoint}`, { ...session, value: 'reopen', within: reopenWithin });
    if (point.write?.momentary !== true) continue;
    const within = point.write.verifyWithin;
    buttons.set(`${device.id}/${point.name}`, { device: device.id, point: point.name, process, value: true, within });
  }
  return buttons;
}
