import type { PointRef, ZoneId } from './ids.ts';
import type { Name } from './place.ts';
import type { Value } from './reading.ts';

/*
 * The school day: what people paint and write (entries), and what it comes to on a day (slots, occurrences). Pure shapes: the sums
 * are in edge/school. A plan is the entries of a draft, or of a release that somebody has signed off; only releases are acted on.
 * Dates are local days of the campus, ISO `yyyy-mm-dd`. Times of day are seconds after local midnight, 0 to 86,399, as a clock on the
 * wall shows them; times in ms are since epoch UTC.
 */

/** ISO local day. */
export type LocalDate = string;
/** 1 = Monday .. 7. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;
/** Odd and even weeks of a term (单双周); its first week is 1. */
export type Parity = 'odd' | 'even';

/** What kind of day it is. `school`: lessons; `make-up`: lessons of another weekday (调休); `exam` and `event`: lessons may be dropped. */
export const dayKinds = ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'] as const;
export type DayKind = (typeof dayKinds)[number];

/** A timetable ends here at the latest: nobody rings past midnight. */
export const lastSecond = 86_399;

export const slotKinds = [
  ...['arrival', 'assembly', 'reading', 'lesson', 'break', 'long-break', 'exercise', 'eye-exercise', 'lunch', 'nap'],
  ...['activity', 'evening-study', 'dismissal', 'lights-out'],
] as const;
export type SlotKind =
  | 'arrival'
  | 'assembly'
  | 'reading'
  | 'lesson'
  | 'break'
  | 'long-break'
  | 'exercise'
  | 'eye-exercise'
  | 'lunch'
  | 'nap'
  | 'activity'
  | 'evening-study'
  | 'dismissal'
  | 'lights-out';

/** A stretch of the school day, e.g. the third lesson. */
export interface Slot {
  /** Unique in its timetable, kept when it moves: `lesson-3`, `break-3`, `eye-1`. */
  readonly id: string;
  readonly kind: SlotKind;
  readonly name: Name;
  /** Seconds of the day; `to` is not before `from`. */
  readonly from: number;
  readonly to: number;
}

/** What a timetable is made of: pieces one after the other, so that moving one moves those after it. */
export interface TimetablePiece {
  readonly id: string;
  readonly kind: SlotKind;
  readonly name: Name;
  /** Minutes, 0 to 480. */
  readonly minutes: number;
  /** Pinned: begins then, whatever came before (lunch at 12:00). A gap before it is nobody's; an overlap is a mistake. Seconds. */
  readonly at?: number;
}

/** A level at which a calendar may differ: the campus, a building, a grade. A layer inherits from its parent what it does not say. */
export interface SchoolLayer {
  readonly part: 'layer';
  readonly name: Name;
  readonly kind: 'building' | 'grade' | 'other';
  /** Another layer, or null: right under the campus. */
  readonly parent: string | null;
  readonly zones: readonly ZoneId[];
}

/** `campus`: the layer that everything belongs to and nobody has to make. */
export const campusLayer = 'campus';

export interface SchoolTerm {
  readonly part: 'term';
  readonly name: Name;
  /** The Monday of week 1. */
  readonly from: LocalDate;
  readonly weeks: number;
  /** First and last day on which there is school; without them the whole of its weeks. */
  readonly opens?: LocalDate;
  readonly closes?: LocalDate;
}

/** Which timetable holds from when to when (冬夏令时): the first rule that fits a day gives it. */
export interface SchoolSeason {
  readonly part: 'season';
  readonly name: Name;
  readonly layer: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly weekly: readonly {
    readonly days: readonly Weekday[];
    readonly parity?: Parity;
    readonly timetable: string;
  }[];
}

export interface SchoolTimetable {
  readonly part: 'timetable';
  readonly name: Name;
  /** Seconds of the day at which the first piece begins. */
  readonly start: number;
  readonly pieces: readonly TimetablePiece[];
}

