import type { ZoneId } from '#edge/domain/ids.ts';
import type {
  HolidayYear,
  LocalDate,
  Occurrence,
  SchoolEntry,
  SchoolOverride,
  SchoolReason,
  SchoolRelease,
} from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { longestPlan, parseSchoolEntry, readEntries } from '#edge/runtime/school-schema.ts';
import { addDays, datesFrom, isDate } from '#edge/school/dates.ts';
import { assumptionsOf, knownYears, nameOfReason, releaseOn } from '#edge/school/in-force.ts';
import { createSchoolClock, type SchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan, type SchoolPlan } from '#edge/school/plan.ts';
import type { SiteFacts } from '#edge/school/site-facts.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { DocumentChange } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Actor } from './rule-guards.ts';

export interface SchoolBookOptions {
  readonly timeZone: string;
  readonly zones: readonly ZoneId[];
  /** What the campus can do: a draft that asks for more is not signed. Absent: nobody asks. */
  readonly site?: SiteFacts;
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  /** Writes at once, or fails. */
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}

export interface EntryChange {
  readonly id: string;
  /** As it was seen, 0: there was none. */
  readonly rev: number;
  /** null removes it. */
  readonly body: unknown;
}

export interface SignWish {
  readonly from: LocalDate;
  readonly to: LocalDate;
  /** Every entry of the draft with its revision, as whoever signs has seen them. */
  readonly revs: Readonly<Record<string, number>>;
  /** Names of the assumptions that he accepts (`nameOfReason`). */
  readonly accept: readonly string[];
  readonly why: string;
}

/** Nobody signs for more days than he can look through. */
const furthest = 31;
/** An exception lasts no longer: what is to hold for longer belongs into the plan. ms. */
const longestOverride = 62 * 86_400_000;
/** Releases that are kept to look back on, and overrides that are over, ms. */
const keptReleases = 30;
const keptOverride = 60 * 86_400_000;
const keptDays = 12;

/**
 * The school's draft, what was signed of it, and what people said for a while. The draft is only ever read here to be signed: what runs
 * comes from releases, each a copy of the draft as it was then.
 */
export class SchoolBook {
  readonly clock: SchoolClock;
  readonly #options: SchoolBookOptions;
  readonly #releases = new Map<string, { readonly rev: number; readonly release: SchoolRelease }>();
  readonly #overrides = new Map<string, { readonly rev: number; readonly override: SchoolOverride }>();
  readonly #plans = new Map<string, SchoolPlan>();
  readonly #days = new Map<LocalDate, readonly Occurrence[]>();
  #years: readonly HolidayYear[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #onChange: () => void = () => {};

  constructor(options: SchoolBookOptions) {
    this.#options = options;
    this.clock = createSchoolClock(options.timeZone);
  }

  /** Throws what the reader throws: then nothing is known, and nothing may run. */
  load(): void {
    const { reader } = this.#options;
    const imported = reader.documents('schoolYear').map(({ body }) => body);
    this.#years = knownYears(officialYears, imported as readonly HolidayYear[]);
    for (const { id, rev, body } of reader.documents('schoolRelease')) {
      const { entries } = readEntries(body.entries);
      this.#releases.set(id, { rev, release: { ...body, entries } as SchoolRelease });
    }
    for (const { id, rev, body } of reader.documents('schoolOverride'))
      this.#overrides.set(id, { rev, override: body as SchoolOverride });
    this.#changed();
  }

  /** What the campus has to carry plans out with is another: people made a clip, or removed one. */
  siteChanged(): void {
    this.#plans.clear();
    this.#changed();
  }

  /** What is signed, or said for a while, is another. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  today(): LocalDate {
    return this.clock.dateOf(this.#options.clock.now());
  }

  releaseOn(date: LocalDate): SchoolRelease | null {
    return releaseOn(
      [...this.#releases.values()].map(({ release }) => release),
      date,
    );
  }

  /** What is signed for a date; null: nothing. */
  planOn(date: LocalDate): SchoolPlan | null {
    const release = this.releaseOn(date);
    if (release === null) return null;
    const plan = this.#plans.get(release.id) ?? this.#compile(release.entries);
    this.#plans.set(release.id, plan);
    return plan;
  }

