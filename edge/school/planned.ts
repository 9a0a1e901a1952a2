import type { ZoneId } from '#edge/domain/ids.ts';
import type { LocalDate, Occurrence, SchoolExam, SchoolItem, SchoolReason } from '#edge/domain/school.ts';
import { lastSecond } from '#edge/domain/school.ts';
import { type AnchoredTime, timesOf } from './anchor.ts';
import { clockOf } from './dates.ts';
import { isMeant } from './day-filter.ts';
import { commandKey, commandsOf } from './exam-templates.ts';
import type { SchoolPlan } from './plan.ts';
import type { Named } from './plan-parts.ts';
import { dayOf, type ResolvedDay } from './resolve-day.ts';

/* What a plan alone says of a date, before the overrides of the day. */

export interface Planned extends Occurrence {
  readonly weather: 'rainy' | 'dry' | null;
  /** Of an examination. */
  readonly isCommand: boolean;
}

export interface PlannedDay {
  readonly all: readonly Planned[];
  /** Ids of items that would happen before midnight of the day, or after it: they do not. */
  readonly outside: readonly string[];
}

/** Zones of an item that live the day of one layer. */
export interface Target {
  readonly layer: string;
  readonly zones: readonly ZoneId[];
}

/**
 * Whose day an item follows in which zones. A bell of the campus rings in the rooms of grade 1 when grade 1's own day says so. What cannot
 * be done zone by zone (outputs, modes) follows the layer of the item alone.
 */
export function targetsOf({ layers, zones: known }: Pick<SchoolPlan, 'layers' | 'zones'>, item: SchoolItem): Target[] {
  const { do: action, layer } = item;
  if (action.kind !== 'sound') return [{ layer, zones: layers.zonesOf(layer) }];
  const zones = action.zones.length === 0 ? layers.zonesOf(layer) : action.zones.filter((zone) => known.includes(zone));
  const lives = (zone: ZoneId) => {
    const own = layers.layerOf(zone);
    return layers.isBelow(own, layer) ? own : layer;
  };
  const groups = [...Map.groupBy(new Set(zones), lives)];
  return groups.length === 0 ? [{ layer, zones: [] }] : groups.map(([of, some]) => ({ layer: of, zones: some }));
}

/** The day that was asked for last: its conflicts are mostly asked for next. */
const last = new WeakMap<SchoolPlan, { readonly date: LocalDate; readonly day: PlannedDay }>();

export function plannedOn(plan: SchoolPlan, date: LocalDate): PlannedDay {
  const kept = last.get(plan);
  if (kept?.date === date) return kept.day;
  const day = workOut(plan, date);
  last.set(plan, { date, day });
  return day;
}

function workOut(plan: SchoolPlan, date: LocalDate): PlannedDay {
  const all: Planned[] = [];
  const outside: string[] = [];
  const bounds = plan.clock.dayOf(date);
  for (const item of plan.items) putItem(plan, item, date, bounds, all, outside);
  for (const exam of plan.exams) putExam(plan, exam, date, bounds, all);
  return { all, outside };
}

interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** Times of an item at which several layers meet are one occurrence. */
interface Meeting {
  readonly time: AnchoredTime;
  readonly day: ResolvedDay;
  readonly targets: Target[];
}

function putItem(
  plan: SchoolPlan,
  item: Named<SchoolItem>,
  date: LocalDate,
  bounds: Bounds,
  all: Planned[],
  outside: string[],
): void {
  const { from, to } = item.days;
  if ((from !== undefined && date < from) || (to !== undefined && date > to)) return;
  for (const { time, day, targets } of meetingsOf(plan, item, date)) {
    if (time.second < 0 || time.second > lastSecond) {
      if (!outside.includes(item.id)) outside.push(item.id);
      continue;
    }
    const [first] = targets;
    const zones = targets.length === 1 ? (first?.zones ?? []) : targets.flatMap((target) => target.zones);
    const layer = targets.length === 1 ? (first?.layer ?? item.layer) : item.layer;
    const planned = occurrence(plan, item, day, time, bounds, layer, zones);
    if (planned !== null) all.push(planned);
  }
}

