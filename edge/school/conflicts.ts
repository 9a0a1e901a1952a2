import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { ConflictCode, DayConflict, LocalDate, Occurrence, SchoolAction } from '#edge/domain/school.ts';
import { isHeard, type QuietWindow, quietOfExams } from './exam-quiet.ts';
import type { SchoolPlan } from './plan.ts';
import { plannedOn } from './planned.ts';
import { dayOf } from './resolve-day.ts';
import { actionProblems } from './site-facts.ts';

/** More than that of a day nobody reads. */
const mostTold = 200;

type Sound = Occurrence & { readonly do: Extract<SchoolAction, { readonly kind: 'sound' }> };

/** What of a date cannot be meant. `occurrences`: as `occurrencesOf` gives them, ascending; what is silenced disturbs nobody. */
export function conflictsOf(
  plan: SchoolPlan,
  date: LocalDate,
  occurrences: readonly Occurrence[],
): readonly DayConflict[] {
  const done = occurrences.filter(({ silenced }) => silenced === null);
  const sounds = done.filter((one): one is Sound => one.do.kind === 'sound');
  const found = [
    ...soundsTogether(sounds, date),
    ...soundsInExams(done, quietOfExams(plan, date, occurrences), date),
    ...outputsTwice(done, date),
    ...plannedOn(plan, date).outside.map((id) => conflict('outside-day', date, [id])),
    ...brokenTimetables(plan, date),
    ...impossible(plan, done, date),
  ];
  return found.slice(0, mostTold);
}

function conflict(
  code: ConflictCode,
  date: LocalDate,
  of: readonly string[],
  params: Readonly<Record<string, string | number>> = {},
): DayConflict {
  return { code, date, of, params };
}

function endOf({ at, do: action }: Occurrence): number {
  return 'seconds' in action ? at + action.seconds * 1_000 : at;
}

function sharedZone(a: readonly ZoneId[], b: readonly ZoneId[]): ZoneId | undefined {
  return a.find((zone) => b.includes(zone));
}

/** Ascending by `at`: whatever still sounds when the next one begins meets it. */
function soundsTogether(sounds: readonly Sound[], date: LocalDate): DayConflict[] {
  const found: DayConflict[] = [];
  let sounding: Sound[] = [];
  for (const sound of sounds) {
    sounding = sounding.filter((other) => endOf(other) > sound.at || other.at === sound.at);
    for (const other of sounding) {
      if (found.length >= mostTold) return found;
      const zone = sharedZone(other.zones, sound.zones);
      if (zone === undefined) continue;
      const isSame = other.at === sound.at && other.do.clip === sound.do.clip;
      if (isSame) found.push(conflict('same-sound', date, [other.key, sound.key], { zone, clip: sound.do.clip }));
      else if (endOf(other) > sound.at)
        found.push(conflict('overlapping-sounds', date, [other.key, sound.key], { zone }));
    }
    sounding.push(sound);
  }
  return found;
}

/** What began before the silence and runs into it, and what another examination sounds in the same rooms. */
function soundsInExams(done: readonly Occurrence[], windows: readonly QuietWindow[], date: LocalDate): DayConflict[] {
  return windows.flatMap(({ exam, zones, from, to }) =>
    done
      .filter((one) => one.entry !== exam && (isHeard(one) || one.class === 'exam') && one.do.kind !== 'show')
      .filter((one) => one.at < to && Math.max(endOf(one), one.at + 1) > from)
      .flatMap((one) => {
        const zone = sharedZone(one.zones, zones);
        return zone === undefined ? [] : [conflict('sound-in-exam', date, [one.key, exam], { zone })];
      }),
  );
}

/** One output held at two values at once. */
function outputsTwice(done: readonly Occurrence[], date: LocalDate): DayConflict[] {
  const found: DayConflict[] = [];
  const held = new Map<PointRef, { readonly one: Occurrence; readonly value: unknown }[]>();
  for (const one of done) {
    if (one.do.kind !== 'hold') continue;
    for (const { ref, value } of one.do.outputs) {
      const still = (held.get(ref) ?? []).filter(({ one: other }) => endOf(other) > one.at);
      for (const other of still)
        if (other.value !== value && found.length < mostTold)
          found.push(conflict('output-twice', date, [other.one.key, one.key], { ref }));
      held.set(ref, [...still, { one, value }]);
    }
  }
  return found;
}

/** What the campus, as it is today, cannot do of what is planned. */
function impossible({ site }: SchoolPlan, done: readonly Occurrence[], date: LocalDate): DayConflict[] {
  if (site === null) return [];
  return done.flatMap((one) => {
    const [first] = actionProblems(site, one.do, one.zones);
    return first === undefined ? [] : [conflict('cannot-work', date, [one.key], { code: first.code, ...first.params })];
  });
}

/** The season wants a timetable that was left out because its slots overlap. */
function brokenTimetables(plan: SchoolPlan, date: LocalDate): DayConflict[] {
  const broken = new Set(
    plan.mistakes.filter(({ code }) => code === 'slots-overlap' || code === 'past-midnight').map(({ entry }) => entry),
  );
  if (broken.size === 0) return [];
  const wanted = plan.layers.all
    .flatMap((layer) => dayOf(plan, date, layer).why)
    .flatMap(({ code, entry }) => (code === 'no-timetable' && entry !== undefined && broken.has(entry) ? [entry] : []));
  return [...new Set(wanted)].map((id) => conflict('slots-overlap', date, [id]));
}
