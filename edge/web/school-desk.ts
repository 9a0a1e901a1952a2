import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { ZoneId } from '#edge/domain/ids.ts';
import {
  campusLayer,
  type DayConflict,
  type HolidayYear,
  type LedgerLine,
  type LocalDate,
  type Occurrence,
  type SchoolAction,
  type SchoolDay,
  type SchoolEntry,
  type SchoolOverride,
  type SchoolReason,
  type SchoolRelease,
} from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { readEntries } from '#edge/runtime/school-schema.ts';
import { comparePlans, type DateComparison } from '#edge/school/compare.ts';
import { conflictsOf } from '#edge/school/conflicts.ts';
import { datesFrom } from '#edge/school/dates.ts';
import { assumptionsOf, knownYears, releaseOn } from '#edge/school/in-force.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan, type SchoolPlan } from '#edge/school/plan.ts';
import { type CircuitDay, circuitConflicts, circuitsOn } from '#edge/school/power-day.ts';
import { shiftedDayOf } from '#edge/school/shifted-day.ts';
import { siteFacts } from '#edge/school/site-facts.ts';
import type { StoredDocument } from '#edge/store/documents.ts';
import { principalOf } from './access.ts';
import { createScopes, type Scope } from './scope.ts';
import type { CampusView } from './server.ts';

/* The school day as somebody may see it: the draft, what is signed, and what both come to on a day. Core's own sums, by the same functions. */

/** One day of a plan, with everything that happens and why. */
export interface SchoolDayView {
  readonly date: LocalDate;
  /** Of what is signed; null: nothing is. Of the draft: null. */
  readonly release: string | null;
  readonly layers: readonly SchoolDay[];
  readonly occurrences: readonly Occurrence[];
  readonly conflicts: readonly DayConflict[];
  /** What circuits do through the day, when it was asked for. */
  readonly circuits?: readonly CircuitDay[];
}

/** Whether a day is told with its circuits. */
export type DayDetail = 'bells' | 'all';

/** `draft`, `signed`, or the id of a release. */
export type PlanName = string;

const keptPlans = 6;
/** So long the page of everybody else may wait, ms. */
const longestTurn = 15;

export type SchoolViews = ReturnType<typeof createSchoolViews>;

