/*
 * How much energy went through a meter up to now, from a counter that is read now and then and a power that is read often. The two
 * check each other: a counter that is stuck and a power that is read too low must not hide what is drawn, so both are followed, and
 * of a stretch the larger of the two counts.
 */

export interface CoursePoint {
  /** ms since epoch. */
  readonly t: number;
  /** kW.h since some time before: as the counter has it, and as the power adds up to. */
  readonly counted: number;
  readonly summed: number;
  /** The stretch up to this point was measured, not guessed. */
  readonly sure: boolean;
}

export interface Measured {
  readonly value: number;
  /** When it was so, ms since epoch. */
  readonly time: number;
}

export interface Course {
  /** Ascending in time; spans the window and a little more. */
  readonly points: readonly CoursePoint[];
  /** What is added to the counter to come onto this course; null: no counter was seen yet. */
  readonly offset: number | null;
  /** Last usable power. */
  readonly power: Measured | null;
  /** When the counter was read last, ms since epoch; null: never. */
  readonly counterTime: number | null;
}

export const emptyCourse: Course = { points: [], offset: null, power: null, counterTime: null };

export interface CourseSettings {
  /** ms. */
  readonly window: number;
  /** kW: what is drawn can hardly be more than a few times as much. */
  readonly limit: number;
}

/** A power older than this says nothing about now, ms: a fast poll is seconds, a line that mends itself half a minute. */
export const powerPatience = 60_000;
const counterPatience = 180_000;
const hourMs = 3_600_000;

/** Power to reckon with, kW; null: nobody knows. */
export function powerNow({ points, power, counterTime }: Course, now: number): number | null {
  if (power !== null && isFresh(power, now, powerPatience)) return power.value;
  // A meter without power, or whose power is bad: the slope of its counter.
  if (counterTime === null || now - counterTime > counterPatience) return null;
  const last = points.at(-1);
  const from = now - counterPatience;
  const first = points[0];
  if (last === undefined || first === undefined || first.t > from || now - last.t > powerPatience) return null;
  return ((last.counted - at(points, from).counted) / (last.t - from)) * hourMs;
}

function isFresh({ time }: Measured, now: number, patience: number): boolean {
  return now - time <= patience && time - now <= patience;
}

/** Takes what was read. Bad values are null: they are not given in. */
export function advance(
  course: Course,
  now: number,
  power: Measured | null,
  counter: Measured | null,
  settings: CourseSettings,
): Course {
  const last = course.points.at(-1);
  const usable = power !== null && isFresh(power, now, powerPatience) ? power : null;
  const total = counter !== null && isFresh(counter, now, settings.window) ? counter : null;
  const known: Course = {
    ...course,
    power: usable ?? course.power,
    counterTime: total?.time ?? course.counterTime,
  };
  if (usable === null && total === null) return known;
  if (last === undefined || now <= last.t) return last === undefined ? begin(known, now, usable, total) : known;
  return extend(known, last, now, usable, total, course.power, settings);
}

function begin(course: Course, now: number, power: Measured | null, total: Measured | null): Course {
  const points = [{ t: now, counted: 0, summed: 0, sure: true }];
  return { ...course, points, offset: total === null ? null : -reckoned(total, power?.value ?? 0, now) };
}

/** The counter as it would stand now. */
function reckoned({ value, time }: Measured, rate: number, now: number): number {
  return value + (Math.max(0, rate) * Math.max(0, now - time)) / hourMs;
}

function extend(
  course: Course,
  last: CoursePoint,
  now: number,
  power: Measured | null,
  total: Measured | null,
  before: Measured | null,
  settings: CourseSettings,
): Course {
  const gap = now - last.t;
  const isGap = gap > powerPatience;
  const drawn = power === null ? null : drawnSince(power, before, gap, isGap);
  const counted = total === null ? null : countedSince(course, last, total, power, drawn, gap, settings);
  const rise = counted?.rise ?? drawn ?? 0;
  // What the counter went through while nobody heard it is known; what the power did meanwhile is not.
  const summed = drawn === null || (isGap && counted !== null) ? rise : drawn;
  const sure = !isGap || counted !== null;
  const point = { t: now, counted: last.counted + rise, summed: last.summed + summed, sure };
  return { ...course, offset: counted?.offset ?? course.offset, points: kept(course.points, point, settings.window) };
}

