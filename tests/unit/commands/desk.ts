import type { Bus, PublishOptions } from '#edge/bus/bus.ts';
import { type Commands, createCommands } from '#edge/commands/commands.ts';
import type { OutputPoint } from '#edge/commands/output.ts';
import type { Unrecorded } from '#edge/commands/recorder.ts';
import type { Device, Point, ValueType, WriteRule } from '#edge/domain/device.ts';
import type { DeviceId, HappeningId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Hold, OutputState, Priority, Request } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type {
  AlarmDecision,
  ForbidDecision,
  HoldChange,
  HoldDecision,
  PermitDecision,
  RelinquishDecision,
} from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';

export const ref = (text: string) => text as PointRef;
export const started = Date.UTC(2026, 10, 23, 2, 0);

const rule: WriteRule = { verifyAfter: 50, verifyWithin: 1_000, minGap: 0, failSafe: 'keep' };

export function point(name: string, type: ValueType, write: Partial<WriteRule>): Point {
  return {
    name: name as PointName,
    label: { zh: name, en: name },
    type,
    unit: '',
    poll: 'watch',
    deadband: 0,
    staleAfter: 0,
    write: { ...rule, ...write },
    address: {},
  };
}

const { write: _, ...temperature } = point('temperature', 'number', {});

export function place(id: string, process: string, points: readonly Point[]): OutputPoint[] {
  const device: Device = {
    id: id as DeviceId,
    name: { zh: id, en: id },
    profile: 'test/any',
    protocol: 'test',
    zone: 'teaching' as ZoneId,
    points,
    address: {},
  };
  return points.map((each) => ({ device, point: each, process }));
}

/**
 * relay_1 keeps, relay_2 falls to false, relay_3 may change once in 10 s; a set point of 16 to 30 in halves; a speaker.
 */
const points: readonly OutputPoint[] = [
  ...place('relay-1', 'fieldbus', [
    point('relay_1', 'boolean', {}),
    point('relay_2', 'boolean', { failSafe: false }),
    point('relay_3', 'boolean', { minGap: 10_000 }),
  ]),
  ...place('ac-1', 'fieldbus', [point('setpoint', 'number', { min: 16, max: 30, step: 0.5 }), temperature]),
  ...place('speaker-gate', 'broadcast', [point('clip', 'text', { failSafe: '' })]),
];

export interface DeskOptions {
  readonly append?: (batch: Batch) => Promise<void>;
  readonly restored?: readonly Hold[];
  readonly publish?: (topic: string) => Promise<void>;
  readonly unready?: boolean;
  /** The rules have not had their first look yet. */
  readonly unjudged?: boolean;
  /** The store could not be read at the start. */
  readonly memoryLost?: boolean;
  readonly clock?: ManualClock;
  /** Instead of the usual ones. */
  readonly points?: readonly OutputPoint[];
  readonly state?: Readonly<Record<string, unknown>>;
}

/** `commands` with everything around it recorded: the bus, the disk and the alarms. */
export class Desk {
  readonly clock: ManualClock;
  readonly commands: Commands;
  /** What is on disk. */
  readonly batches: Batch[] = [];
  readonly sent: { readonly topic: string; readonly command: Command }[] = [];
  readonly states = new Map<string, OutputState>();
  readonly alarms: AlarmDecision[] = [];
  readonly unrecorded: Unrecorded[] = [];
  /** In the order they happened: `publish <topic>`, `append`. */
  readonly order: string[] = [];
  append: (batch: Batch) => Promise<void>;

  constructor(options: DeskOptions = {}) {
    this.clock = options.clock ?? new ManualClock(started);
    this.append = options.append ?? (() => Promise.resolve());
    const bus: Bus = {
      publish: (topic: string, payload: object | null, how?: PublishOptions) => {
        this.order.push(`publish ${topic}`);
        const copy: unknown = JSON.parse(JSON.stringify(payload));
        if (topic.startsWith('v1/command/')) this.sent.push({ topic, command: copy as Command });
        else if (how?.retain) this.states.set(topic.replace('v1/out/output/', ''), copy as OutputState);
        return options.publish?.(topic) ?? Promise.resolve();
      },
      subscribe: () => Promise.reject(new Error('commands subscribes to nothing')),
    };
    this.commands = createCommands({
      points: options.points ?? points,
      bus,
      append: async (batch) => {
        this.order.push('append');
        await this.append(batch);
        this.batches.push(batch);
      },
      clock: this.clock,
      log: silentLog,
      restored: { holds: options.restored ?? [], state: options.state ?? {} },
      requestGrants: (client) => {
        const flows = options.points === undefined ? ['relay-*/relay_*', 'ac-1/*'] : ['*/*'];
        return { web: ['*/*'], flows }[client] ?? [];
      },
      onAlarms: (decisions) => void this.alarms.push(...decisions),
      onUnrecorded: (failure) => void this.unrecorded.push(failure),
    });
    this.commands.start({ isMemoryWhole: options.memoryLost !== true });
    if (options.unjudged !== true) this.commands.adoptInterlockHolds(options.restored ?? []);
    if (options.unready !== true) {
      this.commands.onProcessReady('fieldbus');
      this.commands.onProcessReady('broadcast');
      this.#settleFailSafe();
    }
  }

