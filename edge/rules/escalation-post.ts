import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import { gatheredWords, ungathered, type Words } from './escalation-words.ts';

/*
 * From what is to be said to notices: one at once, and what belongs to it gathered behind it, so that a flood of alarms is not a
 * flood of messages. Quiet hours put off what they do not except. Times are ms since epoch, durations ms.
 */

/** One way to one person, or (null) to the group or machine that the channel itself is. */
export interface Target {
  readonly channel: string;
  readonly recipient: string | null;
}

export interface Saying extends Words {
  readonly about: string;
  /** What is told together. */
  readonly group: string;
  readonly step: number;
  readonly to: Target;
}

export interface PostRules {
  /** Minutes after local midnight; `from` > `to` reaches over it. */
  readonly quietHours?:
    | { readonly from: number; readonly to: number; readonly except: readonly AlarmClass[] }
    | undefined;
  /** Beyond so many to one target within an hour, what comes is gathered for a minute, whatever its group. */
  readonly limits: { readonly perHour: number };
}

/** After a notice, others of its group are gathered for so long and told together. */
const gatherFor: Readonly<Record<AlarmClass, number>> = {
  critical: 15_000,
  high: 60_000,
  medium: 60_000,
  low: 60_000,
};
const hour = 3_600_000;
const minute = 60_000;
/** Told later than that it helps nobody. */
const usefulFor = 4 * hour;
/** The sender may be reading it already. */
const closesBefore = 500;
/** Rows that say what was told in another's stead; the others are only counted. */
const mostMerged = 50;
const mostSlots = 5_000;

/** A notice that others may still join. */
interface Slot {
  notice: Notice;
  members: [Member, ...Member[]];
  more: number;
  /** The turn in which it was made: nobody has read it yet. */
  readonly turn: number;
}

interface Member extends Words {
  readonly about: string;
}

export class Post {
  readonly #rules: PostRules;
  readonly #calendar: Calendar;
  readonly #newId: () => HappeningId;
  /** By target and what is gathered there. Oldest first. */
  readonly #slots = new Map<string, Slot>();
  /** When each target was told of late. */
  readonly #told = new Map<string, number[]>();
  #turn = 0;
  #dropped = 0;

  constructor(rules: PostRules, calendar: Calendar, newId: () => HappeningId) {
    this.#rules = rules;
    this.#calendar = calendar;
    this.#newId = newId;
  }

  /** Slots that were forgotten because there were too many: what would have joined them is told by itself. */
  get dropped(): number {
    return this.#dropped;
  }

  /** After a restart, with the notices of the last hour and those still waiting. `groupOf`: see `Saying`. */
  restore(notices: readonly Notice[], groupOf: (about: string) => string, now: number): void {
    const byAge = [...notices].sort((a, b) => a.created - b.created);
    for (const notice of byAge) {
      if (notice.state === 'merged') continue;
      if (now - notice.created < hour) this.#count(targetKey(notice), notice.created);
      if (notice.notBefore <= now - minute) continue;
      const own = { ...notice, title: ungathered(notice.title) };
      const others = byAge.filter(({ state, detail }) => state === 'merged' && detail === toldIn(notice));
      const isQuiet = this.#quietUntil(notice.class, notice.created) !== null;
      const key = slotKey(notice, isQuiet ? quiet : groupOf(notice.about));
      this.#open(key, { notice, members: [own, ...others], more: 0, turn: 0 }, now);
    }
  }

