import type { Name } from '#edge/domain/place.ts';
import type { SchoolTimetable, SlotKind, TimetablePiece } from '#edge/domain/school.ts';

/* The usual day of a school from few numbers. Ids stay when numbers change, so bells that hang on them stay where they belong. */

export type SchoolStage = 'primary' | 'junior' | 'senior';

/** Seconds are of the day; minutes are lengths. */
export interface UsualNumbers {
  /** When the first lesson begins. */
  readonly start: number;
  /** Reading before the first lesson; 0: none. Minutes. */
  readonly reading: number;
  readonly lesson: number;
  readonly break: number;
  readonly longBreak: number;
  /** After which lesson of the morning; 0: there is none. */
  readonly longBreakAfter: number;
  readonly lessonsAm: number;
  readonly lessonsPm: number;
  /** Minutes. */
  readonly eyeExercise: number;
  /** Before which lesson, counted through the day, its break ends with eye exercises; 0: not in that half. */
  readonly eyeExerciseAm: number;
  readonly eyeExercisePm: number;
  /** Minutes after the last lesson of the morning; what is left until the afternoon is free. */
  readonly lunch: number;
  /** Pinned: when the first lesson of the afternoon begins. */
  readonly afternoonStart: number;
  /** Minutes of activities after the last lesson; 0: none. */
  readonly activity: number;
  /** Evening study, pinned; minutes 0: none. */
  readonly eveningStart: number;
  readonly evening: number;
}

const hour = 3_600;
const minute = 60;

/**
 * Lessons do not begin before 8:20 in primary and 8:00 in secondary schools (Ministry of Education, 2021), breaks are 15 minutes (from
 * 2024 on, province by province), eye exercises come once in the morning and once in the afternoon.
 */
export const usualNumbers: Readonly<Record<SchoolStage, UsualNumbers>> = {
  primary: {
    ...{ start: 8 * hour + 30 * minute, reading: 10, lesson: 40, break: 15, longBreak: 30, longBreakAfter: 2 },
    ...{ lessonsAm: 4, lessonsPm: 2, eyeExercise: 5, eyeExerciseAm: 4, eyeExercisePm: 6, lunch: 60 },
    ...{ afternoonStart: 14 * hour, activity: 90, eveningStart: 19 * hour, evening: 0 },
  },
  junior: {
    ...{ start: 8 * hour, reading: 20, lesson: 45, break: 15, longBreak: 30, longBreakAfter: 2 },
    ...{ lessonsAm: 4, lessonsPm: 3, eyeExercise: 5, eyeExerciseAm: 4, eyeExercisePm: 6, lunch: 50 },
    ...{ afternoonStart: 14 * hour, activity: 60, eveningStart: 19 * hour, evening: 0 },
  },
  senior: {
    ...{ start: 8 * hour, reading: 30, lesson: 40, break: 10, longBreak: 30, longBreakAfter: 2 },
    ...{ lessonsAm: 5, lessonsPm: 4, eyeExercise: 5, eyeExerciseAm: 4, eyeExercisePm: 7, lunch: 50 },
    ...{ afternoonStart: 14 * hour + 20 * minute, activity: 40, eveningStart: 19 * hour, evening: 120 },
  },
};

/** The timetable of a day with these numbers. What does not fit (a morning that reaches into the afternoon) is a mistake of the plan. */
export function usualTimetable(name: Name, numbers: UsualNumbers): SchoolTimetable {
  const { reading, start, activity, evening, eveningStart } = numbers;
  const pieces = [
    ...(reading > 0 ? [piece('reading', 'reading', '早读', 'Morning reading', reading)] : []),
    ...morning(numbers),
    ...midday(numbers),
    ...afternoon(numbers),
    ...(activity > 0 ? [piece('activity', 'activity', '课后服务', 'After-class activities', activity)] : []),
    piece('dismissal', 'dismissal', '放学', 'Dismissal', 0),
    ...(evening > 0
      ? [{ ...piece('evening', 'evening-study', '晚自习', 'Evening study', evening), at: eveningStart }]
      : []),
  ];
  return { part: 'timetable', name, start: start - reading * minute, pieces };
}

function piece(id: string, kind: SlotKind, zh: string, en: string, minutes: number): TimetablePiece {
  return { id, kind, name: { zh, en }, minutes };
}

const numerals = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九', '十'];

function lessonPiece(n: number, minutes: number): TimetablePiece {
  return piece(`lesson-${n}`, 'lesson', `第${numerals[n] ?? n}节`, `Lesson ${n}`, minutes);
}

/** The break before lesson `n` of the day; its last minutes are eye exercises where they belong there. */
function breakBefore(n: number, numbers: UsualNumbers): TimetablePiece[] {
  const { eyeExercise, eyeExerciseAm, eyeExercisePm, longBreakAfter } = numbers;
  const isLong = longBreakAfter === n - 1;
  const whole = isLong ? numbers.longBreak : numbers.break;
  const eyes = n === eyeExerciseAm ? 1 : n === eyeExercisePm ? 2 : 0;
  const rest = eyes === 0 ? whole : Math.max(0, whole - eyeExercise);
  const pause = isLong
    ? piece(`break-${n - 1}`, 'long-break', '大课间', 'Long break', rest)
    : piece(`break-${n - 1}`, 'break', '课间', 'Break', rest);
  if (eyes === 0) return [pause];
  return [pause, piece(`eye-${eyes}`, 'eye-exercise', '眼保健操', 'Eye exercises', eyeExercise)];
}

function lessons(first: number, count: number, numbers: UsualNumbers): TimetablePiece[] {
  return Array.from({ length: Math.max(0, count) }, (_, n) => first + n).flatMap((n) => [
    ...(n === first ? [] : breakBefore(n, numbers)),
    lessonPiece(n, numbers.lesson),
  ]);
}

function morning(numbers: UsualNumbers): TimetablePiece[] {
  return lessons(1, numbers.lessonsAm, numbers);
}

function midday({ lunch }: UsualNumbers): TimetablePiece[] {
  return lunch > 0 ? [piece('lunch', 'lunch', '午餐', 'Lunch', lunch)] : [];
}

function afternoon(numbers: UsualNumbers): TimetablePiece[] {
  const all = lessons(numbers.lessonsAm + 1, numbers.lessonsPm, numbers);
  const [first, ...rest] = all;
  return first === undefined ? [] : [{ ...first, at: numbers.afternoonStart }, ...rest];
}
