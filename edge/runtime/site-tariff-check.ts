import type { SiteTariff } from './site-energy.ts';

/* Tariffs that cannot be summed, that begin on one day, or whose periods overlap. */

export function findBrokenTariffs(tariffs: readonly SiteTariff[]): string[] {
  const mistakes = repeated(
    tariffs.map(({ medium, from }) => `${medium} from ${from}`),
    (i) => `energy.tariffs[${i}].from`,
  );
  const [first] = tariffs;
  tariffs.forEach((tariff, i) => {
    const path = `energy.tariffs[${i}]`;
    if (first !== undefined && tariff.currency !== first.currency) {
      mistakes.push(
        `${path}.currency: ${tariff.currency} cannot be summed with the ${first.currency} of energy.tariffs[0]`,
      );
    }
    if (tariff.medium !== 'electricity') {
      if (tariff.demandPrice !== undefined) mistakes.push(`${path}.demandPrice: only electricity has one`);
      if (tariff.powerFactor !== undefined) mistakes.push(`${path}.powerFactor: only electricity has one`);
    }
    mistakes.push(
      ...repeated(
        tariff.periods.map(({ id }) => id),
        (j) => `${path}.periods[${j}].id`,
      ),
    );
    mistakes.push(...findOverlaps(tariff.periods, `${path}.periods`));
  });
  return mistakes;
}

type Period = SiteTariff['periods'][number];

function findOverlaps(periods: readonly Period[], path: string): string[] {
  return periods.flatMap((period, i) => {
    const seen = new Set<number>();
    const twice = quartersOf(period).find((quarter) => seen.size === seen.add(quarter).size);
    const own = twice === undefined ? [] : [`${path}[${i}].times: ${inWords(twice)} is in it twice`];
    const others = periods.slice(0, i).flatMap((other, j) => {
      const common = commonQuarter(period, other);
      return common === null ? [] : [`${path}[${i}]: overlaps with ${path}[${j}] ("${other.id}") ${common}`];
    });
    return [...own, ...others];
  });
}

const weekdays = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'];

function inWords(quarterOfWeek: number): string {
  const minutes = (quarterOfWeek % 96) * 15;
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  return `on ${weekdays[Math.floor(quarterOfWeek / 96)] ?? ''} at ${clock}`;
}

/** Quarters of the week, 0 on Monday at 00:00. What runs over midnight belongs to the day on which it began. */
function quartersOf({ days, times }: Period): number[] {
  const all = days.length > 0 ? [...new Set(days)] : [1, 2, 3, 4, 5, 6, 7];
  return all.flatMap((day) =>
    times.flatMap(({ from, to }) => {
      const length = (to > from ? to - from : 1_440 - from + to) / 15;
      return Array.from({ length }, (_, i) => ((day - 1) * 96 + from / 15 + i) % 672);
    }),
  );
}

function commonQuarter(a: Period, b: Period): string | null {
  const areApart = a.months.length > 0 && b.months.length > 0 && !a.months.some((month) => b.months.includes(month));
  if (areApart) return null;
  const first = new Set(quartersOf(a));
  const common = quartersOf(b).find((quarter) => first.has(quarter));
  return common === undefined ? null : inWords(common);
}

/** What is in a list a second time. */
export function repeated(list: readonly string[], where: (i: number) => string): string[] {
  return list.flatMap((text, i) => (list.indexOf(text) < i ? [`${where(i)}: "${text}" is there twice`] : []));
}