  occurrences(date: LocalDate): readonly Occurrence[] {
    const kept = this.#days.get(date);
    if (kept !== undefined) return kept;
    const plan = this.planOn(date);
    const found = plan === null ? [] : occurrencesOf(plan, date, this.overrides());
    if (this.#days.size >= keptDays) this.#days.clear();
    this.#days.set(date, found);
    return found;
  }

  /** What a signed plan says of a date, taken back or not; nothing when it was let go. */
  occurrencesOf(release: string, date: LocalDate): readonly Occurrence[] {
    const kept = this.#releases.get(release)?.release;
    if (kept === undefined) return [];
    const plan = this.#plans.get(release) ?? this.#compile(kept.entries);
    this.#plans.set(release, plan);
    return occurrencesOf(plan, date, this.overrides());
  }

  isUndone(release: string): boolean {
    return (this.#releases.get(release)?.release.undone ?? null) !== null;
  }

  /** Those that are not over. */
  overrides(): readonly SchoolOverride[] {
    return [...this.#overrides.values()].map(({ override }) => override);
  }

  /** Changes the draft, all or nothing; answers the new revisions. Throws BAD_ENTRY, DOCUMENT_CHANGED, DOCUMENT_LIMIT, what the store throws. */
  put(changes: readonly EntryChange[], why: string, actor: Actor): Promise<Readonly<Record<string, number>>> {
    return this.#inTurn(async () => {
      const documents = changes.map(({ id, rev, body }): DocumentChange => {
        const words = { kind: 'school' as const, id, rev, time: this.#options.clock.now(), why, ...actor };
        if (body === null) return { ...words, body: null };
        const parsed = parseSchoolEntry(body);
        if ('mistakes' in parsed) throw new CodedError('BAD_ENTRY', `${id}: ${parsed.mistakes}`);
        return { ...words, body: parsed.entry };
      });
      await this.#options.append({ documents });
      return Object.fromEntries(changes.map(({ id, rev, body }) => [id, body === null ? 0 : rev + 1]));
    });
  }

  /**
   * A copy of the draft runs from a day to a day. Throws DOCUMENT_CHANGED when the draft is another than was seen, SCHOOL_MISTAKES,
   * SCHOOL_UNCONFIRMED with the names of what must be accepted, BAD_TIME.
   */
  sign(wish: SignWish, actor: Actor): Promise<SchoolRelease> {
    return this.#inTurn(async () => {
      this.#checkSpan(wish);
      const entries = this.#draftAsSeen(wish.revs);
      const plan = this.#compile(entries);
      const wrong = plan.mistakes.filter(({ weight }) => weight === 'mistake');
      if (wrong.length > 0) {
        const list = wrong
          .slice(0, 20)
          .map(({ entry, path, code }) => `${entry}${path === '' ? '' : ` ${path}`}: ${code}`);
        throw new CodedError('SCHOOL_MISTAKES', `the draft has mistakes: ${list.join('; ')}`);
      }
      const assumed = assumptionsOf(plan, wish.from, wish.to);
      const missing = assumed.map(nameOfReason).filter((name) => !wish.accept.includes(name));
      if (missing.length > 0)
        throw new CodedError('SCHOOL_UNCONFIRMED', `not accepted, and not confirmed: ${missing.join(', ')}`);
      const { clock } = this.#options;
      const before = Math.max(0, ...[...this.#releases.values()].map(({ release }) => release.time));
      const release: SchoolRelease = {
        id: newHappeningId(clock),
        ...{ from: wish.from, to: wish.to, by: actor.who, why: wish.why, entries, accepted: assumed, undone: null },
        // A clock that was put back must not make the newest signature the older one.
        time: Math.max(clock.now(), before + 1),
      };
      await this.#putRelease(release, 0, `school.sign ${wish.from} to ${wish.to}`, actor, wish.why);
      return release;
    });
  }

  /** What was signed before holds again. Throws RELEASE_NOT_FOUND, RELEASE_UNDONE. */
  undo(id: string, why: string, actor: Actor): Promise<SchoolRelease> {
    return this.#inTurn(async () => {
      const kept = this.#releases.get(id);
      if (kept === undefined) throw new CodedError('RELEASE_NOT_FOUND', `there is no release "${id}"`);
      if (kept.release.undone !== null) throw new CodedError('RELEASE_UNDONE', 'this release was taken back already');
      const undone = { by: actor.who, time: this.#options.clock.now(), why };
      const release = { ...kept.release, undone };
      await this.#putRelease(release, kept.rev, `school.undo ${release.from} to ${release.to}`, actor, why);
      return release;
    });
  }

  /** Said for a while, in force at once. Throws BAD_TIME. */
  override(wish: Omit<SchoolOverride, 'id' | 'by'>, actor: Actor): Promise<SchoolOverride> {
    return this.#inTurn(async () => {
      const { clock } = this.#options;
      const now = clock.now();
      if (wish.until <= now || wish.until <= wish.from || wish.until - Math.max(now, wish.from) > longestOverride)
        throw new CodedError('BAD_TIME', 'an exception ends in the future, within two months');
      const override = { ...wish, id: newHappeningId(clock), by: actor.who };
      await this.#putOverride(override, 0, `school.override ${wish.what.kind}`, actor);
      return override;
    });
  }

  /** Throws OVERRIDE_NOT_FOUND. */
  endOverride(id: string, why: string, actor: Actor): Promise<SchoolOverride> {
    return this.#inTurn(async () => {
      const kept = this.#overrides.get(id);
      if (kept === undefined) throw new CodedError('OVERRIDE_NOT_FOUND', `there is no exception "${id}"`);
      const until = Math.min(kept.override.until, this.#options.clock.now());
      const override = { ...kept.override, until, from: Math.min(kept.override.from, until) };
      await this.#putOverride(override, kept.rev, `school.override.end ${override.what.kind}`, { ...actor }, why);
      return override;
    });
  }

  /** Official holidays of a year, with their source: an administrator's file. */
  putYear(year: HolidayYear, why: string, actor: Actor): Promise<void> {
    return this.#inTurn(async () => {
      const { reader, append, clock } = this.#options;
      const id = String(year.year);
      const rev = reader.document('schoolYear', id)?.rev ?? 0;
      const what = `school.year ${id} from ${year.source}`.slice(0, 300);
      const words = { kind: 'schoolYear' as const, id, rev, time: clock.now(), why, what, ...actor };
      await append({ documents: [{ ...words, body: year }] });
      this.#years = knownYears(this.#years, [year]);
      this.#plans.clear();
      this.#changed();
    });
  }

  /** Has anybody ever signed anything? Before that nobody is reminded to. */
  isUsed(): boolean {
    return this.#releases.size > 0;
  }

  assumptionsOn(date: LocalDate): readonly SchoolReason[] {
    const plan = this.planOn(date);
    return plan === null ? [] : assumptionsOf(plan, date, date);
  }

  #checkSpan({ from, to }: SignWish): void {
    const today = this.today();
    if (!isDate(from) || !isDate(to) || to < from)
      throw new CodedError('BAD_TIME', 'from and to are days, in this order');
    if (from < today) throw new CodedError('BAD_TIME', `${from} is over: signed is what is to come`);
    if (to > addDays(today, furthest)) throw new CodedError('BAD_TIME', `at most ${furthest} days ahead are signed`);
  }

  #draftAsSeen(revs: SignWish['revs']): Readonly<Record<string, SchoolEntry>> {
    const draft = this.#options.reader.documents('school');
    const changed = draft.filter(({ id, rev }) => revs[id] !== rev).map(({ id }) => id);
    const gone = Object.keys(revs).filter((id) => !draft.some((one) => one.id === id));
    const other = [...changed, ...gone];
    if (other.length > 0)
      throw new CodedError('DOCUMENT_CHANGED', `the draft was changed meanwhile: ${other.slice(0, 20).join(', ')}`);
    const entries = Object.fromEntries(draft.map(({ id, body }) => [id, body as SchoolEntry]));
    if (JSON.stringify(entries).length > longestPlan)
      throw new CodedError('DOCUMENT_LIMIT', `a plan has at most ${longestPlan} characters`);
    return entries;
  }

  async #putRelease(release: SchoolRelease, rev: number, what: string, actor: Actor, why: string): Promise<void> {
    const { append, clock } = this.#options;
    const result = `${Object.keys(release.entries).length} entries`;
    const words = {
      kind: 'schoolRelease' as const,
      id: release.id,
      rev,
      time: clock.now(),
      why,
      what,
      result,
      ...actor,
    };
    const old = rev === 0 ? this.#tooOld() : [];
    const gone = old.map(
      ([id, kept]): DocumentChange => ({
        ...{
          kind: 'schoolRelease',
          id,
          rev: kept.rev,
          time: clock.now(),
          who: 'process:core',
          from: 'core',
          body: null,
        },
        ...{ why: `more than ${keptReleases} are kept`, result: 'let go' },
      }),
    );
    await append({ documents: [{ ...words, body: release }, ...gone] });
    for (const [id] of old) this.#releases.delete(id);
    this.#releases.set(release.id, { rev: rev + 1, release });
    this.#plans.delete(release.id);
    this.#changed();
  }

  /** The oldest of those whose days are over. */
  #tooOld() {
    const today = this.today();
    const over = [...this.#releases].filter(([, { release }]) => release.to < today || release.undone !== null);
    over.sort(([, a], [, b]) => a.release.time - b.release.time);
    return over.slice(0, Math.max(0, this.#releases.size + 1 - keptReleases));
  }

  async #putOverride(override: SchoolOverride, rev: number, what: string, actor: Actor, why = override.why) {
    const { append, clock } = this.#options;
    const now = clock.now();
    const words = { kind: 'schoolOverride' as const, id: override.id, rev, time: now, why, what, ...actor };
    const old = [...this.#overrides].filter(([, kept]) => kept.override.until < now - keptOverride).slice(0, 100);
    const gone = old.map(
      ([id, kept]): DocumentChange => ({
        ...{ kind: 'schoolOverride', id, rev: kept.rev, time: now, who: 'process:core', from: 'core', body: null },
        why: 'it was over long ago',
      }),
    );
    await append({ documents: [{ ...words, body: override }, ...gone] });
    for (const [id] of old) this.#overrides.delete(id);
    this.#overrides.set(override.id, { rev: rev + 1, override });
    this.#changed();
  }

  #compile(entries: Readonly<Record<string, SchoolEntry>>): SchoolPlan {
    const { zones, site } = this.#options;
    const base = { clock: this.clock, holidays: this.#years, zones };
    return compilePlan(entries, site === undefined ? base : { ...base, site });
  }

  #changed(): void {
    this.#days.clear();
    const inUse = new Set(datesFrom(this.today(), addDays(this.today(), 1)).map((date) => this.releaseOn(date)?.id));
    for (const id of this.#plans.keys()) if (!inUse.has(id)) this.#plans.delete(id);
    this.#onChange();
  }

  /** One change at a time: each sees what the one before has done. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}