  /** What nobody holds falls to its fail-safe value at the start; that is not what most tests are about. */
  #settleFailSafe(): void {
    const isRest = ({ command }: { command: Command }) => command.priority === 15;
    for (const { command } of this.sent.filter(isRest)) this.answer('done', { value: command.value }, command);
    this.sent.splice(0, this.sent.length, ...this.sent.filter((one) => !isRest(one)));
    this.order.length = 0;
  }

  ask(point: string, value: Value | null, more: Partial<Request> = {}) {
    const client = more.client ?? 'flows';
    return this.commands.request({
      id: newHappeningId(this.clock),
      client,
      ref: ref(point),
      value,
      priority: client === 'web' ? 8 : 12,
      seconds: 600,
      reason: 'room 101 is empty',
      time: this.clock.now(),
      ...more,
    });
  }

  interlock(...changes: HoldChange[]): void {
    this.commands.setInterlockHolds(changes);
  }

  /** What the device is read to have; null: its value cannot be used. */
  read(values: Readonly<Record<string, Value | null>>): void {
    const time = this.clock.now();
    this.commands.onReadings(
      Object.entries(values).map(([text, value]) => {
        const [device = '', name = ''] = text.split('/');
        const quality =
          value === null ? ({ quality: 'bad', reason: 'no-communication' } as const) : { quality: 'good' as const };
        const where = { ref: ref(text), device: device as DeviceId, point: name as PointName };
        return { ...where, value, unit: '', ...quality, sourceTime: time, receivedTime: time };
      }),
    );
  }

  /** Answers every command that was sent since the last call as a device does that obeys. */
  obey(): void {
    for (const { command } of this.sent.splice(0)) this.answer('done', { value: command.value }, command);
  }

  /** What on disk must survive a restart beside the holds, the newest of each name. */
  stateOnDisk(): Readonly<Record<string, unknown>> {
    return Object.assign({}, ...this.batches.map(({ state }) => state ?? {}));
  }

  get last(): Command {
    const sent = this.sent.at(-1);
    if (sent === undefined) throw new Error('no command was sent');
    return sent.command;
  }

  /** `relay-1/relay_1=true` for every command sent since the last call. */
  take(): string[] {
    return this.sent.splice(0).map(({ command: c }) => `${c.device}/${c.point}=${JSON.stringify(c.value)}`);
  }

  answer(outcome: CommandResult['outcome'], more: Partial<CommandResult> = {}, command = this.last): void {
    const { id, device, point } = command;
    this.commands.onResult({ id, device, point, outcome, time: this.clock.now(), ...more });
  }

  /** Time passes, with a tick each 250 ms as in core. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= 250) {
      this.clock.advance(Math.min(250, left));
      this.commands.tick();
      await this.settle();
    }
  }

  /** Lets promises that are already settled run on. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  state(point: string): OutputState {
    const state = this.states.get(point);
    if (state === undefined) throw new Error(`no state of ${point} was published`);
    return state;
  }

  /** What is on disk, as the last batch that named it says. */
  onDisk(point: string): readonly Hold[] | undefined {
    return this.batches.flatMap((batch) => batch.holds ?? []).findLast((entry) => entry.ref === point)?.holds;
  }

  audit(): string[] {
    return this.batches
      .flatMap((batch) => batch.audit ?? [])
      .map((line) => `${line.who} | ${line.what} | ${line.result}`);
  }
}

export function holdOf(point: string, value: Value, owner = 'interlock:fire', priority: Priority = 1): HoldDecision {
  const reason = 'smoke-101/smoke is true (good)';
  return { kind: 'hold', owner, ref: ref(point), value, priority, reason, lasts: null };
}

export function letGo(point: string, owner = 'interlock:fire'): RelinquishDecision {
  return { kind: 'relinquish', owner, ref: ref(point), reason: 'the cause is gone' };
}

export const never = () => new Promise<never>(() => {});

export function someId(text: string): HappeningId {
  return text as HappeningId;
}

export function forbidOf(
  point: string,
  value: Value,
  owner = 'interlock:leak',
  priority: Priority = 1,
): ForbidDecision {
  return { kind: 'forbid', owner, ref: ref(point), value, priority, reason: 'leak-kitchen/leak is true (good)' };
}

export function permitOf(point: string, owner = 'interlock:leak'): PermitDecision {
  return { kind: 'permit', owner, ref: ref(point), reason: 'the cause is gone' };
}
