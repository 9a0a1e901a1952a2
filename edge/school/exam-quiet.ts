import type { ZoneId } from '#edge/domain/ids.ts';
import type { LocalDate, Occurrence } from '#edge/domain/school.ts';
import { commandKey, commandsOf } from './exam-templates.ts';
import { withoutZones } from './overrides.ts';
import type { SchoolPlan } from './plan.ts';
import type { Planned } from './planned.ts';

/* Around the commands of a paper the rooms of the examination are silent but for emergencies, which do not come from here. */

export interface QuietWindow {
  readonly exam: string;
  readonly zones: readonly ZoneId[];
  /** ms since epoch, the end not included. */
  readonly from: number;
  readonly to: number;
}

const minute = 60_000;
const sounding: readonly string[] = ['bell', 'exercise', 'programme'];

/** From `quietBefore` minutes before the first command up to `quietAfter` minutes after the last has ended; shifted as they are. */
export function quietOfExams(
  plan: SchoolPlan,
  date: LocalDate,
  occurrences: readonly Occurrence[],
): readonly QuietWindow[] {
  const papers = plan.exams.flatMap((exam) => exam.papers.map((paper) => ({ exam, paper })));
  const today = papers.filter(({ paper }) => paper.date === date);
  if (today.length === 0) return [];
  const byKey = new Map(occurrences.map((one) => [one.key, one]));
  return today.flatMap(({ exam, paper }) => {
    const commands = commandsOf(exam, paper).flatMap((command) => byKey.get(commandKey(exam.id, command, date)) ?? []);
    if (commands.length === 0) return [];
    const from = Math.min(...commands.map(({ at }) => at)) - exam.quietBefore * minute;
    const ends = commands.map(({ at, do: action }) => at + ('seconds' in action ? action.seconds * 1_000 : 0));
    return [{ exam: exam.id, zones: exam.zones, from, to: Math.max(...ends) + exam.quietAfter * minute }];
  });
}

/** Power, screens and modes go on: they make no noise. */
export function isHeard({ do: action, class: of }: Pick<Occurrence, 'do' | 'class'>): boolean {
  return of !== 'exam' && (action.kind === 'sound' || sounding.includes(of));
}

export function silenceForExams(one: Planned, windows: readonly QuietWindow[]): Planned {
  if (one.silenced !== null || !isHeard(one)) return one;
  let left = one;
  for (const { exam, zones, from, to } of windows) {
    if (left.silenced !== null || one.at < from || one.at >= to) continue;
    left = withoutZones(left, (zone) => zones.includes(zone), { code: 'exam-quiet', entry: exam });
  }
  return left;
}
