import { isSlug, type ZoneId } from '#edge/domain/ids.ts';
import {
  campusLayer,
  type HolidayYear,
  type LocalDate,
  type SchoolDays,
  type SchoolEntries,
  type SchoolEntry,
  type SchoolExam,
  type SchoolItem,
  type SchoolSeason,
  type SchoolTerm,
  type Slot,
} from '#edge/domain/school.ts';
import { type OfficialDays, officialDays } from './holidays.ts';
import { type LayerTree, layerTree } from './layers.ts';
import type { SchoolClock } from './local-clock.ts';
import { checkEntry } from './plan-entries.ts';
import { createFindings, type Findings, type PlanMistake } from './plan-mistake.ts';
import { warnOfNever } from './plan-never.ts';
import { type Named, named, partsOf } from './plan-parts.ts';
import { checkLayers, checkOverlaps, checkReferences, warnOf } from './plan-references.ts';
import { checkSite } from './plan-site.ts';
import { type Target, targetsOf } from './planned.ts';
import type { ResolvedDay } from './resolve-day.ts';
import type { SiteFacts } from './site-facts.ts';
import { layOut } from './timetable.ts';

export interface Surroundings {
  readonly clock: SchoolClock;
  readonly holidays: readonly HolidayYear[];
  /** All zones of the campus. */
  readonly zones: readonly ZoneId[];
  /** What the campus can do; absent: nobody asks. */
  readonly site?: SiteFacts;
}

/** Entries that hold together, and what was found wrong with the others. Keeps what a day comes to, so ask the same plan again. */
export interface SchoolPlan {
  /** Those that hold. */
  readonly entries: SchoolEntries;
  readonly mistakes: readonly PlanMistake[];
  readonly clock: SchoolClock;
  readonly official: OfficialDays;
  readonly layers: LayerTree;
  readonly zones: readonly ZoneId[];
  readonly site: SiteFacts | null;
  readonly terms: readonly Named<SchoolTerm>[];
  /** By layer. */
  readonly seasons: ReadonlyMap<string, readonly Named<SchoolSeason>[]>;
  /** By layer; the shortest first. */
  readonly painted: ReadonlyMap<string, readonly Named<SchoolDays>[]>;
  readonly timetables: ReadonlyMap<string, readonly Slot[]>;
  readonly items: readonly Named<SchoolItem>[];
  readonly exams: readonly Named<SchoolExam>[];
  /** Whose day an item follows where, by item. */
  readonly targets: ReadonlyMap<string, readonly Target[]>;
  /** Days worked out before, by layer. */
  readonly kept: Map<string, Map<LocalDate, ResolvedDay>>;
}

/** Never throws: what is wrong is a mistake, and the entry is left out. */
export function compilePlan(entries: SchoolEntries, surroundings: Surroundings): SchoolPlan {
  const findings = createFindings();
  const known = Object.entries(entries);
  for (const [id, entry] of known) {
    checkId(id, findings);
    checkEntry(entry, findings.mistake(id));
  }
  const good = new Map(known.filter(([id]) => !findings.out.has(id)));
  const layers = checkLayers(partsOf(good, 'layer'), surroundings.zones, findings);
  const tree = layerTree(layers, surroundings.zones);
  const timetableIds = new Set(known.filter(([, { part }]) => part === 'timetable').map(([id]) => id));
  checkReferences(good, tree, timetableIds, findings);
  for (const id of findings.out) good.delete(id);
  checkOverlaps(good, findings);
  for (const id of findings.out) good.delete(id);
  const plan = put(good, tree, surroundings, findings);
  warnOf(plan, surroundings.zones, findings);
  warnOfNever(plan, findings);
  if (plan.site !== null) checkSite(plan, plan.site, findings);
  return plan;
}

function checkId(id: string, findings: Findings): void {
  if (id === campusLayer) findings.mistake(id)('', 'reserved-id');
  else if (!isSlug(id)) findings.mistake(id)('', 'bad-id', { id: id.slice(0, 40) });
}

function byLayer<Entry extends { readonly layer: string }>(entries: readonly Entry[]): Map<string, Entry[]> {
  return Map.groupBy(entries, ({ layer }) => layer);
}

function put(
  good: ReadonlyMap<string, SchoolEntry>,
  layers: LayerTree,
  { clock, holidays, zones, site }: Surroundings,
  { all }: Findings,
): SchoolPlan {
  const painted = named(partsOf(good, 'days')).toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const timetables = [...partsOf(good, 'timetable')].map(([id, timetable]) => [id, layOut(timetable).slots] as const);
  const items = named(partsOf(good, 'item'));
  return {
    ...{
      entries: Object.fromEntries(good),
      mistakes: all,
      clock,
      official: officialDays(holidays),
      layers,
      zones,
    },
    site: site ?? null,
    terms: named(partsOf(good, 'term')),
    seasons: byLayer(named(partsOf(good, 'season'))),
    painted: byLayer(painted),
    timetables: new Map(timetables),
    items,
    targets: new Map(items.map((item) => [item.id, targetsOf({ layers, zones }, item)])),
    exams: named(partsOf(good, 'exam')),
    kept: new Map(),
  };
}

function lengthOf({ from, to }: { readonly from: LocalDate; readonly to: LocalDate }): number {
  return Date.parse(to) - Date.parse(from);
}
