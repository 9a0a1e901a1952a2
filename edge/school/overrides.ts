import type { ZoneId } from '#edge/domain/ids.ts';
import { type LocalDate, lastSecond, type SchoolOverride, type SchoolReason } from '#edge/domain/school.ts';
import type { SchoolPlan } from './plan.ts';
import type { Planned } from './planned.ts';

/*
 * What people said for a while. An override holds for its layer and those below, and for what happens from `from` up to `until`. Sounds
 * are taken zone by zone; an output or a mode cannot be done by half.
 */

type What = SchoolOverride['what'];
export type Saying<Kind extends What['kind']> = Omit<SchoolOverride, 'what'> & {
  readonly what: Extract<What, { readonly kind: Kind }>;
};

export interface Sayings {
  readonly rainy: readonly Saying<'rainy'>[];
  readonly quiet: readonly Saying<'quiet'>[];
  readonly skip: readonly Saying<'skip'>[];
  readonly shift: readonly Saying<'shift'>[];
}

/** Those that touch the date. */
export function inEffect({ clock }: SchoolPlan, date: LocalDate, overrides: readonly SchoolOverride[]): Sayings {
  const day = clock.dayOf(date);
  const touching = overrides.filter(({ from, until }) => from < day.to && until > day.from);
  return {
    rainy: touching.flatMap(({ what, ...rest }) => (what.kind === 'rainy' ? [{ ...rest, what }] : [])),
    quiet: touching.flatMap(({ what, ...rest }) => (what.kind === 'quiet' ? [{ ...rest, what }] : [])),
    skip: touching.flatMap(({ what, ...rest }) => (what.kind === 'skip' ? [{ ...rest, what }] : [])),
    shift: touching.flatMap(({ what, ...rest }) =>
      what.kind === 'shift' && what.date === date && Number.isInteger(what.seconds) ? [{ ...rest, what }] : [],
    ),
  };
}

export function holds({ from, until }: { readonly from: number; readonly until: number }, at: number): boolean {
  return at >= from && at < until;
}

export function reasonOf(
  code: SchoolReason['code'],
  { id, by, why }: Omit<SchoolOverride, 'what'>,
  more = {},
): SchoolReason {
  return { code, entry: id, params: { by, why, ...more } };
}

/** Whether it is done zone by zone. */
function isDivisible({ do: action, zones, isCommand }: Planned): boolean {
  return !isCommand && action.kind === 'sound' && zones.length > 0;
}

/** Which of its zones, and whether all of it. */
interface Reach {
  readonly in: readonly ZoneId[];
  readonly out: readonly ZoneId[];
  readonly all: boolean;
}

function reachOf({ layers }: SchoolPlan, one: Planned, layer: string): Reach {
  if (!isDivisible(one)) {
    const all = layers.isBelow(one.layer, layer);
    return all ? { in: one.zones, out: [], all } : { in: [], out: one.zones, all };
  }
  if (layers.isBelow(one.layer, layer)) return { in: one.zones, out: [], all: true };
  const { yes = [], no = [] } = Object.groupBy(one.zones, (zone) =>
    layers.isBelow(layers.layerOf(zone), layer) ? 'yes' : 'no',
  );
  return { in: yes, out: no, all: no.length === 0 };
}

/**
 * Where only some of its zones are shifted, those of each shifted layer become an occurrence of their own:
 * `<entry>[.<slot>]~<layer>@...`. Shifts of one zone add up.
 */
export function shiftAll(plan: SchoolPlan, all: readonly Planned[], { shift }: Sayings): readonly Planned[] {
  if (shift.length === 0) return all;
  return all.flatMap((one) => {
    const meant = shift.filter((saying) => one.second >= saying.what.after && holds(saying, one.at));
    const reaching = meant.filter(({ layer }) => reachOf(plan, one, layer).all);
    const partial = meant.filter((saying) => !reaching.includes(saying));
    if (partial.length === 0 || !isDivisible(one)) return [shifted(plan, one, reaching)];
    const { layers } = plan;
    const reached = (zone: ZoneId) => partial.filter(({ layer }) => layers.isBelow(layers.layerOf(zone), layer));
    const parts = Map.groupBy(one.zones, (zone) =>
      [...new Set(reached(zone).map(({ layer }) => `~${layer}`))].join(''),
    );
    return [...parts].map(([suffix, zones]) => {
      const by = [...reaching, ...zones.slice(0, 1).flatMap(reached)];
      return shifted(plan, { ...one, key: one.key.replace('@', `${suffix}@`), zones }, by);
    });
  });
}

