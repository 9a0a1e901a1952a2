import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import { createGlob, type Glob } from '#edge/domain/glob.ts';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { GroupingRule, Incident } from '#edge/domain/incident.ts';
import { byCore, withEntry } from './incident-course.ts';

/*
 * How happenings become incidents: what happens in one zone within the time of its rule is one incident, whoever saw it. Pure: the same
 * events in the same order give the same incidents, and an event belongs to one of them at most. Times are the events' own, so one
 * that comes late or out of order still goes where it belongs while that incident is open.
 */

/** How grave, the smaller the graver. */
export const gravity: Readonly<Record<AlarmClass, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/** Most events whose ids an incident keeps. */
export const mostEvents = 200;
const mostDevices = 100;
const mostTypes = 50;
/** An incident is not over before its stragglers can have come: what a driver kept while core was away for a moment, ms. */
export const lateness = 30_000;
/** Of what no rule says any more, ms. */
const usualWithin = 120_000;
const usualLongest = 600_000;

export const emergencyType = 'emergency';
/** A picture that somebody or something asked for: it opens nothing, and belongs to what happens there. */
const pictureType = 'snapshot';

export interface GroupingContext {
  readonly rules: CompiledGrouping;
  /** Whether a label of the calendar or a mode holds then. */
  during(label: string, time: number): boolean;
  newId(): HappeningId;
  /** ms since epoch: what escalation is reckoned from. */
  readonly now: number;
}

interface Compiled {
  readonly rule: GroupingRule;
  readonly types: readonly Glob[];
}
export type CompiledGrouping = readonly Compiled[];

export function compileGrouping(rules: readonly GroupingRule[]): CompiledGrouping {
  return rules.map((rule) => ({ rule, types: rule.types.map((type) => createGlob(type)) }));
}

export interface Placed {
  readonly incident: Incident;
  readonly isNew: boolean;
  /** Its class is graver than before, or it is new: whoever has looked at it must look again. */
  readonly isGraver: boolean;
}

/** A happening with the place it counts for: where its device is. */
export type PlacedEvent = CampusEvent & { readonly zone?: ZoneId };

/**
 * The incident that an event opens or joins, as it is then; null: none. `open` are those that may still grow. The end of a state (`active`
 * false) opens nothing: it tells how long what is known has lasted.
 */
export function placeEvent(open: Iterable<Incident>, event: PlacedEvent, context: GroupingContext): Placed | null {
  const candidates = [...open].filter(({ isClosed }) => !isClosed);
  if (candidates.some((one) => isNear(one, event) && one.events.includes(event.id))) return null;
  if (event.active === false) return prolonged(candidates, event, context);
  if (event.type === pictureType) return pictured(candidates, event);
  const rule = ruleFor(event, context);
  if (rule === null) return null;
  const home = nearest(candidates, event, rule);
  return home === null ? opened(event, rule, context) : grown(home, event, rule, context);
}

/** The one-key alarm: whatever the rules say, it is an incident of its own, and it is escalated from the first moment. */
export function openEmergency(
  event: PlacedEvent,
  panic: { readonly id: string; readonly cameras: readonly DeviceId[] },
  context: Pick<GroupingContext, 'newId'>,
): Incident {
  const base = blank(event, { class: 'critical', escalateAfter: null }, context.newId());
  return {
    ...base,
    state: 'escalated',
    devices: [...new Set([...base.devices, ...panic.cameras])],
    emergency: panic.id,
    course: [...base.course, byCore(event.time, 'escalated', panic.id)],
  };
}

/** The first rule that fits; null: it is no incident. */
export function ruleFor(
  event: PlacedEvent,
  { rules, during }: Pick<GroupingContext, 'rules' | 'during'>,
): GroupingRule | null {
  const fits = ({ rule, types }: Compiled): boolean =>
    types.some((type) => type.test(event.type)) &&
    isAmong(rule.zones, event.zone) &&
    isAmong(rule.devices, event.device) &&
    (rule.during === null || during(rule.during, event.time));
  return rules.find(fits)?.rule ?? null;
}

