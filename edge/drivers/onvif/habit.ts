/*
 * How often a camera usually speaks, by the hour, on working days and at weekends. A camera at a gate tells something every hour of
 * a school day; when it answers every pull and yet tells nothing for hours, its detection is off, its picture is stuck or its
 * lens is covered. Holidays are silent too: so it is a remark for people and no fault.
 */

const hoursOfDay = 24;
const slots = 2 * hoursOfDay;
const hour = 3_600_000;
/** Days of an hour that must be known before it means anything, and how many of them must have had an event. */
const knownDays = 5;
const usualShare = 0.8;
/** Past days fade, so that a camera that was turned to a quiet corner is believed within weeks. */
const mostDays = 15;
const silentHours = 3;

/** Which of the 48 an instant falls in, in the time zone of the campus. */
export type SlotOf = (time: number) => number;

export function createSlotOf(timeZone: string): SlotOf {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', hourCycle: 'h23' });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const weekend = parts.get('weekday') === 'Sat' || parts.get('weekday') === 'Sun';
    return (weekend ? hoursOfDay : 0) + Number(parts.get('hour'));
  };
}

/** Hours run by the wall clock, a pace that no step of it can hurt much: an hour that was not listened to in whole counts for nothing. */
export class Habit {
  readonly #slotOf: SlotOf;
  readonly #days: number[];
  readonly #active: number[];
  #hour: number;
  #whole = false;
  #spoke = false;
  /** Slots of whole hours in a row that were listened to and in which nothing was told. */
  #silent: number[] = [];

  /** `kept`: what `kept` gave before. */
  constructor(slotOf: SlotOf, kept: readonly number[], now: number) {
    this.#slotOf = slotOf;
    const usable = kept.length === 2 * slots ? kept : new Array<number>(2 * slots).fill(0);
    this.#days = usable.slice(0, slots);
    this.#active = usable.slice(slots);
    this.#hour = Math.floor(now / hour);
  }

  get kept(): number[] {
    return [...this.#days, ...this.#active].map((value) => Math.round(value * 100) / 100);
  }

  /** The camera told something that happened. */
  speak(): void {
    this.#spoke = true;
    this.#silent = [];
  }

  /** Not listened to: this hour says nothing. */
  miss(): void {
    this.#whole = false;
    this.#silent = [];
  }

  /** Call it now and then (each minute); true when an hour was added to what is known. */
  tick(now: number): boolean {
    const at = Math.floor(now / hour);
    if (at === this.#hour) return false;
    const next = at === this.#hour + 1;
    const counted = next && this.#whole;
    if (counted) this.#count(this.#slotOf(this.#hour * hour));
    else this.#silent = [];
    this.#hour = at;
    this.#whole = true;
    this.#spoke = false;
    return counted;
  }

  /** Hours of silence in which it used to speak; 0 while all is as usual. */
  get silence(): number {
    return this.#silent.length >= silentHours ? this.#silent.length : 0;
  }

  #count(slot: number): void {
    if (this.#spoke) this.#silent = [];
    else if (this.#usual(slot)) this.#silent = [...this.#silent, slot].slice(-slots);
    else this.#silent = [];
    const days = this.#days[slot] ?? 0;
    const active = this.#active[slot] ?? 0;
    const fade = days >= mostDays ? (mostDays - 1) / mostDays : 1;
    // Silence that is held against the camera must not become its habit within a day.
    this.#days[slot] = days * fade + 1;
    this.#active[slot] = active * fade + (this.#spoke ? 1 : 0);
  }

  #usual(slot: number): boolean {
    const days = this.#days[slot] ?? 0;
    return days >= knownDays && (this.#active[slot] ?? 0) >= usualShare * days;
  }
}
