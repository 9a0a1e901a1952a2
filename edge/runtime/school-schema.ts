import { z } from 'zod';
import { slugPattern, splitPointRef } from '#edge/domain/ids.ts';
import {
  dayKinds,
  itemClasses,
  lastSecond,
  type SchoolEntries,
  type SchoolEntry,
  slotKinds,
} from '#edge/domain/school.ts';
import { describeIssues } from './site.ts';

/*
 * What people write about the school day, as it comes over HTTP and lies in the store: shapes and bounds only. Whether it makes sense
 * together (a timetable that is not there, a term that ends before it begins) is said by `compilePlan`, so that a draft may be half done.
 */

const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const label = z.string().trim().min(1).max(80);
const name = z.strictObject({ zh: label, en: label });
const date = z.iso.date();
const second = z.int().min(0).max(lastSecond);
/** Up to the end of the day, as an end that is not included. */
const endSecond = z
  .int()
  .min(0)
  .max(lastSecond + 1);
const minutes = (most: number) => z.int().min(0).max(most);
const weekday = z.union([
  z.literal(1),
  z.literal(2),
  z.literal(3),
  z.literal(4),
  z.literal(5),
  z.literal(6),
  z.literal(7),
]);
const weekdays = z.array(weekday).max(7);
const parity = z.enum(['odd', 'even']);
const zones = z.array(slug).max(500);
const ref = z
  .string()
  .max(130)
  .refine((text) => splitPointRef(text) !== null, 'must be <device>/<point>');
const value = z.union([z.number(), z.boolean(), z.string().max(256)]);
const layer = slug;
/** An output is held for a day at most; nothing sounds for longer than six hours. */
const daySeconds = z.int().min(1).max(86_400);

const dayFilter = z.strictObject({
  kinds: z.array(z.enum(dayKinds)).max(dayKinds.length),
  weekdays,
  parity: parity.exactOptional(),
  weather: z.enum(['rainy', 'dry']).exactOptional(),
  from: date.exactOptional(),
  to: date.exactOptional(),
});

const anchor = z.union([
  z.strictObject({ at: second }),
  z.strictObject({
    slot: z.union([slug, z.strictObject({ kind: z.enum(slotKinds) })]),
    edge: z.enum(['start', 'end']),
    offset: z.int().min(-43_200).max(43_200),
  }),
]);

const action = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sound'),
    clip: slug,
    zones,
    seconds: z.int().min(1).max(21_600),
    volume: z.number().min(0).max(1).exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('hold'),
    outputs: z.array(z.strictObject({ ref, value })).min(1).max(500),
    seconds: daySeconds,
  }),
  z.strictObject({ kind: z.literal('mode'), mode: slug, on: z.boolean(), seconds: daySeconds }),
]);

const parts = {
  layer: z.strictObject({
    part: z.literal('layer'),
    name,
    kind: z.enum(['building', 'grade', 'other']),
    parent: slug.nullable(),
    zones,
  }),
  term: z.strictObject({
    part: z.literal('term'),
    name,
    from: date,
    weeks: z.int().min(1).max(53),
    opens: date.exactOptional(),
    closes: date.exactOptional(),
  }),
  season: z.strictObject({
    part: z.literal('season'),
    name,
    layer,
    from: date,
    to: date,
    weekly: z.array(z.strictObject({ days: weekdays.min(1), parity: parity.exactOptional(), timetable: slug })).max(28),
  }),
  timetable: z.strictObject({
    part: z.literal('timetable'),
    name,
    start: second,
    pieces: z
      .array(
        z.strictObject({ id: slug, kind: z.enum(slotKinds), name, minutes: minutes(480), at: second.exactOptional() }),
      )
      .max(100),
  }),
  days: z.strictObject({
    part: z.literal('days'),
    name,
    layer,
    from: date,
    to: date,
    kind: z.enum(dayKinds),
    useWeekday: weekday.exactOptional(),
    useParity: parity.exactOptional(),
    timetable: slug.exactOptional(),
  }),
  item: z.strictObject({
    part: z.literal('item'),
    name,
    class: z.enum(itemClasses),
    layer,
    when: anchor,
    days: dayFilter,
    do: action,
    enabled: z.boolean(),
  }),
  exam: z.strictObject({
    part: z.literal('exam'),
    name,
    layer,
    zones,
    template: z.literal('sichuan'),
    papers: z.array(z.strictObject({ name, date, at: second, minutes: z.int().min(1).max(480) })).max(100),
    clips: z.record(slug, slug).refine((clips) => Object.keys(clips).length <= 50, 'must have at most 50 clips'),
    quietBefore: minutes(480),
    quietAfter: minutes(480),
  }),
  power: z.strictObject({
    part: z.literal('power'),
    name,
    layer,
    kind: z.enum(['light', 'air', 'socket', 'screen', 'water', 'other']),
    outputs: z.array(ref).min(1).max(500),
    on: value,
    off: value,
    slots: z
      .strictObject({
        kinds: z.array(z.enum(slotKinds)).max(slotKinds.length),
        before: minutes(480),
        after: minutes(480),
      })
      .nullable(),
    weekly: z.array(z.strictObject({ days: weekdays.min(1), from: second, to: endSecond })).max(100),
    days: dayFilter,
    months: z.array(z.int().min(1).max(12)).max(12),
    occupancy: z.strictObject({ ref, offAfter: minutes(1_440), toStart: z.enum(['needed', 'schedule']) }).nullable(),
    prepare: z
      .strictObject({
        temperature: ref,
        mode: z.enum(['heat', 'cool']),
        setpoint: z.number().min(-20).max(60),
        tolerance: z.number().min(0).max(10),
        rate: z.number().min(0.1).max(60),
        earliest: minutes(720),
      })
      .nullable(),
    setback: z.strictObject({ value }).nullable(),
    minimumOn: minutes(480),
    minimumOff: minutes(480),
  }),
} as const;