/** Whether nothing can join it any more. A clock that was set back by more than its time ends it too: its neighbours lie elsewhere now. */
export function isOver(incident: Incident, rules: CompiledGrouping, now: number): boolean {
  const waits = fitting(incident, rules).map(({ within }) => within);
  const wait = (waits.length === 0 ? usualWithin : Math.max(...waits)) + lateness;
  return now > incident.to + wait || now < incident.from - wait;
}

/** How long it may stay unclaimed, ms; null: for ever. */
export function escalateAfter(incident: Incident, rules: CompiledGrouping): number | null {
  if (incident.emergency !== null) return null;
  const times = fitting(incident, rules).flatMap(({ escalateAfter: after }) => (after === null ? [] : [after]));
  return times.length === 0 ? null : Math.min(...times);
}

/** Rules that what is in it may have come by, whatever time it is now. */
function fitting(incident: Incident, rules: CompiledGrouping): GroupingRule[] {
  const fits = ({ rule, types }: Compiled): boolean =>
    gravity[rule.class] >= gravity[incident.class] &&
    incident.types.some((type) => types.some((glob) => glob.test(type))) &&
    isAmong(rule.zones, incident.zone ?? undefined) &&
    (rule.devices === 'all' || incident.devices.some((id) => isAmong(rule.devices, id)));
  return rules.filter(fits).map(({ rule }) => rule);
}

function isAmong<T>(wanted: readonly T[] | 'all', one: T | undefined): boolean {
  return wanted === 'all' || (one !== undefined && wanted.includes(one));
}

/** Of those of its zone that it fits in time, the one that is nearest; of two the one that began first. */
function nearest(
  candidates: readonly Incident[],
  { time, zone, device }: PlacedEvent,
  rule: GroupingRule,
): Incident | null {
  let best: Incident | null = null;
  for (const incident of candidates) {
    // The one-key alarm's is ended by what came of the button: a person seen there meanwhile must not be over with it, unseen.
    if (incident.emergency !== null || !isSamePlace(incident, zone, device)) continue;
    const away = distance(incident, time);
    const length = Math.max(incident.to, time) - Math.min(incident.from, time);
    if (away > rule.within || length > rule.longest) continue;
    const order =
      best === null ? -1 : away - distance(best, time) || incident.from - best.from || compare(incident, best);
    if (order < 0) best = incident;
  }
  return best;
}

function compare(a: Incident, b: Incident): number {
  return a.id < b.id ? -1 : 1;
}

/** What lies in no zone is of one place only when it is the same device. */
function isSamePlace(incident: Incident, zone: ZoneId | undefined, device: DeviceId | undefined): boolean {
  if (zone !== undefined) return incident.zone === zone;
  return (
    incident.zone === null && (device === undefined ? incident.devices.length === 0 : incident.devices.includes(device))
  );
}

function distance({ from, to }: Incident, time: number): number {
  return Math.max(0, from - time, time - to);
}

function blank(event: PlacedEvent, rule: Pick<GroupingRule, 'class' | 'escalateAfter'>, id: HappeningId): Incident {
  const { time, type, device, zone, snapshot } = event;
  return {
    id,
    state: 'new',
    class: rule.class,
    zone: zone ?? null,
    types: [type],
    devices: device === undefined ? [] : [device],
    from: time,
    to: time,
    isClosed: false,
    events: [event.id],
    count: 1,
    picture: snapshot ?? null,
    claimedBy: null,
    seenBy: null,
    escalatesAt: null,
    outcome: null,
    note: '',
    emergency: null,
    course: [byCore(time, 'opened', said(event))],
    rev: 1,
  };
}

function opened(event: PlacedEvent, rule: GroupingRule, { newId, now }: GroupingContext): Placed {
  const incident = blank(event, rule, newId());
  const escalatesAt = rule.escalateAfter === null ? null : now + rule.escalateAfter;
  return { incident: { ...incident, escalatesAt }, isNew: true, isGraver: true };
}