/** A day (or days) that is not like its weekday: painted in the calendar. */
export interface SchoolDays {
  readonly part: 'days';
  readonly name: Name;
  readonly layer: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly kind: DayKind;
  /** Lessons of that weekday (按周三课表), and of that week's parity. */
  readonly useWeekday?: Weekday;
  readonly useParity?: Parity;
  /** Instead of what the season says. */
  readonly timetable?: string;
}

/** How much it matters, and how late it may still be done (`lateness` below). */
export const itemClasses = ['exam', 'bell', 'exercise', 'programme', 'power', 'screen', 'mode'] as const;
export type ItemClass = (typeof itemClasses)[number];

/** When on a day. Offsets are seconds, negative: before. */
export type Anchor =
  | { readonly at: number }
  | {
      /** A slot by id, or every slot of a kind. */
      readonly slot: string | { readonly kind: SlotKind };
      readonly edge: 'start' | 'end';
      readonly offset: number;
    };

export interface DayFilter {
  /** Empty: school, make-up and exam days. */
  readonly kinds: readonly DayKind[];
  /** Empty: any. Of a make-up day it is the weekday whose lessons it has. */
  readonly weekdays: readonly Weekday[];
  readonly parity?: Parity;
  /** Only while the rainy-day switch is on, or off. */
  readonly weather?: 'rainy' | 'dry';
  readonly from?: LocalDate;
  readonly to?: LocalDate;
}

export type SchoolAction =
  /** A clip of the site file, in these zones (empty: those of the item's layer), as often as said. Volume: 0 to 1. */
  | {
      readonly kind: 'sound';
      readonly clip: string;
      readonly zones: readonly ZoneId[];
      readonly seconds: number;
      readonly volume?: number;
    }
  /** Outputs held at priority 15 for so long. */
  | {
      readonly kind: 'hold';
      readonly outputs: readonly { readonly ref: PointRef; readonly value: Value }[];
      readonly seconds: number;
    }
  | { readonly kind: 'mode'; readonly mode: string; readonly on: boolean; readonly seconds: number };

/** Something that happens at a time of the day: a bell, a programme, a switch, a screen, a mode. */
export interface SchoolItem {
  readonly part: 'item';
  readonly name: Name;
  readonly class: ItemClass;
  readonly layer: string;
  readonly when: Anchor;
  readonly days: DayFilter;
  readonly do: SchoolAction;
  readonly enabled: boolean;
}

/** An examination: its papers, and the commands that are read out for each (a template of the state, or of the school). */
export interface SchoolExam {
  readonly part: 'exam';
  readonly name: Name;
  readonly layer: string;
  /** Rooms of the examination: everything but emergencies is silent in them from `quietBefore` minutes before the first command. */
  readonly zones: readonly ZoneId[];
  readonly template: 'sichuan';
  readonly papers: readonly {
    readonly name: Name;
    readonly date: LocalDate;
    /** Seconds of the day. */
    readonly at: number;
    readonly minutes: number;
  }[];
  /** Clip of each command by its id (`entry-music`, `entry-bell`, ...); a command without one is shown, not sounded. */
  readonly clips: Readonly<Record<string, string>>;
  readonly quietBefore: number;
  readonly quietAfter: number;
}

