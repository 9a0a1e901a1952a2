import type { SchoolDay, SchoolPower, SchoolReason } from '#edge/domain/school.ts';

/** A stretch in which somebody needs it. ms since epoch, the end not included. */
export interface PowerNeed {
  readonly from: number;
  readonly to: number;
  /** When it must be ready: its first slot begins, whatever is on beforehand. Between `from` and `to`. */
  readonly due: number;
  readonly why: readonly SchoolReason[];
}

const minute = 60_000;

/**
 * When a circuit is needed on a day. `isMeant`: the day is one of those in its filter; `timeOf`: what the wall clock's second of this day is
 * in ms. Stretches that lie closer together than it must stay off are one: it would be kept on between them, or come on too late.
 */
export function needsOf(
  power: SchoolPower,
  day: Pick<SchoolDay, 'date' | 'weekday' | 'slots'>,
  isMeant: boolean,
  timeOf: (second: number) => number,
): readonly PowerNeed[] {
  if (!isMeant || !isMonth(power, day.date)) return [];
  const { slots } = power;
  const ofSlots = (slots === null ? [] : day.slots.filter(({ kind }) => slots.kinds.includes(kind))).map((slot) => ({
    from: timeOf(slot.from) - (slots?.before ?? 0) * minute,
    to: timeOf(slot.to) + (slots?.after ?? 0) * minute,
    due: timeOf(slot.from),
    why: [{ code: 'slot', params: { zh: slot.name.zh, en: slot.name.en, id: slot.id } } satisfies SchoolReason],
  }));
  const ofWeek = power.weekly
    .filter(({ days }) => days.includes(day.weekday))
    .map(({ from, to }) => ({
      ...{ from: timeOf(from), to: timeOf(to), due: timeOf(from) },
      why: [{ code: 'time', params: { from, to } } satisfies SchoolReason],
    }));
  return joined([...ofSlots, ...ofWeek], power.minimumOff * minute);
}

function isMonth({ months }: SchoolPower, date: string): boolean {
  return months.length === 0 || months.includes(Number(date.slice(5, 7)));
}

function joined(needs: readonly PowerNeed[], gap: number): PowerNeed[] {
  const all: PowerNeed[] = [];
  for (const need of [...needs].sort((a, b) => a.from - b.from)) {
    if (need.to <= need.from) continue;
    const last = all.at(-1);
    if (last === undefined || need.from - last.to > gap) all.push(need);
    else all[all.length - 1] = { ...last, to: Math.max(last.to, need.to), why: [...last.why, ...need.why] };
  }
  return all;
}

/** Needs of days one after the other, joined over midnight. */
export function joinNeeds(power: SchoolPower, days: readonly (readonly PowerNeed[])[]): readonly PowerNeed[] {
  return joined(days.flat(), power.minimumOff * minute);
}