function meetingsOf(plan: SchoolPlan, item: Named<SchoolItem>, date: LocalDate): Meeting[] {
  const meetings: Meeting[] = [];
  const targets = plan.targets.get(item.id) ?? [];
  for (const [days, some] of alike(plan, targets, date)) {
    if (!isMeant(item.days, days)) continue;
    for (const time of timesOf(item.when, days.slots)) {
      const met = meetings.find((one) => one.time.second === time.second && one.time.slot?.id === time.slot?.id);
      if (met === undefined) meetings.push({ time, day: days, targets: [...some] });
      else met.targets.push(...some);
    }
  }
  return meetings;
}

/** Layers whose day is the same in all that matters are looked at once. */
function alike(plan: SchoolPlan, targets: readonly Target[], date: LocalDate): [ResolvedDay, Target[]][] {
  const groups: [ResolvedDay, Target[]][] = [];
  for (const target of targets) {
    const day = dayOf(plan, date, target.layer);
    const same = groups.find(([other]) => isSame(other, day));
    if (same === undefined) groups.push([day, [target]]);
    else same[1].push(target);
  }
  return groups;
}

function isSame(a: ResolvedDay, b: ResolvedDay): boolean {
  return (
    a.kind === b.kind &&
    a.lessonsOf === b.lessonsOf &&
    a.parity === b.parity &&
    a.timetable === b.timetable &&
    a.unconfirmed.length === b.unconfirmed.length
  );
}

function occurrence(
  { clock }: SchoolPlan,
  item: Named<SchoolItem>,
  day: ResolvedDay,
  { second, slot }: AnchoredTime,
  bounds: Bounds,
  layer: string,
  zones: readonly ZoneId[],
): Planned | null {
  const { at, odd } = clock.timeOf(day.date, second);
  // A date that the zone left out altogether (Samoa, 2011-12-30) has no moments.
  if (!(at >= bounds.from && at < bounds.to)) return null;
  const { id, name, days } = item;
  const why: SchoolReason[] = [anchorReason(item, day, slot, second), ...oddReason(odd), ...day.why];
  return {
    key: `${id}${slot === null ? '' : `.${slot.id}`}@${day.date}T${clockOf(second)}`,
    ...{ entry: id, name, class: item.class, layer, at, date: day.date, second, do: item.do, zones, why },
    silenced: item.enabled ? null : { code: 'disabled', entry: id },
    ...{ weather: days.weather ?? null, isCommand: false },
  };
}

function anchorReason({ when, id }: Named<SchoolItem>, day: ResolvedDay, slot: AnchoredTime['slot'], second: number) {
  if (slot === null || 'at' in when) return { code: 'time', entry: id, params: { second } } satisfies SchoolReason;
  const params = { id: slot.id, zh: slot.name.zh, en: slot.name.en, edge: when.edge, offset: when.offset };
  return { code: 'slot', entry: day.timetable ?? id, params } satisfies SchoolReason;
}

function oddReason(odd: 'gap' | 'twice' | null): SchoolReason[] {
  if (odd === null) return [];
  return [{ code: odd === 'gap' ? 'clock-gap' : 'clock-twice' }];
}

function putExam(plan: SchoolPlan, exam: Named<SchoolExam>, date: LocalDate, bounds: Bounds, all: Planned[]): void {
  for (const paper of exam.papers) {
    if (paper.date !== date) continue;
    const zones = exam.zones.filter((zone) => plan.zones.includes(zone));
    for (const timed of commandsOf(exam, paper)) {
      const { command, second } = timed;
      const { at, odd } = plan.clock.timeOf(date, second);
      if (!(at >= bounds.from && at < bounds.to)) continue;
      const clip = Object.hasOwn(exam.clips, command.id) ? exam.clips[command.id] : undefined;
      const params = { zh: paper.name.zh, en: paper.name.en, command: command.id };
      all.push({
        key: commandKey(exam.id, timed, date),
        entry: exam.id,
        name: {
          zh: `${paper.name.zh} · ${command.name.zh}`,
          en: `${paper.name.en}: ${command.name.en}`,
        },
        ...{ class: 'exam' as const, layer: exam.layer, at, date, second, zones, silenced: null },
        do:
          clip === undefined || clip === ''
            ? { kind: 'show', command: command.id }
            : { kind: 'sound', clip, zones: exam.zones, seconds: command.seconds },
        why: [{ code: 'exam', entry: exam.id, params }, ...oddReason(odd)],
        ...{ weather: null, isCommand: true },
      });
    }
  }
}