/** Over a gap the higher of the two powers counts: to think too much was drawn is the safe mistake. */
function drawnSince(power: Measured, before: Measured | null, gap: number, isGap: boolean): number {
  const earlier = before?.value ?? power.value;
  const mean = isGap ? Math.max(power.value, earlier) : (power.value + earlier) / 2;
  return (Math.max(0, mean) * gap) / hourMs;
}

function countedSince(
  course: Course,
  last: CoursePoint,
  total: Measured,
  power: Measured | null,
  drawn: number | null,
  gap: number,
  { limit, window }: CourseSettings,
): { readonly rise: number; readonly offset: number } {
  const stands = reckoned(total, power?.value ?? 0, last.t + gap);
  const expected = last.counted + (drawn ?? 0);
  if (course.offset === null) return { rise: drawn ?? 0, offset: expected - stands };
  const rise = stands + course.offset - last.counted;
  const tolerance = (0.05 * limit * window) / hourMs;
  const most = (3 * limit * gap) / hourMs + tolerance;
  // Another meter, a reset, a spike: the counter begins anew from what the power says.
  if (rise < -tolerance || rise > most) return { rise: drawn ?? 0, offset: expected - stands };
  return { rise: Math.max(0, rise), offset: course.offset };
}

/** One point in a hundredth of the window is enough; the newest is always there. */
function kept(points: readonly CoursePoint[], point: CoursePoint, window: number): readonly CoursePoint[] {
  const oldest = point.t - window - 2 * counterPatience;
  const before = points.at(-2);
  const last = points.at(-1);
  const isDense =
    before !== undefined && last !== undefined && point.t - before.t < window / 100 && last.sure === point.sure;
  const rest = isDense ? points.slice(0, -1) : points;
  let first = 0;
  while ((rest[first + 1]?.t ?? Number.POSITIVE_INFINITY) <= oldest) first++;
  return [...(first > 0 ? rest.slice(first) : rest), point];
}

/** The clock was put forward or back: what was measured keeps its distance from now. */
export function shifted(course: Course, by: number): Course {
  const { power, counterTime } = course;
  return {
    ...course,
    points: course.points.map((point) => ({ ...point, t: point.t + by })),
    power: power === null ? null : { ...power, time: power.time + by },
    counterTime: counterTime === null ? null : counterTime + by,
  };
}

export interface Used {
  /** kW.h; what is not covered is reckoned at `rate`. */
  readonly energy: number;
  /** Share of the stretch that was measured, 0 to 1. */
  readonly known: number;
}

/** What went through between two times; before the first point and after the last one, `rate` kW. */
export function usedBetween({ points }: Course, from: number, to: number, rate: number): Used {
  if (to <= from) return { energy: 0, known: 1 };
  const first = points[0];
  const last = points.at(-1);
  const a = Math.max(from, first?.t ?? to);
  const b = Math.min(to, last?.t ?? from);
  if (first === undefined || b <= a) return { energy: (Math.max(0, rate) * (to - from)) / hourMs, known: 0 };
  const start = at(points, a);
  const end = at(points, b);
  const inside = Math.max(end.counted - start.counted, end.summed - start.summed);
  const outside = (Math.max(0, rate) * (to - from - (b - a))) / hourMs;
  return { energy: inside + outside, known: sureTime(points, a, b) / (to - from) };
}

function sureTime(points: readonly CoursePoint[], from: number, to: number): number {
  let time = 0;
  for (let i = points.length - 1; i > 0; i--) {
    const point = points[i];
    const before = points[i - 1];
    if (point === undefined || before === undefined || point.t <= from) break;
    if (point.sure) time += Math.max(0, Math.min(point.t, to) - Math.max(before.t, from));
  }
  return time;
}

/** Between two points in proportion to the time. `t` is within the course. */
function at(points: readonly CoursePoint[], t: number): Pick<CoursePoint, 'counted' | 'summed'> {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.t ?? 0) <= t) low = middle;
    else high = middle;
  }
  const a = points[low];
  const b = points[high];
  if (a === undefined || b === undefined) return { counted: 0, summed: 0 };
  const share = b.t > a.t ? Math.min(1, Math.max(0, (t - a.t) / (b.t - a.t))) : 1;
  return {
    counted: a.counted + share * (b.counted - a.counted),
    summed: a.summed + share * (b.summed - a.summed),
  };
}