/** What a circuit, an air conditioner or a screen should do through the weeks. Decided anew all the time, not at instants. */
export interface SchoolPower {
  readonly part: 'power';
  readonly name: Name;
  readonly layer: string;
  readonly kind: 'light' | 'air' | 'socket' | 'screen' | 'water' | 'other';
  readonly outputs: readonly PointRef[];
  readonly on: Value;
  readonly off: Value;
  /** When somebody needs it: slots of these kinds with so many minutes before and after, on days as in `days`; */
  readonly slots: {
    readonly kinds: readonly SlotKind[];
    readonly before: number;
    readonly after: number;
  } | null;
  /** or stretches of the week (seconds of the day). Both: either. */
  readonly weekly: readonly { readonly days: readonly Weekday[]; readonly from: number; readonly to: number }[];
  readonly days: DayFilter;
  /** Months (1 to 12) in which it is used at all; empty: all. */
  readonly months: readonly number[];
  /** Off when nobody has been there for so many minutes; on only when somebody comes (`needed`) or by the schedule alone. */
  readonly occupancy: {
    readonly ref: PointRef;
    readonly offAfter: number;
    readonly toStart: 'needed' | 'schedule';
  } | null;
  /** Started early enough that the room has its temperature when the slot begins. Cel, minutes. */
  readonly prepare: {
    readonly temperature: PointRef;
    readonly mode: 'heat' | 'cool';
    readonly setpoint: number;
    readonly tolerance: number;
    /** Cel per hour, until its own history tells; and no earlier than so many minutes before. */
    readonly rate: number;
    readonly earliest: number;
  } | null;
  /** While nobody needs it: off, or held there (a frost guard of an air conditioner that takes a setpoint). */
  readonly setback: { readonly value: Value } | null;
  /** Minutes. */
  readonly minimumOn: number;
  readonly minimumOff: number;
}

export type SchoolEntry =
  | SchoolLayer
  | SchoolTerm
  | SchoolSeason
  | SchoolTimetable
  | SchoolDays
  | SchoolItem
  | SchoolExam
  | SchoolPower;
export type SchoolPart = SchoolEntry['part'];

/** A plan by entry id. */
export type SchoolEntries = Readonly<Record<string, SchoolEntry>>;

/** Said by people for a while, acted on at once, without a sign-off; each ends by itself. */
export interface SchoolOverride {
  readonly id: string;
  readonly what:
    | { readonly kind: 'rainy' }
    /** No item of these classes (empty: none but `exam`) sounds or acts in these zones. */
    | { readonly kind: 'quiet'; readonly classes: readonly ItemClass[]; readonly zones: readonly ZoneId[] }
    /** One occurrence is left out. */
    | { readonly kind: 'skip'; readonly key: string }
    /** All after that time of the day happens so much later today (seconds; an assembly that ran over). */
    | { readonly kind: 'shift'; readonly date: LocalDate; readonly after: number; readonly seconds: number };
  readonly layer: string;
  readonly from: number;
  readonly until: number;
  readonly by: string;
  readonly why: string;
}

/** Official holidays and make-up days of a year, as published; a file each (edge/school/holidays). */
export interface HolidayYear {
  readonly year: number;
  readonly source: string;
  /** ISO date. */
  readonly published: LocalDate;
  readonly days: readonly { readonly date: LocalDate; readonly off: boolean; readonly name: Name }[];
}

