import type { Value } from '#edge/domain/reading.ts';
import type { LocalDate, Occurrence, SchoolOverride } from '#edge/domain/school.ts';
import { addDays } from '#edge/school/dates.ts';
import type { CircuitDay } from '#edge/school/power-day.ts';
import type { PowerNeed } from '#edge/school/power-needs.ts';
import { needsOn, powersOf } from '#edge/school/power-plan.ts';
import type { SchoolDayView } from '#edge/web/school-desk.ts';
import { type Switched, type TruthRoom, wantsOf } from './truth-room.ts';

/* One day lived through, and held against what was said of it the evening before. */

export type Say = Omit<SchoolOverride, 'id' | 'by'>;

export interface DayScript {
  /** Said before the day, by its midnight. */
  readonly before?: (midnight: number) => readonly Say[];
  /** Said at a second of the day; then the simulator is asked anew for what is still to come. */
  readonly during?: { readonly second: number; readonly what: (midnight: number) => readonly Say[] };
  /** Core ends at these seconds of the day, for so many ms. */
  readonly restarts?: readonly { readonly second: number; readonly gap: number }[];
  /** Who is in the rooms: as the simulator assumes, or anybody at any time. */
  readonly people: 'assumed' | ((zone: string, second: number) => boolean);
  /** Cel in a room; absent: no thermometer says anything. */
  readonly temperature?: (second: number) => number;
}

export interface DayFigures {
  readonly occurrences: number;
  readonly silenced: number;
  readonly late: number;
  readonly switches: number;
  /** Changes of circuits that came otherwise, each of which was said to be assumed. */
  readonly otherwise: number;
  /** Where what happened was not what was said. */
  readonly problems: readonly string[];
}

const night = 6 * 3_600;
const evening = 23 * 3_600;
/** How often it is looked at, ms: by day, by night. */
export interface Grid {
  readonly day: number;
  readonly night: number;
}

interface Restarted {
  readonly from: number;
  readonly to: number;
}

export async function liveDay(room: TruthRoom, date: LocalDate, script: DayScript, grid: Grid): Promise<DayFigures> {
  const { clock, book } = room;
  const { from, to } = book.clock.dayOf(date);
  const step = (time: number) => {
    const second = book.clock.secondOf(time);
    return second < night || second >= evening ? grid.night : grid.day;
  };
  const tolerance = Math.max(grid.day, grid.night) + 11_000;
  for (const wish of script.before?.(from) ?? []) await room.book.override(wish, room.actor);
  await room.runTo(from - 30_000, step, []);
  let said = await room.said(date);
  let needs = needsByZone(room, date);
  const restarted: Restarted[] = [];
  const problems: string[] = [];
  const onLook = () => {
    const now = clock.now();
    const second = book.clock.secondOf(now);
    const { people } = script;
    room.occupy((zone) =>
      people === 'assumed'
        ? (needs.get(zone) ?? []).some((one) => now >= one.from && now < one.to)
        : people(zone, second),
    );
    room.warm(script.temperature?.(second) ?? null);
  };
  const events = [
    ...(script.restarts ?? []).map(({ second, gap }) => ({ at: from + second * 1_000, gap })),
    ...(script.during === undefined ? [] : [{ at: from + script.during.second * 1_000, gap: 0 }]),
  ].sort((a, b) => a.at - b.at);
  for (const { at, gap } of [...events, { at: to, gap: 0 }]) {
    for (const time of timesOf(said, clock.now(), at, needs)) {
      await room.runTo(time, step, [], onLook);
      problems.push(...checkTold(room, said, time));
    }
    await room.runTo(at, step, [], onLook);
    if (gap > 0) {
      await room.restart(gap);
      restarted.push({ from: at - 1_000, to: clock.now() + 1_000 });
    } else if (at < to && script.during !== undefined) {
      for (const wish of script.during.what(from)) await room.book.override(wish, room.actor);
      said = laterSaid(said, await room.said(date), clock.now());
      needs = needsByZone(room, date);
    }
  }
  await room.runTo(to + 15_000, step, [], onLook);
  const ledger = checkLedger(room, said, from, to, restarted);
  const circuits = checkCircuits(room, said, tolerance, restarted);
  const all = [...problems, ...ledger.problems, ...circuits.problems].map((one) => `${date} ${one}`);
  return { ...ledger, ...circuits, problems: all };
}

