import type { AuditLine } from '#edge/domain/audit.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { GroupingRule, Incident } from '#edge/domain/incident.ts';
import {
  type CompiledGrouping,
  compileGrouping,
  escalateAfter,
  isOver,
  openEmergency,
  placeEvent,
} from '#edge/rules/incident-groups.ts';
import { actOn, type IncidentAct, mergeIncidents } from '#edge/rules/incident-machine.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import { IncidentAlarms, type IncidentAlarmsOptions } from './incident-alarms.ts';
import { incidentBook, incidentState, memoryOf } from './incident-book.ts';
import { Unwritten } from './incident-unwritten.ts';

/** Whose act it is. */
export interface IncidentPerson {
  readonly who: string;
  readonly name: string;
  readonly from: string;
}

export interface IncidentDeskOptions extends IncidentAlarmsOptions {
  readonly rules: readonly GroupingRule[];
  /** Where a device is now. */
  readonly zoneOf: (device: DeviceId) => ZoneId | undefined;
  /** Whether a label of the calendar or a mode holds then. */
  readonly during: (label: string, time: number) => boolean;
  readonly reader: Pick<Reader, 'incidents' | 'incident' | 'events' | 'event' | 'newestEvents'>;
  /** What core remembers under `incidents`. */
  readonly stored: unknown;
  /** Stores, then tells; what the disk refuses is owed to it. */
  readonly commit: (batch: Batch) => Promise<void>;
  /** An incident is as it now is. */
  readonly onChange: (incident: Incident) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Incidents that nobody resolved, in memory; beyond it the oldest of the mildest are resolved by themselves, and that is said. */
export const mostOpen = 2_000;
/** Events that were stored and not yet grouped when core ended are taken up again, when they are no older than this, ms. */
const takeUpAge = 3_600_000;
const mostTakenUp = 5_000;
const core = 'process:core';

/** Makes incidents of events, in their turn and in their transaction, and lets people work on them. */
export class IncidentDesk {
  readonly #options: IncidentDeskOptions;
  readonly #rules: CompiledGrouping;
  readonly #book = incidentBook();
  /** When each is escalated, monotonic ms: a step of the wall clock hurries nothing. */
  readonly #due = new Map<string, number>();
  readonly #unwritten = new Unwritten();
  readonly #alarms: IncidentAlarms;
  #lastEvent: HappeningId | null;

