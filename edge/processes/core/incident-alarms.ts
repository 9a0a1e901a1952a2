import type { Alarm } from '#edge/domain/alarm.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Name } from '#edge/domain/place.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { incidentEscalated, incidentSource } from './incident-words.ts';

export interface IncidentAlarmsOptions {
  readonly zoneName: (zone: ZoneId) => Name | undefined;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly openAlarms: () => ReadonlyMap<string, Alarm>;
  /** Somebody sees to it: the alarm need not call anybody else. */
  readonly acknowledge: (alarm: Alarm, who: string, note: string) => void;
}

/** The alarm over an escalated incident follows what people do. The one-key alarm has an alarm of its own. */
export class IncidentAlarms {
  readonly #options: IncidentAlarmsOptions;

  constructor(options: IncidentAlarmsOptions) {
    this.#options = options;
  }

  /** At the start: those that should stand and do not. */
  restore(open: readonly Incident[]): void {
    const alarms = this.#options.openAlarms();
    const silent = open.filter((one) => isAlarmed(one) && !alarms.has(incidentSource(one.id)));
    if (silent.length > 0) this.#options.decide(silent.map((one) => this.#alarmOf(one, 'it was escalated before')));
  }

  /** Its state has changed. */
  follow(before: Incident, incident: Incident, why: string): void {
    if (before.emergency !== null) return;
    const { decide, acknowledge, openAlarms } = this.#options;
    const source = incidentSource(incident.id);
    if (incident.state === 'escalated') {
      decide([this.#alarmOf(incident, why)]);
      return;
    }
    const open = openAlarms().get(source);
    if (open === undefined) return;
    const who = incident.course.at(-1)?.who ?? 'process:core';
    if (open.state === 'unacknowledged' && incident.state !== 'new') acknowledge(open, who, 'the incident was seen to');
    if (incident.state !== 'claimed') decide([{ kind: 'return', source, reason: `the incident is ${incident.state}` }]);
  }

  /** Its class is graver now. */
  graver(incident: Incident): void {
    if (!isAlarmed(incident)) return;
    // Between turns: whoever judges alarms may be the one who brought the event.
    queueMicrotask(() => this.#options.decide([this.#alarmOf(incident, 'it is graver now')]));
  }

  #alarmOf(incident: Incident, why: string): AlarmDecision {
    const zone = incident.zone === null ? undefined : this.#options.zoneName(incident.zone);
    return incidentEscalated(incident, zone, why === '' ? 'nobody has claimed it in time' : why);
  }
}

function isAlarmed({ state, emergency }: Incident): boolean {
  return state === 'escalated' && emergency === null;
}