/** What was said first of what is over, what was said last of what was to come. */
function laterSaid(first: SchoolDayView, last: SchoolDayView, now: number): SchoolDayView {
  const circuits = (first.circuits ?? []).map((one): CircuitDay => {
    const again = last.circuits?.find(({ entry }) => entry === one.entry);
    return {
      ...one,
      changes: [...one.changes.filter(({ at }) => at <= now), ...(again?.changes ?? []).filter(({ at }) => at > now)],
    };
  });
  const occurrences = [
    ...first.occurrences.filter(({ at }) => at <= now),
    ...last.occurrences.filter(({ at }) => at > now),
  ];
  return { ...last, occurrences, circuits };
}

/** When something is said to happen, to be through or to end, or somebody to come or go: it is looked at then. */
function timesOf(said: SchoolDayView, from: number, to: number, needs: ReadonlyMap<string, readonly PowerNeed[]>) {
  const people = [...needs.values()].flat().flatMap((need) => [need.from, need.to]);
  const happen = said.occurrences.flatMap(({ at, do: action }) => [
    ...[at, at + 500, at + 1_000],
    ...('seconds' in action ? [at + action.seconds * 1_000] : []),
  ]);
  const all = [...happen, ...people].filter((at) => at > from && at < to);
  return [...new Set(all)].sort((a, b) => a - b);
}

/** When rooms are needed by any of their circuits. */
function needsByZone(room: TruthRoom, date: LocalDate): ReadonlyMap<string, readonly PowerNeed[]> {
  const found = new Map<string, PowerNeed[]>();
  for (const day of [addDays(date, -1), date]) {
    const plan = room.book.planOn(day);
    for (const power of plan === null ? [] : powersOf(plan)) {
      const zone = power.occupancy?.ref.split('/')[0]?.replace('sensor-', '');
      if (plan === null || zone === undefined) continue;
      found.set(zone, [...(found.get(zone) ?? []), ...needsOn(plan, power, day, room.book.overrides())]);
    }
  }
  return found;
}

/** At the very moment each output that was named is told what was said, and no other of the same entry. */
function checkTold(room: TruthRoom, said: SchoolDayView, time: number): readonly string[] {
  const now = said.occurrences.filter((one) => one.at === time);
  if (now.length === 0) return [];
  const outputs = room.commands.commands.outputs();
  return [...Map.groupBy(now, (one) => one.entry)].flatMap(([entry, all]) => {
    const owner = `schedule:${entry}`;
    const wanted = all
      .filter(({ silenced }) => silenced === null)
      .flatMap((one) => wantsOf(one, room.facts.soundZones));
    const told = outputs.flatMap(({ ref, stack }) => {
      const mine = stack.find((hold) => hold.owner === owner && hold.since === time);
      return mine === undefined ? [] : [{ ref, value: mine.value }];
    });
    const text = (list: readonly { ref: string; value: Value }[]) =>
      [...new Set(list.map((one) => `${one.ref}=${one.value}`))].sort().join(' ');
    return text(told) === text(wanted) ? [] : [`${entry}: told ${text(told) || 'nothing'}, said ${text(wanted)}`];
  });
}

