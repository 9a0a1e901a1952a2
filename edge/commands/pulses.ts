import type { Bus } from '#edge/bus/bus.ts';
import { commandTopic } from '#edge/bus/topics.ts';
import type { DeviceId, PointName } from '#edge/domain/ids.ts';
import { type Command, type CommandResult, type Priority, priorities, sessionPoint } from '#edge/domain/output.ts';
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
  /**
   * At most one at a time for each button and value: who presses it meanwhile gets the same answer. `press` says with which value
   * (a preset, a direction), where the button takes more than one. Never rejects.
   */
  pulse(device: DeviceId, point: string, owner: string, reason: string, press?: PressWish): Promise<CommandResult>;
  /** False when the result is of no pulse. */
  onResult(result: CommandResult): boolean;
  /** Gives up on answers that did not come. */
  tick(): void;
  readonly counters: { readonly pulses: number };
}

export interface PressWish {
  readonly value?: Value;
  /** Default: automation. */
  readonly priority?: Priority;
}

/** Of one button, with different values; whoever turns a camera turns it again before it has answered. */
const mostPresses = 8;
const longestText = 64;

interface Button {
  readonly device: DeviceId;
  readonly point: PointName;
  readonly process: string;
  /** What it is pressed with when nothing is said. */
  readonly value: Value;
  /** It takes no other. */
  readonly isFixed: boolean;
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
  /** By the id of their command; a few for each button that the campus has. */
  const presses = new Map<string, Press>();
  const pressesOf = (button: Button): readonly Press[] =>
    [...presses.values()].filter((press) => press.button === button);
  let pulses = 0;

  const conclude = (
    press: Press,
    outcome: CommandResult['outcome'],
    more: Pick<CommandResult, 'message' | 'value'>,
  ) => {
    const { button, command } = press;
    const { id, device, point } = command;
    const result: CommandResult = { id, device, point, outcome, ...more, time: clock.now() };
    presses.delete(id);
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
  const send = (button: Button, owner: string, reason: string, wish: Required<PressWish>): Press => {
    const { device, point, process, within } = button;
    const { value, priority } = wish;
    const now = clock.now();
    const id = newHappeningId(clock);
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
    presses.set(id, press);
    pulses++;
    recorder.audit({
      time: now,
      who: owner,
      from: 'core',
      what: `command ${device}/${point}=${JSON.stringify(value)}`,
      why: reason,
      result: `sent to ${process}`,
    });
    const failed = (error: unknown) => {
      if (presses.get(id) !== press) return;
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
    pulse: (device, point, owner, reason, press = {}) => {
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
      const { value = button.value, priority = priorities.automation } = press;
      const wrong = whyNotPressed(button, value);
      if (wrong !== null) return no('refused', `"${key}" ${wrong}`);
      const running = pressesOf(button);
      const same = running.find(({ command }) => command.value === value);
      if (same !== undefined) return same.answer.promise;
      // Whoever presses all day keeps the one-key alarm from nothing.
      if (running.length >= mostPresses && priority > priorities.critical)
        return no('refused', `"${key}" was pressed ${mostPresses} times and has not answered`);
      if (!isReady(button.process)) return no('failed', `the process ${button.process} is not there`);
      return send(button, owner, reason, { value, priority }).answer.promise;
    },
    onResult: ({ id, device, point, outcome, message, value }) => {
      const press = presses.get(id);
      if (press?.command.device !== device || press.command.point !== point) return false;
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

function whyNotPressed({ value: usual, isFixed }: Button, value: Value): string | null {
  if (isFixed) return value === usual ? null : `is pressed with ${JSON.stringify(usual)} and nothing else`;
  if (typeof value === 'boolean') return 'must be told what to do';
  return typeof value === 'string' && (value === '' || value.length > longestText)
    ? `takes 1 to ${longestText} characters`
    : null;
}

/** Points that profiles call momentary, and the session of every device that a driver process runs. */
function buttonsOf(points: readonly OutputPoint[]): ReadonlyMap<string, Button> {
  const buttons = new Map<string, Button>();
  for (const { device, point, process } of points) {
    const session = { device: device.id, point: sessionPoint as PointName, process };
    buttons.set(`${device.id}/${sessionPoint}`, { ...session, value: 'reopen', isFixed: true, within: reopenWithin });
    if (point.write?.momentary !== true) continue;
    const within = point.write.verifyWithin;
    const own = { device: device.id, point: point.name, process, within };
    buttons.set(`${device.id}/${point.name}`, { ...own, value: true, isFixed: point.type === 'boolean' });
  }
  return buttons;
}
