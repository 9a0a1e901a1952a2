import { z } from 'zod';
import { campusLayer, type LocalDate, type SchoolOverride, type SchoolPower } from '#edge/domain/school.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { parseSchoolEntry, schoolEntrySchema } from '#edge/runtime/school-schema.ts';
import { addDays, datesFrom } from '#edge/school/dates.ts';
import type { SchoolPlan } from '#edge/school/plan.ts';
import { joinNeeds, type PowerNeed } from '#edge/school/power-needs.ts';
import { needsOn, powersOf } from '#edge/school/power-plan.ts';
import { dayOf } from '#edge/school/resolve-day.ts';
import { problems } from './schemas.ts';
import type { PlanName, SchoolViews } from './school-desk.ts';
import { spanOf } from './school-plan-routes.ts';
import { planQuery, reasonSchema } from './school-schemas.ts';
import type { Scope } from './scope.ts';
import type { App } from './server.ts';

/* When each circuit is needed through the weeks to come: by core's own sums, for a plan as it stands or for an entry that nobody saved yet. */

const tags = ['school'];
const mostDays = 31;
const time = z.number();
const need = z.object({
  from: time,
  to: time,
  /** When it must be ready; between `from` and `to`. */
  due: time,
  why: z.array(reasonSchema),
});
const day = z.object({
  date: z.string(),
  kind: z.string(),
  weekday: z.number(),
  lessonsOf: z.number().nullable(),
  why: z.array(reasonSchema),
  unconfirmed: z.array(reasonSchema),
});
const span = z.object({
  date: z.string(),
  /** Local midnight and the next one, ms since epoch. */
  from: time,
  to: time,
  /** Whether anything holds on it; of a draft always. */
  isPlanned: z.boolean(),
});
export const powerWeeksView = z.object({
  days: z.array(span),
  /** What each of these days is, by layer: that of the campus, and those of the circuits. */
  layers: z.record(z.string(), z.array(day)),
  circuits: z.array(z.object({ entry: z.string(), power: schoolEntrySchema, needs: z.array(need) })),
});
export const powerPreviewBody = z.strictObject({
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  body: z.record(z.string(), z.unknown()),
});
export const powerPreviewView = z.object({
  days: z.array(span),
  kinds: z.array(day),
  needs: z.array(need),
});

interface PlannedDay {
  readonly date: LocalDate;
  readonly plan: SchoolPlan | null;
}

export function addSchoolPowerWeeksRoute(app: App, views: SchoolViews): void {
  app.get(
    '/api/v1/school/power/weeks',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'When each circuit is needed, day by day as the calendar has it, and why',
        description:
          '`of`: `draft`, `signed`, or the id of a release. What depends on who is there is needed at most then.',
        querystring: planQuery.omit({ power: true }),
        response: { ...problems(400, 404, 503), 200: powerWeeksView },
      },
    },
    (request) => {
      const { from, to } = spanOf(views, request.query, mostDays);
      return powerWeeksView.parse(weeksOf(views, request.query.of, datesFrom(from, to), views.scopeOf(request)));
    },
  );

  app.post(
    '/api/v1/school/power/weeks',
    {
      config: { access: 'school' },
      bodyLimit: 200_000,
      schema: {
        tags,
        summary: 'When a circuit would be needed by an entry that is not saved yet, on the days of the draft',
        body: powerPreviewBody,
        response: { ...problems(400, 404, 503), 200: powerPreviewView },
      },
    },
    (request) => {
      const { from, to } = spanOf(views, request.body, mostDays);
      return powerPreviewView.parse(previewOf(views, request.body.body, datesFrom(from, to)));
    },
  );
}

function weeksOf(views: SchoolViews, of: PlanName, dates: readonly LocalDate[], scope: Scope) {
  const planned = plannedDays(dates, (date) => views.planOn(of, date).plan);
  const overrides = views.overrides();
  const powers = new Map<string, SchoolPower>();
  for (const { plan } of planned.slice(1)) {
    for (const { id, ...power } of plan === null ? [] : powersOf(plan))
      if (!powers.has(id) && power.outputs.every((ref) => scope.seesRef(ref))) powers.set(id, power);
  }
  const circuits = [...powers].map(([entry, power]) => ({
    ...{ entry, power },
    needs: within(
      joinNeeds(
        power,
        planned.map(({ date, plan }) => needsOnDay(plan, entry, date, overrides)),
      ),
      views,
      dates,
    ),
  }));
  const used = new Set([campusLayer, ...circuits.map(({ power }) => power.layer)]);
  const layers = Object.fromEntries([...used].map((layer) => [layer, daysOf(planned.slice(1), layer)]));
  return { days: spansOf(views, planned.slice(1)), layers, circuits };
}

/** Throws BAD_ENTRY or LAYER_NOT_FOUND. */
function previewOf(views: SchoolViews, body: unknown, dates: readonly LocalDate[]) {
  const parsed = parseSchoolEntry(body);
  if ('mistakes' in parsed) throw new CodedError('BAD_ENTRY', parsed.mistakes);
  const { entry } = parsed;
  if (entry.part !== 'power') throw new CodedError('BAD_ENTRY', 'part: must be power');
  const plan = views.draftPlan();
  if (entry.layer !== campusLayer && !plan.layers.has(entry.layer))
    throw new CodedError('LAYER_NOT_FOUND', `the draft has no layer "${entry.layer}"`);
  const planned = plannedDays(dates, () => plan);
  const needs = joinNeeds(
    entry,
    planned.map(({ date }) => needsOn(plan, entry, date, views.overrides())),
  );
  return {
    days: spansOf(views, planned.slice(1)),
    kinds: daysOf(planned.slice(1), entry.layer),
    needs: within(needs, views, dates),
  };
}

/** The day before them too: what begins there may last over midnight. */
function plannedDays(dates: readonly LocalDate[], planOn: (date: LocalDate) => SchoolPlan | null): PlannedDay[] {
  const [first] = dates;
  const all = first === undefined ? [] : [addDays(first, -1), ...dates];
  return all.map((date) => ({ date, plan: planOn(date) }));
}

function needsOnDay(
  plan: SchoolPlan | null,
  entry: string,
  date: LocalDate,
  overrides: readonly SchoolOverride[],
): readonly PowerNeed[] {
  const power = plan?.entries[entry];
  return plan === null || power?.part !== 'power' ? [] : needsOn(plan, power, date, overrides);
}

function within(needs: readonly PowerNeed[], { local }: SchoolViews, dates: readonly LocalDate[]) {
  const start = local.dayOf(dates[0] ?? '').from;
  return needs.filter(({ to }) => to > start);
}

function spansOf({ local }: SchoolViews, planned: readonly PlannedDay[]) {
  return planned.map(({ date, plan }) => ({ date, ...local.dayOf(date), isPlanned: plan !== null }));
}

function daysOf(planned: readonly PlannedDay[], layer: string) {
  return planned.flatMap(({ date, plan }) => (plan === null ? [] : [dayOf(plan, date, layer)]));
}