/** A line for each that was said, done as it was said, and none besides. */
function checkLedger(
  room: TruthRoom,
  said: SchoolDayView,
  from: number,
  to: number,
  restarted: readonly Restarted[],
): Pick<DayFigures, 'occurrences' | 'silenced' | 'late' | 'problems'> {
  const lines = new Map(room.ledger(from, to).map((line) => [line.key, line]));
  const near = ({ at, do: action }: Occurrence) =>
    restarted.some(
      (gap) => at + ('seconds' in action ? Math.min(60_000, action.seconds * 1_000) : 0) >= gap.from && at <= gap.to,
    );
  const inConflict = new Set(said.conflicts.flatMap(({ of }) => of));
  const keys = new Set<string>(said.occurrences.map(({ key }) => key));
  const wrong = [...lines.keys()].filter((key) => !keys.has(key)).map((key) => `${key}: nobody had said so`);
  let late = 0;
  for (const one of said.occurrences) {
    const line = lines.get(one.key);
    const what = `${line?.outcome} ${line?.reason}`;
    const isLate = near(one) && ['late', 'skipped', 'failed', 'done'].includes(line?.outcome ?? '');
    const isGood = one.silenced === null ? what === 'done in-time' : what === 'skipped silenced';
    if (isLate && !isGood) late++;
    else if (!isGood && !(inConflict.has(one.key) && line?.outcome === 'done'))
      wrong.push(`${one.key}: ${what} ${line?.message}`);
  }
  const silenced = said.occurrences.filter((one) => one.silenced !== null).length;
  return { occurrences: said.occurrences.length, silenced, late, problems: wrong };
}

/** Each circuit as it was said; what came otherwise had been said to be assumed. */
function checkCircuits(
  room: TruthRoom,
  said: SchoolDayView,
  tolerance: number,
  restarted: readonly Restarted[],
): Pick<DayFigures, 'switches' | 'otherwise' | 'problems'> {
  const { from, to } = room.book.clock.dayOf(said.date);
  const byRef = Map.groupBy(room.switched, ({ ref }) => ref);
  const plan = room.book.planOn(said.date);
  const contested = new Set(
    said.conflicts.flatMap(({ code, params }) => (code === 'output-twice' ? [params?.ref] : [])),
  );
  let [switches, otherwise] = [0, 0];
  const wrong: string[] = [];
  for (const { entry, outputs, changes } of said.circuits ?? []) {
    const power = plan?.entries[entry];
    const rests = power?.part === 'power' && (power.occupancy !== null || power.prepare !== null);
    for (const ref of outputs) {
      // Said to be in two hands: whose word it is changes with who spoke last.
      if (contested.has(ref)) continue;
      const really = byRef.get(ref) ?? [];
      const begin = really.findLast(({ at }) => at <= from + tolerance)?.value;
      const rest = really.filter(({ at }) => at > from + tolerance && at < to);
      const [first, ...expected] = changes;
      const later = expected.filter(({ at }) => at > from && at < to - tolerance);
      if (later.every(({ at }) => at > from + tolerance) && begin !== first?.decision.value && !isAssumed(first))
        wrong.push(`${ref} at midnight ${begin}, said ${first?.decision.value}`);
      const left = [...rest];
      for (const change of later) {
        const found = left.findIndex(
          (one) => one.value === change.decision.value && isSoon(one, change, tolerance, restarted),
        );
        if (found !== -1) left.splice(found, 1);
        else if (isAssumed(change)) otherwise++;
        else wrong.push(`${ref} was not ${change.decision.value} at ${clockText(room, change.at)}`);
      }
      switches += rest.length;
      if (left.length > 0 && !rests)
        wrong.push(...left.map((one) => `${ref} was ${one.value} at ${clockText(room, one.at)}: nobody had said so`));
      if (left.length > 0 && rests) otherwise += left.length;
    }
  }
  return { switches, otherwise, problems: wrong };
}

function isAssumed(change: CircuitDay['changes'][number] | undefined): boolean {
  return change?.decision.why.some(({ code }) => code.startsWith('assumed-')) ?? false;
}

/** Whoever goes is last seen at the look before: what follows from that may come so much earlier. */
function isSoon(
  { at }: Switched,
  change: CircuitDay['changes'][number],
  tolerance: number,
  restarted: readonly Restarted[],
): boolean {
  const said = change.at;
  const gap = restarted.some((one) => said >= one.from - tolerance && said <= one.to) ? 30_000 : 0;
  return at >= said - (isAssumed(change) ? tolerance : 0) && at <= said + tolerance + gap;
}

function clockText(room: TruthRoom, time: number): string {
  const second = room.book.clock.secondOf(time);
  return new Date(second * 1_000).toISOString().slice(11, 19);
}