const { layer: layerPart, term, season, timetable, days, item, exam, power } = parts;

/** One entry of the draft, or of a release. */
export const schoolEntrySchema = z.discriminatedUnion('part', [
  layerPart,
  term,
  season,
  timetable,
  days,
  item,
  exam,
  power,
]);

/** As it was stored: what a newer version knew besides is left out. */
export const storedSchoolEntry = z.discriminatedUnion('part', [
  layerPart.strip(),
  term.strip(),
  season.strip(),
  timetable.strip(),
  days.strip(),
  item.strip(),
  exam.strip(),
  power.strip(),
]);

/** Entries of a plan. A school of 40 classes has some 200. */
export const mostEntries = 2_000;
/** Of a plan as JSON, characters. */
export const longestPlan = 4_000_000;

const reason = z.strictObject({
  code: z.string().min(1).max(40),
  entry: z.string().max(130).exactOptional(),
  params: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])).exactOptional(),
});
const who = z.string().min(1).max(80);
const why = z.string().max(300);
const time = z.int().min(0);

/** id: a happening's. Its entries were checked when it was signed. */
export const schoolReleaseSchema = z.strictObject({
  id: z.string().min(1).max(80),
  from: date,
  to: date,
  by: who,
  time,
  why,
  entries: z.record(slug, z.record(z.string(), z.unknown())),
  accepted: z.array(reason).max(2_000),
  undone: z.strictObject({ by: who, time, why }).nullable(),
});

export const overrideWhatSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rainy') }),
  z.strictObject({ kind: z.literal('quiet'), classes: z.array(z.enum(itemClasses)).max(itemClasses.length), zones }),
  z.strictObject({ kind: z.literal('skip'), key: z.string().min(1).max(200) }),
  z.strictObject({
    kind: z.literal('shift'),
    date,
    after: second,
    seconds: z.int().min(-7_200).max(7_200),
  }),
]);

export const schoolOverrideSchema = z.strictObject({
  id: z.string().min(1).max(80),
  what: overrideWhatSchema,
  layer,
  from: time,
  until: time,
  by: who,
  why,
});

/** id: the year. Official holidays that somebody brought in: they take the place of those that ship with the program. */
export const schoolYearSchema = z.strictObject({
  year: z.int().min(2_000).max(2_199),
  source: z.string().min(1).max(300),
  published: date,
  days: z.array(z.strictObject({ date, off: z.boolean(), name })).max(366),
});

/** Throws nothing: the entry, or what is wrong with it, a line each. */
export function parseSchoolEntry(input: unknown): { readonly entry: SchoolEntry } | { readonly mistakes: string } {
  const parsed = schoolEntrySchema.safeParse(input);
  // Ids and references are branded here, after their patterns were checked.
  return parsed.success ? { entry: parsed.data as SchoolEntry } : { mistakes: describeIssues(parsed.error) };
}

/** Entries as they lie in a release; those that this version cannot understand are named, and not in the plan. */
export function readEntries(stored: Readonly<Record<string, unknown>>): {
  readonly entries: SchoolEntries;
  readonly unreadable: readonly string[];
} {
  const entries: Record<string, SchoolEntry> = {};
  const unreadable: string[] = [];
  for (const [id, body] of Object.entries(stored)) {
    const parsed = storedSchoolEntry.safeParse(body);
    if (parsed.success) entries[id] = parsed.data as SchoolEntry;
    else unreadable.push(id);
  }
  return { entries, unreadable };
}
