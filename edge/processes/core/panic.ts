import type { Commands } from '#edge/commands/commands.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Device } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Incident, IncidentOutcome } from '#edge/domain/incident.ts';
import { priorities } from '#edge/domain/output.ts';
import type { InstanceView } from '#edge/rules/engine.ts';
import { emergencyType } from '#edge/rules/incident-groups.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { SitePanic } from '#edge/runtime/site-gatehouse.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { ClipDesk } from './clips.ts';
import type { IncidentDesk, IncidentPerson } from './incident-desk.ts';
import type { Judgement } from './judgement.ts';
import { buttonOfSource, panicRuleId } from './panic-rules.ts';

export interface PanicDeskOptions {
  readonly panic: SitePanic;
  readonly devices: readonly Device[];
  readonly incidents: Pick<IncidentDesk, 'emergency' | 'emergencyOf' | 'act'>;
  readonly clips: Pick<ClipDesk, 'emergency'>;
  readonly commands: () => Pick<Commands, 'pulse'>;
  readonly judgement: () => Pick<Judgement, 'reset' | 'acknowledge' | 'instances' | 'openAlarms'>;
  readonly commit: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}

export interface PanicView {
  readonly id: string;
  /** `faulty`: its line is broken, or nothing is heard of it. */
  readonly state: 'ready' | 'pressed' | 'faulty';
  /** ms; null: ready. */
  readonly since: number | null;
  readonly incident: string | null;
}

/** As many cameras look at one button; without any named, those of its zone. */
const mostCameras = 16;
const presetPoint = 'ptz_preset';
const picturePoint = 'snapshot';

/**
 * What follows when a one-key alarm is pressed, besides the sound and the alarm that its rule gives: cameras turn to it, what they see is
 * kept, and it is an incident that is escalated at once. Only a person with a reason ends it.
 */
export class PanicDesk {
  readonly #options: PanicDeskOptions;

  constructor(options: PanicDeskOptions) {
    this.#options = options;
  }

  /** Alarms as they go to disk. What a pressed button brings goes with them; the cameras are told in this turn. */
  hear(alarms: readonly Alarm[]): Pick<Batch, 'events' | 'incidents' | 'clips' | 'audit'> | null {
    const fresh = alarms.flatMap((alarm) => {
      const id = alarm.active ? buttonOfSource(alarm.source) : null;
      const button = this.#options.panic.find((one) => one.id === id);
      return button === undefined || this.#options.incidents.emergencyOf(button.id) !== undefined
        ? []
        : [this.#press(button, alarm)];
    });
    if (fresh.length === 0) return null;
    return {
      events: fresh.map(({ event }) => event),
      incidents: fresh.map(({ incident }) => incident),
      clips: fresh.flatMap(({ clips }) => clips),
      audit: fresh.map(({ line }) => line),
    };
  }

  #press(button: SitePanic[number], alarm: Alarm) {
    const { clock, clips, incidents } = this.#options;
    const time = clock.now();
    const cameras = this.#camerasOf(button);
    const owner = alarm.source;
    const reason = `one-key alarm ${button.id}`;
    for (const { device, preset } of cameras) {
      if (preset !== null) this.#tell(device, presetPoint, owner, reason, preset);
      this.#tell(device, picturePoint, owner, reason);
    }
    const device = splitPointRef(button.input)?.device;
    const event: CampusEvent = {
      id: newHappeningId(clock),
      type: emergencyType,
      ...(device === undefined ? {} : { device }),
      zone: button.zone,
      time,
      data: { panic: button.id },
    };
    const ids = cameras.map((camera) => camera.device);
    const incident = incidents.emergency(event, { id: button.id, cameras: ids });
    const line = {
      ...{ time, who: owner, from: 'core', what: `emergency ${button.id}`, why: (alarm.reason ?? '').slice(0, 300) },
      result: `incident ${incident.id}`,
    };
    return { event, incident, clips: clips.emergency(ids, time, incident.id), line };
  }