  /** Rows to be stored, each once, as they are at the end. */
  post(sayings: readonly Saying[], now: number): readonly Notice[] {
    this.#turn++;
    this.#forgetFuture(now);
    const rows = new Map<string, Notice>();
    for (const saying of sayings) {
      for (const row of this.#say(saying, now)) rows.set(row.id, row);
    }
    return [...rows.values()];
  }

  /** The clock was set back: what joined a notice of the future would be told when that comes, perhaps in a year. */
  #forgetFuture(now: number): void {
    for (const [key, { notice }] of this.#slots) if (notice.created > now) this.#slots.delete(key);
  }

  /** What still waits and nobody needs to be told any more. */
  withdraw(isOver: (about: string) => boolean, now: number): readonly Notice[] {
    const rows: Notice[] = [];
    for (const [key, { notice, members, more }] of this.#slots) {
      const isPast = notice.notBefore <= now + closesBefore;
      if (isPast && now - notice.notBefore > hour) this.#slots.delete(key);
      if (isPast || more > 0 || !members.every(({ about }) => isOver(about))) continue;
      this.#slots.delete(key);
      rows.push({ ...notice, state: 'expired', at: now, detail: 'it was over before its time had come' });
    }
    return rows;
  }

  #say(saying: Saying, now: number): readonly Notice[] {
    const { key, notBefore } = this.#place(saying, now);
    const slot = this.#slots.get(key);
    if (slot !== undefined && this.#isOpen(slot, now)) return this.#join(slot, saying, now);
    const notice = this.#row(saying, now, { notBefore, at: notBefore });
    this.#open(key, { notice, members: [saying], more: 0, turn: this.#turn }, now);
    this.#count(targetKey(saying.to), now);
    return [notice];
  }

  /** Where it is gathered, and from when on that may be told. */
  #place(saying: Saying, now: number): { readonly key: string; readonly notBefore: number } {
    const quietUntil = this.#quietUntil(saying.class, now);
    if (quietUntil !== null) return { key: slotKey(saying.to, quiet), notBefore: quietUntil };
    const key = slotKey(saying.to, saying.group);
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      if (this.#isOpen(slot, now)) return { key, notBefore: slot.notice.notBefore };
      const next = slot.notice.notBefore + gatherFor[saying.class];
      if (now < next) return { key, notBefore: next };
    }
    const lately = (this.#told.get(targetKey(saying.to)) ?? []).filter((time) => time <= now && now - time < hour);
    if (lately.length < this.#rules.limits.perHour) return { key, notBefore: now };
    return { key: slotKey(saying.to, many), notBefore: now + minute };
  }

  #isOpen({ notice, turn }: Slot, now: number): boolean {
    return turn === this.#turn || notice.notBefore > now + closesBefore;
  }

  /** The same alarm twice is one thing to be told. */
  #join(slot: Slot, saying: Saying, now: number): readonly Notice[] {
    if (slot.members.some(({ about }) => about === saying.about)) return [];
    const isNamed = slot.members.length < mostMerged;
    if (isNamed) slot.members.push(saying);
    else slot.more++;
    slot.notice = { ...slot.notice, ...gatheredWords(slot.members, slot.more) };
    if (!isNamed) return [slot.notice];
    const { notBefore } = slot.notice;
    return [slot.notice, this.#row(saying, now, { notBefore, at: now, state: 'merged', detail: toldIn(slot.notice) })];
  }

  #row(saying: Saying, now: number, more: Pick<Notice, 'notBefore' | 'at'> & Partial<Notice>): Notice {
    const { about, step, to } = saying;
    return {
      id: this.#newId(),
      about,
      ...gatheredWords([saying], 0),
      ...to,
      step,
      created: now,
      expires: more.notBefore + usefulFor,
      state: 'queued',
      attempts: 0,
      detail: '',
      ...more,
    };
  }

  #open(key: string, slot: Slot, now: number): void {
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    if (this.#slots.size <= mostSlots) return;
    const [oldest] = this.#slots;
    if (oldest === undefined) return;
    if (oldest[1].notice.notBefore > now) this.#dropped++;
    this.#slots.delete(oldest[0]);
  }

  /** Targets come from the site file. */
  #count(target: string, now: number): void {
    this.#told.set(target, [...(this.#told.get(target) ?? []), now].slice(-this.#rules.limits.perHour));
  }

  /** When the quiet hours end in which this may not be told; null: it may. */
  #quietUntil(severity: AlarmClass, now: number): number | null {
    const { quietHours } = this.#rules;
    if (quietHours === undefined || quietHours.except.includes(severity)) return null;
    const { from, to } = quietHours;
    const at = this.#calendar.local(now).minute;
    const isQuiet = from <= to ? at >= from && at < to : at >= from || at < to;
    return isQuiet ? this.#calendar.nextMinute(to % 1_440, now) : null;
  }
}

const quiet = '(quiet hours)';
const many = '(many)';

function targetKey({ channel, recipient }: Target): string {
  return `${recipient ?? ''}@${channel}`;
}

function slotKey(to: Target, group: string): string {
  return `${targetKey(to)} ${group}`;
}

function toldIn({ id }: Pick<Notice, 'id'>): string {
  return `told in ${id}`;
}