function grown(home: Incident, event: PlacedEvent, rule: GroupingRule, { now }: GroupingContext): Placed {
  const { time, type, device, snapshot } = event;
  const isGraver = gravity[rule.class] < gravity[home.class];
  const isNewType = !home.types.includes(type);
  const isNewDevice = device !== undefined && !home.devices.includes(device);
  const due = rule.escalateAfter === null || home.state !== 'new' ? null : now + rule.escalateAfter;
  const incident: Incident = {
    ...home,
    class: isGraver ? rule.class : home.class,
    types: isNewType ? withType(home.types, type, isGraver) : home.types,
    devices: isNewDevice && home.devices.length < mostDevices ? [...home.devices, device] : home.devices,
    from: Math.min(home.from, time),
    to: Math.max(home.to, time),
    events: withEvent(home.events, event.id),
    count: home.count + 1,
    // The gravest one's picture, and of those the first.
    picture: snapshot !== undefined && (isGraver || home.picture === null) ? snapshot : home.picture,
    seenBy: isGraver ? null : home.seenBy,
    escalatesAt: due === null ? home.escalatesAt : Math.min(due, home.escalatesAt ?? due),
    course:
      isGraver || isNewType || isNewDevice ? withEntry(home.course, byCore(time, 'grew', said(event))) : home.course,
    rev: home.rev + 1,
  };
  return { incident, isNew: false, isGraver };
}

/** Of what happens at that camera, else in its zone: the nearest. */
function pictured(candidates: readonly Incident[], event: PlacedEvent): Placed | null {
  const { snapshot, device, time, id } = event;
  if (snapshot === undefined || device === undefined) return null;
  const near = candidates
    .filter((one) => distance(one, time) <= usualWithin && (one.devices.includes(device) || one.zone === event.zone))
    .sort(
      (a, b) =>
        Number(b.devices.includes(device)) - Number(a.devices.includes(device)) ||
        distance(a, time) - distance(b, time),
    );
  const [home] = near;
  if (home === undefined) return null;
  const events = withEvent(home.events, id);
  const incident = { ...home, events, count: home.count + 1, picture: home.picture ?? snapshot, rev: home.rev + 1 };
  return { incident, isNew: false, isGraver: false };
}

/** The end of what began in it, no later than it may last: a camera that says for ever that it is over keeps nothing open. */
function prolonged(
  candidates: readonly Incident[],
  { time, type, device }: PlacedEvent,
  { rules }: Pick<GroupingContext, 'rules'>,
): Placed | null {
  const [home] = candidates
    .filter(
      ({ types, devices, from }) =>
        device !== undefined && devices.includes(device) && types.includes(type) && time >= from,
    )
    .sort((a, b) => distance(a, time) - distance(b, time));
  if (home === undefined || time <= home.to) return null;
  const lasts = fitting(home, rules).map(({ longest }) => longest);
  if (time - home.from > Math.max(usualLongest, ...lasts)) return null;
  return { incident: { ...home, to: time, rev: home.rev + 1 }, isNew: false, isGraver: false };
}

/** The gravest first. */
function withType(types: readonly string[], type: string, isGravest: boolean): readonly string[] {
  return (isGravest ? [type, ...types] : [...types, type]).slice(0, mostTypes);
}

/** Mostly the newest of all: 64 cameras in a storm must not cost a sort each. */
function withEvent(events: readonly HappeningId[], id: HappeningId): readonly HappeningId[] {
  const [newest] = events;
  return newest === undefined || id > newest ? [id, ...events.slice(0, mostEvents - 1)] : newestFirst([id, ...events]);
}

/** Where it can only be if it is in there: its own place, or (two were made one) its own device. */
function isNear(incident: Incident, { zone, device }: PlacedEvent): boolean {
  return isSamePlace(incident, zone, device) || (device !== undefined && incident.devices.includes(device));
}

/** Ids are made of the time (UUIDv7), so they sort as they happened. */
export function newestFirst(events: readonly HappeningId[]): readonly HappeningId[] {
  return [...new Set(events)].sort((a, b) => (a < b ? 1 : -1)).slice(0, mostEvents);
}

function said({ type, device }: PlacedEvent): string {
  return device === undefined ? type : `${type} ${device}`;
}