export function createSchoolViews(
  { site, devices, reader }: Pick<CampusView, 'site' | 'devices' | 'reader'>,
  clock: Clock,
) {
  const local = createSchoolClock(site.campus.timeZone);
  const zones = site.zones.map(({ id }) => id);
  const facts = siteFacts(
    devices,
    { has: (name) => Object.hasOwn(site.clips, name) || reader.document('clip', name) !== null },
    site.modes.map(({ id }) => id),
  );
  const scopes = createScopes(site.devices);
  const plans = new Map<string, SchoolPlan>();
  /** Releases never change but to be undone: read once for each revision. */
  let known: { readonly text: string; readonly releases: readonly SchoolRelease[] } = { text: '', releases: [] };

  const years = (): readonly HolidayYear[] =>
    // Ids and names were checked when they were stored.
    knownYears(
      officialYears,
      reader.documents('schoolYear').map(({ body }) => body),
    );
  const compiled = (key: string, entries: () => Readonly<Record<string, SchoolEntry>>): SchoolPlan => {
    const holidays = years();
    // What people made may be gone.
    const made = reader.documents('clip').map(({ id }) => id);
    const name = `${key} ${holidays.map(({ year, published, source }) => `${year} ${published} ${source}`).join()} ${made.join()}`;
    const plan = plans.get(name) ?? compilePlan(entries(), { clock: local, holidays, zones, site: facts });
    plans.delete(name);
    plans.set(name, plan);
    const oldest = plans.keys().next();
    if (plans.size > keptPlans && oldest.done !== true) plans.delete(oldest.value);
    return plan;
  };
  const draft = (): readonly StoredDocument<'school'>[] => reader.documents('school');
  const draftPlan = (): SchoolPlan => {
    const documents = draft();
    const key = `draft ${documents.map(({ id, rev, time }) => `${id} ${rev} ${time}`).join()}`;
    return compiled(key, () => Object.fromEntries(documents.map(({ id, body }) => [id, body as SchoolEntry])));
  };
  const releases = (): readonly SchoolRelease[] => {
    const documents = reader.documents('schoolRelease');
    const text = documents.map(({ id, rev }) => `${id} ${rev}`).join();
    if (text !== known.text) {
      const read = documents.map(
        ({ body }) => ({ ...body, entries: readEntries(body.entries).entries }) as SchoolRelease,
      );
      known = { text, releases: read.sort((a, b) => b.time - a.time) };
    }
    return known.releases;
  };
  const overrides = (): readonly SchoolOverride[] =>
    reader.documents('schoolOverride').map(({ body }) => body as SchoolOverride);
  const planOf = (release: SchoolRelease): SchoolPlan => compiled(`release ${release.id}`, () => release.entries);
  /** Throws RELEASE_NOT_FOUND. */
  const release = (id: string): SchoolRelease => {
    const found = releases().find((one) => one.id === id);
    if (found === undefined) throw new CodedError('RELEASE_NOT_FOUND', `there is no release "${id}"`);
    return found;
  };
  const planOn = (name: PlanName, date: LocalDate): { plan: SchoolPlan | null; release: string | null } => {
    if (name === 'draft') return { plan: draftPlan(), release: null };
    const signed = name === 'signed' ? releaseOn(releases(), date) : release(name);
    return signed === null ? { plan: null, release: null } : { plan: planOf(signed), release: signed.id };
  };
  const empty = () => compiled('nothing', () => ({}));

  const circuitsOf = (name: PlanName, date: LocalDate, scope: Scope): readonly CircuitDay[] =>
    circuitsOn((one) => planOn(name, one).plan, date, overrides()).filter(({ outputs }) =>
      outputs.every((ref) => scope.seesRef(ref)),
    );
  const dayView = (name: PlanName, date: LocalDate, scope: Scope, detail: DayDetail): SchoolDayView => {
    const { plan, release: signed } = planOn(name, date);
    const nothing: DayConflict = { code: 'nothing-signed', date, of: [] };
    if (plan === null) return { date, release: null, layers: [], occurrences: [], conflicts: [nothing] };
    const said = overrides();
    const all = occurrencesOf(plan, date, said);
    const seen = all.flatMap((one) => seenOccurrence(one, scope) ?? []);
    const keys = new Set([...seen.map(({ key }) => key), ...Object.keys(plan.entries)]);
    const contrary = circuitConflicts((one) => planOn(name, one).plan, date, said, all);
    const conflicts = [...conflictsOf(plan, date, all), ...contrary].filter(
      ({ of }) => scope.isWhole || of.every((one) => keys.has(one)),
    );
    const layers = [...new Set([campusLayer, ...plan.layers.all])].map((layer) =>
      shiftedDayOf(plan, date, layer, said),
    );
    const view = { date, release: signed, layers, occurrences: seen, conflicts };
    return detail === 'all' ? { ...view, circuits: circuitsOf(name, date, scope) } : view;
  };
  /** Day by day, and everybody else has his turn between them. */
  const inTurns = async <T>(dates: readonly LocalDate[], of: (date: LocalDate) => T): Promise<T[]> => {
    const found: T[] = [];
    let began = clock.monotonic();
    for (const date of dates) {
      found.push(of(date));
      if (clock.monotonic() - began < longestTurn) continue;
      await nextTurn();
      began = clock.monotonic();
    }
    return found;
  };

  return {
    local,
    draft,
    draftPlan,
    years,
    releases,
    release,
    overrides,
    planOn,
    scopeOf: (request: Pick<FastifyRequest, 'principal'>): Scope => scopes(principalOf(request)),
    today: (): LocalDate => local.dateOf(clock.now()),
    days: (
      name: PlanName,
      from: LocalDate,
      to: LocalDate,
      scope: Scope,
      detail: DayDetail = 'bells',
    ): Promise<readonly SchoolDayView[]> => inTurns(datesFrom(from, to), (date) => dayView(name, date, scope, detail)),
    /** What differs, by day. Where nothing is signed everything is new. */
    compare: async (span: { from: LocalDate; to: LocalDate }, before: PlanName, after: PlanName, scope: Scope) => {
      const said = overrides();
      const found = await inTurns(datesFrom(span.from, span.to), (date): readonly DateComparison[] => {
        const [a, b] = [planOn(before, date).plan ?? empty(), planOn(after, date).plan ?? empty()];
        return comparePlans(a, b, date, date, said);
      });
      return found.flat().flatMap((one) => {
        const occurrences = one.occurrences.filter((change) => {
          const sides = ['before' in change ? change.before : null, 'after' in change ? change.after : null];
          return sides.some((side) => side !== null && seenOccurrence(side, scope) !== null);
        });
        return occurrences.length + one.days.length === 0 ? [] : [{ ...one, occurrences }];
      });
    },
    assumptions: (name: PlanName, from: LocalDate, to: LocalDate): readonly SchoolReason[] => {
      const plan = planOn(name, from).plan;
      return plan === null ? [] : assumptionsOf(plan, from, to);
    },
  };
}

/** A line of the ledger as far as it was where somebody may look; null: elsewhere. */
export function seenLine(line: LedgerLine, scope: Scope): LedgerLine | null {
  if (scope.isWhole) return line;
  const { zones = [], ...rest } = line;
  const own = zones.filter((zone) => scope.covers(zone));
  return own.length === 0 ? null : { ...rest, zones: own };
}

/** As far as it happens where somebody may look; null: elsewhere. */
export function seenOccurrence(one: Occurrence, scope: Scope): Occurrence | null {
  if (scope.isWhole) return one;
  const zones = one.zones.filter((zone) => scope.covers(zone));
  if (zones.length === 0) return null;
  return { ...one, zones, do: one.do.kind === 'show' ? one.do : seenAction(one.do, scope) };
}

function seenAction(action: SchoolAction, scope: Scope): SchoolAction {
  if (action.kind === 'hold') return { ...action, outputs: action.outputs.filter(({ ref }) => scope.seesRef(ref)) };
  if (action.kind === 'sound') return { ...action, zones: action.zones.filter((zone) => scope.covers(zone)) };
  return action;
}

/** The calendar is everybody's; what happens somewhere is for those who may look there. */
export function seesEntry(entry: SchoolEntry, plan: SchoolPlan, scope: Scope): boolean {
  if (scope.isWhole) return true;
  const covered = (zones: readonly ZoneId[], layer: string) =>
    (zones.length > 0 ? zones : plan.layers.has(layer) ? plan.layers.zonesOf(layer) : []).some((zone) =>
      scope.covers(zone),
    );
  switch (entry.part) {
    case 'item':
      if (entry.do.kind === 'hold') return entry.do.outputs.some(({ ref }) => scope.seesRef(ref));
      return covered(entry.do.kind === 'sound' ? entry.do.zones : [], entry.layer);
    case 'exam':
      return covered(entry.zones, entry.layer);
    case 'power':
      return entry.outputs.some((ref) => scope.seesRef(ref));
    default:
      return true;
  }
}