/** Beyond midnight nothing is rung: it is silenced where it was. */
function shifted({ clock }: SchoolPlan, one: Planned, by: readonly Saying<'shift'>[]): Planned {
  const seconds = by.reduce((sum, { what }) => sum + what.seconds, 0);
  if (by.length === 0) return one;
  const reasons = by.map((saying) => reasonOf('shift', saying, { seconds: saying.what.seconds }));
  const second = one.second + seconds;
  const day = clock.dayOf(one.date);
  const { at } = second < 0 || second > lastSecond ? { at: Number.NaN } : clock.timeOf(one.date, second);
  if (!(at >= day.from && at < day.to)) return { ...one, silenced: one.silenced ?? reasons[0] ?? null };
  return { ...one, at, second, why: [...one.why, ...reasons] };
}

/** null: it is for rain, and it does not rain. */
export function withWeather(plan: SchoolPlan, one: Planned, { rainy }: Sayings): Planned | null {
  if (one.weather === null) return one;
  const rains = rainy.filter((saying) => holds(saying, one.at));
  const [first] = rains;
  if (first === undefined) return one.weather === 'dry' ? one : null;
  const wet = rains.map(({ layer }) => reachOf(plan, one, layer));
  const reason = reasonOf('rainy', first);
  const isWet = wet.some(({ all }) => all);
  if (isDivisible(one) && !isWet) {
    const wetZones = new Set(wet.flatMap((reach) => reach.in));
    const zones = one.zones.filter((zone) => wetZones.has(zone) === (one.weather === 'rainy'));
    if (zones.length === one.zones.length && one.weather === 'dry') return one;
    if (zones.length > 0) return { ...one, zones, why: [...one.why, reason] };
    return one.weather === 'rainy' ? null : { ...one, silenced: one.silenced ?? reason };
  }
  if (one.weather === 'rainy') return isWet ? { ...one, why: [...one.why, reason] } : null;
  return isWet ? { ...one, silenced: one.silenced ?? reason } : one;
}

export function leaveOut(one: Planned, { skip }: Sayings): Planned {
  if (one.silenced !== null) return one;
  const saying = skip.find(({ what, ...rest }) => what.key === one.key && holds(rest, one.at));
  return saying === undefined ? one : { ...one, silenced: reasonOf('skipped', saying) };
}

export function withQuiet(plan: SchoolPlan, one: Planned, { quiet }: Sayings): Planned {
  let left = one;
  for (const saying of quiet) {
    if (left.silenced !== null) return left;
    const { classes, zones } = saying.what;
    const isMeant = classes.length === 0 ? one.class !== 'exam' : classes.includes(one.class);
    if (isMeant && holds(saying, one.at)) left = quieted(plan, left, saying, zones);
  }
  return left;
}

function quieted(plan: SchoolPlan, one: Planned, saying: Saying<'quiet'>, quiet: readonly ZoneId[]): Planned {
  const reason = reasonOf('quiet', saying);
  const reach = reachOf(plan, one, saying.layer);
  const isQuiet = (zone: ZoneId) => (quiet.length === 0 || quiet.includes(zone)) && reach.in.includes(zone);
  if (one.zones.length === 0) return reach.all && quiet.length === 0 ? { ...one, silenced: reason } : one;
  return withoutZones(one, isQuiet, reason);
}

const soundClasses: readonly string[] = ['exam', 'bell', 'exercise', 'programme'];

/**
 * Taken out of zones. What rings but cannot be divided (a relay of bells) is silent as soon as one of its zones is; what switches goes on
 * until all are.
 */
export function withoutZones(one: Planned, isQuiet: (zone: ZoneId) => boolean, reason: SchoolReason): Planned {
  const left = one.zones.filter((zone) => !isQuiet(zone));
  if (left.length === one.zones.length) return one;
  if (one.do.kind === 'sound' || one.do.kind === 'show')
    return left.length === 0
      ? { ...one, silenced: reason }
      : { ...one, zones: left, why: [...one.why, { ...reason, params: { ...reason.params, zones: left.length } }] };
  if (left.length === 0 || soundClasses.includes(one.class)) return { ...one, silenced: reason };
  return one;
}
