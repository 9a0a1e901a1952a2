import { datesFrom } from './dates.ts';

/* Which signature holds on which days, as the box decides it: of those that are not taken back the newest. Pure. */

export interface Signed {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly time: number;
  readonly undone: unknown;
}

export interface Held<Release> {
  readonly from: string;
  readonly to: string;
  /** null: nothing is signed. */
  readonly release: Release | null;
}

function releaseOn<Release extends Signed>(all: readonly Release[], date: string): Release | null {
  let newest: Release | null = null;
  for (const one of all) {
    if (one.undone !== null || date < one.from || date > one.to) continue;
    if (newest === null || one.time > newest.time || (one.time === newest.time && one.id > newest.id)) newest = one;
  }
  return newest;
}

/** What holds on the days of a signature, from today on, once that is taken back; days that are alike are one. */
export function holdsWithout<Release extends Signed>(
  gone: Release,
  all: readonly Release[],
  today: string,
): readonly Held<Release>[] {
  const others = all.filter(({ id }) => id !== gone.id);
  const found: Held<Release>[] = [];
  for (const date of datesFrom(gone.from > today ? gone.from : today, gone.to)) {
    const release = releaseOn(others, date);
    const last = found.at(-1);
    if (last !== undefined && last.release?.id === release?.id) found[found.length - 1] = { ...last, to: date };
    else found.push({ from: date, to: date, release });
  }
  return found;
}