/** Why something is as it is, one step of a chain; the console has the words. `params` are names, dates, numbers. */
export interface SchoolReason {
  readonly code: SchoolReasonCode;
  /** The entry (or override, or holiday year) it comes from. */
  readonly entry?: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

export type SchoolReasonCode =
  | 'painted'
  | 'exam'
  | 'holiday'
  | 'make-up'
  | 'make-up-no-weekday'
  | 'weekend'
  | 'weekday'
  | 'vacation'
  | 'week'
  | 'inherited'
  | 'season'
  | 'no-season'
  | 'no-timetable'
  | 'timetable'
  | 'slot'
  | 'time'
  | 'rainy'
  | 'shift'
  | 'skipped'
  | 'quiet'
  | 'exam-quiet'
  | 'disabled'
  | 'unconfirmed-year'
  | 'clock-gap'
  | 'clock-twice'
  | 'occupied'
  | 'empty'
  | 'preparing'
  | 'setback'
  | 'minimum-on'
  | 'minimum-off'
  | 'not-this-month'
  | 'no-need'
  | 'assumed-occupied'
  | 'assumed-temperature'
  | 'no-reading';

/** What a date is for a layer. */
export interface SchoolDay {
  readonly date: LocalDate;
  readonly layer: string;
  readonly kind: DayKind;
  readonly weekday: Weekday;
  /** Whose lessons it has; another than `weekday` on a make-up day. null: none. */
  readonly lessonsOf: Weekday | null;
  /** Week of the term and its parity; null outside terms. */
  readonly week: { readonly term: string; readonly number: number; readonly parity: Parity } | null;
  readonly timetable: string | null;
  readonly slots: readonly Slot[];
  readonly why: readonly SchoolReason[];
  /** What is assumed and not known: official holidays of a year without data, a make-up day without its weekday. Loud on every screen. */
  readonly unconfirmed: readonly SchoolReason[];
}

/** One thing that happens once. */
export interface Occurrence {
  /** `<entry>[.<slot or command>]@<date>T<hh:mm:ss>`: the planned local time; the same for as long as the plan says the same. */
  readonly key: string;
  readonly entry: string;
  readonly name: Name;
  readonly class: ItemClass;
  readonly layer: string;
  /** ms since epoch; where the local clock skips the time, right after the gap; where it shows it twice, the first. */
  readonly at: number;
  readonly date: LocalDate;
  readonly second: number;
  readonly do: SchoolAction | { readonly kind: 'show'; readonly command: string };
  /** Where, after layers are worked out. */
  readonly zones: readonly ZoneId[];
  readonly why: readonly SchoolReason[];
  /** Not done, and why (an override, quiet of an exam); null: done. */
  readonly silenced: SchoolReason | null;
}

/** How late is still right, ms, by class; exams are never late by themselves: somebody is asked. */
export interface Lateness {
  /** Done as if in time. */
  readonly fine: number;
  /** Done, and told as late; beyond that skipped. */
  readonly most: number;
}

/** facts: a bell 5 s late is a bell, 30 s late it only confuses; exercises may begin two minutes late. */
export const lateness: Readonly<Record<ItemClass, Lateness>> = {
  exam: { fine: 1_000, most: 1_000 },
  bell: { fine: 5_000, most: 30_000 },
  exercise: { fine: 5_000, most: 120_000 },
  programme: { fine: 10_000, most: 120_000 },
  power: { fine: 60_000, most: 3_600_000 },
  screen: { fine: 30_000, most: 900_000 },
  mode: { fine: 30_000, most: 3_600_000 },
};

export const ledgerOutcomes = ['begun', 'done', 'late', 'skipped', 'failed', 'asked'] as const;
export type LedgerOutcome = (typeof ledgerOutcomes)[number];

/** What became of an occurrence; written before it is done (`begun`). One row for a key, for good. */
export interface LedgerLine {
  readonly key: string;
  readonly entry: string;
  readonly class: ItemClass;
  /** As planned, ms since epoch. */
  readonly planned: number;
  /** When it was decided. */
  readonly time: number;
  readonly outcome: LedgerOutcome;
  /** In a word: `in-time`, `late`, `too-late`, `clock-untrusted`, `clock-jumped`, `silenced`, `restart`, `refused` ... */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** The release that said so. */
  readonly release: string;
  /** What it was called, and where it was to be, for whoever reads it later. */
  readonly name?: Name;
  readonly zones?: readonly ZoneId[];
}

/** A plan that somebody has signed: what runs from a day to a day. */
export interface SchoolRelease {
  readonly id: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly by: string;
  readonly time: number;
  readonly why: string;
  readonly entries: SchoolEntries;
  /** Signed with these assumptions standing (unconfirmed years ...), in words of reasons. */
  readonly accepted: readonly SchoolReason[];
  /** Taken back: what was signed before it holds again. */
  readonly undone: { readonly by: string; readonly time: number; readonly why: string } | null;
}

export type ConflictCode =
  | 'same-sound'
  | 'sound-in-exam'
  | 'overlapping-sounds'
  | 'output-twice'
  | 'outside-day'
  | 'slots-overlap'
  /** The campus has no such output, clip, loudspeaker or mode, or the output no such value; `params.code` says which. */
  | 'cannot-work'
  | 'nothing-signed';

/** Something in a day that cannot be meant. */
export interface DayConflict {
  readonly code: ConflictCode;
  readonly date: LocalDate;
  /** Keys of occurrences, or ids of entries. */
  readonly of: readonly string[];
  readonly params?: Readonly<Record<string, string | number>>;
}
