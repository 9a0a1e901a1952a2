import type { LocalDate } from '#edge/domain/school.ts';
import { dateOfNumber, numberOf } from './dates.ts';

/*
 * What the clock on the wall shows, and when it shows it. `Intl` is slow (some 10 µs an answer), and the bells of a year ask some hundred
 * thousand times: it is asked for the offset once a UTC day, and within a day only where the offset changes.
 */

export interface SchoolClock {
  readonly timeZone: string;
  dateOf(time: number): LocalDate;
  /** Seconds after local midnight, as the wall clock shows. */
  secondOf(time: number): number;
  /** ms since epoch; `gap`: the clock skips it (right after the gap is given), `twice`: shown twice (the first is given). */
  timeOf(date: LocalDate, second: number): { readonly at: number; readonly odd: 'gap' | 'twice' | null };
  /** Start of the local day and of the next. */
  dayOf(date: LocalDate): { readonly from: number; readonly to: number };
}

/** From `from` on (ms since epoch, until the next piece) the wall shows UTC + `offset` ms. */
interface Piece {
  readonly from: number;
  readonly offset: number;
}

/** A local day without a change of offset has one piece. */
interface KnownDay {
  readonly midnight: number;
  readonly pieces: readonly Piece[];
}

const msOfDay = 86_400_000;
/** No zone is further from UTC; the day before and after a date hold all its moments. */
const mostKept = 4_000;

/** Throws a RangeError for a zone that this system does not know. */
export function createSchoolClock(timeZone: string): SchoolClock {
  const piecesOf = offsetsIn(timeZone);
  const days = new Map<LocalDate, KnownDay>();

  function offsetAt(time: number): number {
    let offset = 0;
    for (const piece of piecesOf(Math.floor(time / msOfDay))) if (piece.from <= time) offset = piece.offset;
    return offset;
  }

  function knownDay(date: LocalDate): KnownDay {
    const kept = days.get(date);
    if (kept !== undefined) return kept;
    const number = numberOf(date);
    const pieces = joined([number - 1, number, number + 1, number + 2].flatMap(piecesOf));
    if (days.size >= mostKept) days.clear();
    const day = { midnight: number * msOfDay, pieces };
    days.set(date, day);
    return day;
  }

  function timeOf(date: LocalDate, second: number) {
    const { midnight, pieces } = knownDay(date);
    const wall = midnight + second * 1_000;
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined) return { at: wall - first.offset, odd: null };
    return search(wall, pieces);
  }

  return {
    timeZone,
    dateOf: (time) => dateOfNumber(Math.floor((time + offsetAt(time)) / msOfDay)),
    secondOf: (time) => Math.floor(remainder(time + offsetAt(time), msOfDay) / 1_000),
    timeOf,
    dayOf: (date) => ({ from: timeOf(date, 0).at, to: timeOf(dateOfNumber(numberOf(date) + 1), 0).at }),
  };
}

/** Around a change: every piece in which the wall shows it, or the end of the gap in which it falls. */
function search(wall: number, pieces: readonly Piece[]): { at: number; odd: 'gap' | 'twice' | null } {
  const found: number[] = [];
  let afterGap = Number.NaN;
  for (const [n, piece] of pieces.entries()) {
    const next = pieces[n + 1];
    const at = wall - piece.offset;
    if (at >= piece.from && (next === undefined || at < next.from)) found.push(at);
    if (next !== undefined && at >= next.from && wall - next.offset < next.from) afterGap = next.from;
  }
  const [first] = found;
  if (first === undefined) return { at: afterGap, odd: 'gap' };
  return { at: first, odd: found.length > 1 ? 'twice' : null };
}

function joined(pieces: readonly Piece[]): Piece[] {
  const all: Piece[] = [];
  for (const piece of pieces) if (all.at(-1)?.offset !== piece.offset) all.push(piece);
  return all;
}

function remainder(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** The offsets of a UTC day, kept. Two changes within one day that undo each other would go unseen; no zone has ever had them. */
function offsetsIn(timeZone: string): (utcDay: number) => readonly Piece[] {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const starts = new Map<number, number>();
  const days = new Map<number, readonly Piece[]>();

  function ask(time: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(time)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000;
  }

  function atStart(utcDay: number): number {
    const kept = starts.get(utcDay);
    if (kept !== undefined) return kept;
    const offset = ask(utcDay * msOfDay);
    if (starts.size >= mostKept) starts.clear();
    starts.set(utcDay, offset);
    return offset;
  }

  /** The first second of the other offset; changes fall on whole seconds. */
  function changeIn(utcDay: number, before: number): number {
    let low = utcDay * 86_400;
    let high = low + 86_400;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (ask(middle * 1_000) === before) low = middle;
      else high = middle;
    }
    return high * 1_000;
  }

  return (utcDay) => {
    const kept = days.get(utcDay);
    if (kept !== undefined) return kept;
    const before = atStart(utcDay);
    const after = atStart(utcDay + 1);
    const pieces = [{ from: utcDay * msOfDay, offset: before }];
    if (after !== before) pieces.push({ from: changeIn(utcDay, before), offset: after });
    if (days.size >= mostKept) days.clear();
    days.set(utcDay, pieces);
    return pieces;
  };
}