  /** Never waited for: what a camera answers is in the audit. */
  #tell(device: DeviceId, point: string, owner: string, reason: string, value?: string): void {
    const camera = this.#options.devices.find(({ id }) => id === device);
    if (camera?.points.some(({ name }) => name === point) !== true) return;
    const press = { priority: priorities.lifeSafety, ...(value === undefined ? {} : { value }) };
    void this.#options.commands().pulse(device, point, owner, reason, press);
  }

  #camerasOf(button: SitePanic[number]): readonly { readonly device: DeviceId; readonly preset: string | null }[] {
    if (button.cameras.length > 0) return button.cameras;
    return this.#options.devices
      .filter(({ protocol, zone }) => protocol === 'onvif' && zone === button.zone)
      .slice(0, mostCameras)
      .map(({ id }) => ({ device: id, preset: null }));
  }

  list(): readonly PanicView[] {
    const instances = new Map(
      this.#options
        .judgement()
        .instances()
        .map((one) => [one.instance, one]),
    );
    return this.#options.panic.map(({ id }): PanicView => {
      const rule = panicRuleId(id);
      const [alarm, line] = [instances.get(rule), instances.get(`${rule}.wire`)];
      const state = isFired(alarm) ? 'pressed' : isFired(line) ? 'faulty' : 'ready';
      const since = state === 'pressed' ? alarm?.since : line?.since;
      return {
        id,
        state,
        since: state === 'ready' ? null : (since ?? null),
        incident: this.#options.incidents.emergencyOf(id)?.id ?? null,
      };
    });
  }

  /**
   * A person ends it, by name and with a reason. Refused, with the reason, while the button is still pressed. Throws PANIC_NOT_FOUND,
   * FORBIDDEN (a program ends no emergency), what the store throws.
   */
  async reset(
    id: string,
    wish: { readonly outcome: IncidentOutcome; readonly reason: string },
    person: IncidentPerson,
  ): Promise<{ readonly reset: boolean; readonly message: string; readonly incident: Incident | null }> {
    const { panic, judgement, incidents, commit, clock } = this.#options;
    if (!panic.some((button) => button.id === id))
      throw new CodedError('PANIC_NOT_FOUND', `there is no one-key alarm "${id}"`);
    if (!person.who.startsWith('person:'))
      throw new CodedError('FORBIDDEN', 'only a person who has signed in ends a one-key alarm, not a token');
    const { outcome, verdict } = judgement().reset(panicRuleId(id), `ended by ${person.name}: ${wish.reason}`);
    const open = incidents.emergencyOf(id);
    const line = {
      ...{ time: clock.now(), who: person.who, from: person.from, what: `emergency.reset ${id}`, why: wish.reason },
      result: outcome.message,
    };
    const batch: Batch = { ...verdict, audit: [...(verdict.audit ?? []), line] };
    // Its cause still stands; where the rule knows of none, only what is left of it is tidied up.
    const stands = !outcome.reset && isFired(this.#instance(id));
    if (stands || open === undefined) {
      await commit(batch);
      return { reset: outcome.reset, message: outcome.message, incident: null };
    }
    const seen = this.#acknowledged(id, person, wish.reason);
    const alarms = [...(batch.alarms ?? []), ...(seen.alarms ?? [])];
    const act = { act: 'reset', outcome: wish.outcome, text: wish.reason } as const;
    const incident = await incidents.act(open.id, act, person, { ...batch, ...(alarms.length > 0 ? { alarms } : {}) });
    return { reset: true, message: outcome.message, incident };
  }

  /** Whoever ends it has seen it: its alarm needs nobody else. */
  #acknowledged(id: string, { who }: IncidentPerson, note: string): Pick<Batch, 'alarms'> {
    const judgement = this.#options.judgement();
    const alarm = judgement.openAlarms.get(`interlock:${panicRuleId(id)}`);
    if (alarm === undefined || alarm.acknowledged !== undefined) return {};
    const { verdict } = judgement.acknowledge(alarm.id, who.replace(/^person:/, ''), note);
    return verdict.alarms === undefined ? {} : { alarms: verdict.alarms };
  }

  #instance(id: string): InstanceView | undefined {
    const rule = panicRuleId(id);
    return this.#options
      .judgement()
      .instances()
      .find(({ instance }) => instance === rule);
  }
}

function isFired(instance: InstanceView | undefined): boolean {
  return instance?.fired === true;
}