  constructor(options: IncidentDeskOptions) {
    this.#options = options;
    this.#rules = compileGrouping(options.rules);
    this.#alarms = new IncidentAlarms(options);
    this.#lastEvent = memoryOf(options.stored);
    for (const incident of this.#stored()) this.#keep(incident, incident.escalatesAt);
  }

  get open(): readonly Incident[] {
    return this.#book.open();
  }

  isSource(source: string): boolean {
    return source.startsWith('incident:') && this.#book.isOpen(source.slice('incident:'.length));
  }

  /** After the first look of the rules: what was stored and not grouped, and alarms that should stand and do not. */
  begin(): void {
    const missed = this.#missed();
    const grown = this.hear(missed);
    this.#write(grown.incidents);
    this.#alarms.restore(this.open);
  }

  /**
   * Groups events, in the order in which they were heard. What has opened, or become graver, is to be stored with them: it is in the answer,
   * with all that has grown since the last write. What only grows is written within a second.
   */
  hear(events: readonly CampusEvent[]): {
    readonly incidents: readonly Incident[];
    readonly of: ReadonlyMap<string, HappeningId>;
  } {
    const of = new Map<string, HappeningId>();
    let isUrgent = false;
    for (const event of events) {
      const before = this.#lastEvent;
      this.#lastEvent = event.id;
      const placed = placeEvent(this.#book.growing(), this.#placed(event), this.#grouping());
      if (placed === null) continue;
      of.set(event.id, placed.incident.id);
      isUrgent ||= placed.isGraver;
      this.#change(placed.incident);
      this.#unwritten.note(placed.incident.id, before, this.#options.clock.monotonic());
      if (placed.isGraver && !placed.isNew) this.#alarms.graver(placed.incident);
    }
    return { incidents: isUrgent ? this.#unwritten.take(this.#book.get) : [], of };
  }

  /** The one-key alarm was pressed: its incident, to be stored with its event. It lies where the button is. */
  emergency(event: CampusEvent, panic: { readonly id: string; readonly cameras: readonly DeviceId[] }): Incident {
    const incident = openEmergency(event, panic, this.#grouping());
    this.#lastEvent = event.id;
    this.#change(incident);
    return incident;
  }

  emergencyOf(panic: string): Incident | undefined {
    return this.open.find(({ emergency }) => emergency === panic);
  }

  /** What goes into the same transaction as incidents: how far grouping has got. */
  get state(): Readonly<Record<string, unknown>> {
    return { [incidentState]: { last: this.#unwritten.upTo(this.#lastEvent) } };
  }

  /** Call it about once a second: what has grown is written, what is due is escalated, what is over is closed. */
  tick(): void {
    const { clock } = this.#options;
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    for (const incident of this.#book.growing()) {
      if (!isOver(incident, this.#rules, now)) continue;
      this.#change({ ...incident, isClosed: true, rev: incident.rev + 1 });
      this.#unwritten.note(incident.id, this.#lastEvent, monotonic);
    }
    this.#write(this.#unwritten.take(this.#book.get, monotonic));
    for (const [id, due] of this.#due) if (due <= monotonic) this.#escalate(id);
    this.#limit();
  }

  /** Everything that is not written yet: at the end. */
  async flush(): Promise<void> {
    const incidents = this.#unwritten.take(this.#book.get);
    if (incidents.length > 0) await this.#commit(incidents, {});
  }

  /** Throws INCIDENT_NOT_FOUND. */
  find(id: string): Incident {
    const found = this.#book.get(id) ?? this.#options.reader.incident(id);
    if (found === null) throw new CodedError('INCIDENT_NOT_FOUND', `there is no incident ${id}`);
    return found;
  }

  /** Throws INCIDENT_NOT_FOUND, INCIDENT_REFUSED with the reason, what the store throws. `more` goes into the same transaction. */
  async act(id: string, act: IncidentAct, person: IncidentPerson, more: Batch = {}): Promise<Incident> {
    const before = this.find(id);
    const { incident, isChanged } = this.#acted(before, act, person);
    if (!isChanged && Object.keys(more).length === 0) return incident;
    const line = this.#line(`incident.${act.act} ${id}`, act, person, incident.state);
    await this.#commit([incident], { ...more, audit: [...(more.audit ?? []), line] });
    return incident;
  }

  /** Anybody's look is everybody's. Answers how many were not seen before; those that are gone are passed over. */
  async see(ids: readonly string[], person: IncidentPerson): Promise<number> {
    const seen = [...new Set(ids)].flatMap((id) => {
      const before = this.#book.get(id) ?? this.#options.reader.incident(id);
      if (before === null) return [];
      const { incident, isChanged } = this.#acted(before, { act: 'see' }, person);
      return isChanged ? [incident] : [];
    });
    if (seen.length === 0) return 0;
    const which = seen.length === 1 ? seen[0]?.id : `${seen.length} incidents`;
    await this.#commit(seen, { audit: [this.#line(`incident.see ${which}`, { act: 'see' }, person, 'seen')] });
    return seen.length;
  }

  /** What was seen in `part` goes on in `whole`. Throws INCIDENT_NOT_FOUND, INCIDENT_REFUSED. */
  async merge(whole: string, part: string, person: IncidentPerson, more: Batch = {}): Promise<Incident> {
    const actor = { who: person.who, name: person.name, time: this.#options.clock.now() };
    const merged = mergeIncidents(this.find(whole), this.find(part), actor);
    if (!merged.ok) throw new CodedError('INCIDENT_REFUSED', merged.why);
    const before = [this.find(whole), this.find(part)];
    const changed = [merged.whole, merged.part];
    for (const [i, incident] of changed.entries()) this.#change(incident, before[i]);
    const line = { time: actor.time, who: person.who, from: person.from, what: `incident.merge ${part} into ${whole}` };
    await this.#commit(changed, { ...more, audit: [{ ...line, why: '', result: merged.whole.state }] });
    return merged.whole;
  }

  #acted(before: Incident, act: IncidentAct, { who, name }: Pick<IncidentPerson, 'who' | 'name'>) {
    const actor = { who, name, time: this.#options.clock.now() };
    const acted = actOn(before, act, { actor, escalateAfter: escalateAfter(before, this.#rules) });
    if (!acted.ok) throw new CodedError('INCIDENT_REFUSED', acted.why);
    if (acted.isChanged) this.#change(acted.incident, before, 'text' in act ? act.text : '');
    return acted;
  }

  #line(what: string, act: IncidentAct, { who, from }: IncidentPerson, result: string): AuditLine {
    const why = 'text' in act ? act.text : '';
    const outcome = 'outcome' in act ? `${result}, ${act.outcome}` : result;
    return { time: this.#options.clock.now(), who, from, what, why: why.slice(0, 300), result: outcome };
  }

  /** Takes it as it now is, with everything that hangs on it. */
  #change(incident: Incident, before: Incident | null = this.#book.get(incident.id), why = ''): void {
    this.#keep(incident, before?.escalatesAt === incident.escalatesAt ? undefined : incident.escalatesAt);
    this.#options.onChange(incident);
    if (before !== null && before.state !== incident.state) this.#alarms.follow(before, incident, why);
  }

  /** `escalatesAt`: undefined where it is as it was. */
  #keep(incident: Incident, escalatesAt: number | null | undefined): void {
    this.#book.put(incident);
    if (escalatesAt === undefined) return;
    this.#due.delete(incident.id);
    if (escalatesAt === null || incident.state !== 'new') return;
    const { clock } = this.#options;
    // A clock that was set back while nobody looked puts it off for no longer than it may be.
    const most = escalateAfter(incident, this.#rules) ?? escalatesAt - incident.from;
    const left = Math.min(Math.max(0, escalatesAt - clock.now()), Math.max(0, most));
    this.#due.set(incident.id, clock.monotonic() + left);
  }

  #escalate(id: string): void {
    this.#due.delete(id);
    const before = this.#book.get(id);
    if (before === null) return;
    const { incident, isChanged } = this.#acted(before, { act: 'due' }, { who: core, name: '' });
    if (!isChanged) return;
    const line = { who: core, from: 'core', what: `incident.escalate ${id}`, why: 'nobody has claimed it in time' };
    this.#write([incident], { audit: [{ ...line, time: this.#options.clock.now(), result: incident.state }] });
  }

  /** Nobody works through two thousand: the oldest of the mildest end by themselves, and say so. */
  #limit(): void {
    for (let over = this.#book.size - mostOpen; over > 0; over--) {
      const victim = this.#book.mildest();
      if (victim === undefined) return;
      const text = `more than ${mostOpen} were left open`;
      const act = { act: 'resolve', outcome: 'no-action', text } as const;
      const { incident } = this.#acted(victim, act, { who: core, name: '' });
      const person = { who: core, name: '', from: 'core' };
      this.#write([incident], { audit: [this.#line(`incident.resolve ${victim.id}`, act, person, incident.state)] });
    }
  }

  async #commit(incidents: readonly Incident[], more: Batch): Promise<void> {
    for (const { id } of incidents) this.#unwritten.written(id);
    await this.#options.commit({ ...more, incidents, state: { ...more.state, ...this.state } });
  }

  #write(incidents: readonly Incident[], more: Batch = {}): void {
    if (incidents.length === 0) return;
    this.#commit(incidents, more).catch(() => {}); // owed to the disk, and an alarm
  }

  #placed(event: CampusEvent): CampusEvent {
    const zone = (event.device === undefined ? undefined : this.#options.zoneOf(event.device)) ?? event.zone;
    return zone === undefined ? event : { ...event, zone };
  }

  #grouping() {
    const { clock, during } = this.#options;
    return { rules: this.#rules, during, newId: () => newHappeningId(clock), now: clock.now() };
  }

  #stored(): readonly Incident[] {
    return this.#ask(
      () => this.#options.reader.incidents({ states: ['new', 'claimed', 'escalated'], limit: mostOpen }),
      [],
    );
  }

  /** Events on disk that no incident was made of, because core ended before it was written. */
  #missed(): readonly CampusEvent[] {
    const { reader, clock } = this.#options;
    return this.#ask(() => {
      const last = this.#lastEvent;
      // Without a place to begin from, what is over is not dug up again.
      if (last === null || reader.event(last) === null) return [];
      return reader.events(last, mostTakenUp).filter(({ time }) => Math.abs(clock.now() - time) < takeUpAge);
    }, []);
  }

  /** Without a readable store core begins with nothing remembered. */
  #ask<T>(question: () => T, otherwise: T): T {
    try {
      return question();
    } catch (error) {
      if (!codeOf(error).startsWith('STORE_')) throw error;
      this.#options.log.error({ error }, 'incidents of before cannot be read');
      return otherwise;
    }
  }
}
