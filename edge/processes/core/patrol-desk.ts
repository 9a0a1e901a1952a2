import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { PointRef } from '#edge/domain/ids.ts';
import { type PatrolCheckIn, patrolsDone } from '#edge/domain/patrol.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';
import type { SiteKeyPlaces } from '#edge/runtime/site-gatehouse.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import { createLocalTime, type LocalTime } from '#edge/web/local-time.ts';
import type { IncidentPerson } from './incident-desk.ts';

export interface PatrolDeskOptions {
  readonly places: SiteKeyPlaces;
  readonly timeZone: string;
  readonly reader: Pick<Reader, 'patrols'>;
  /** What core remembers under `patrols`. */
  readonly stored: unknown;
  /** What readers of cards showed before the start; absent: nothing. */
  readonly shown?: (reader: PointRef) => Value | null;
  /** A reader that is asked says its last card again and again; others speak when a card is held to them. */
  readonly isAsked?: (reader: PointRef) => boolean;
  /** Alarms that are open. */
  readonly isOpen: (source: string) => boolean;
  readonly commit: (batch: Batch) => Promise<void>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly clock: Clock;
}

type Place = SiteKeyPlaces[number];

/** Under which name core remembers the key of the codes, how often each was renewed, and which day was judged last. */
export const patrolState = 'patrols';
const memory = z.strictObject({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  renewed: z.record(z.string(), z.int().min(0)),
  judged: z.string().max(10),
});
type Memory = z.infer<typeof memory>;

const longestCard = 64;
/** Samples of a day: somebody scans without end. */
const mostInDay = 5_000;
const tokenLength = 20;
/** Who shows the same code again within this time means the same visit, ms. */
const sameVisit = 60_000;
const mostVisits = 1_000;
const day = 86_400_000;

export function patrolSource(place: string): string {
  return `patrol:${place}`;
}

/**
 * Rounds of the guards at the key places. A code on the wall says only where somebody is; who it is says his session, which is to be had on
 * the campus's own network: a photo of the code alone checks nobody in. A code that has got about is renewed, and the old one is void.
 */
export class PatrolDesk {
  readonly #options: PatrolDeskOptions;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #readers: ReadonlyMap<PointRef, Place>;
  readonly #local: LocalTime;
  /** The last check-in of somebody at a place. */
  readonly #visits = new Map<string, PatrolCheckIn>();
  /** What each reader showed last, and whether that was good. */
  readonly #shown: Map<PointRef, { readonly card: string | null; readonly isGood: boolean }>;
  #memory: Memory;
  #isNew: boolean;

  constructor(options: PatrolDeskOptions) {
    this.#options = options;
    this.#places = new Map(options.places.map((place) => [place.id, place]));
    this.#readers = new Map(options.places.flatMap((place) => (place.reader === null ? [] : [[place.reader, place]])));
    this.#shown = new Map(
      [...this.#readers.keys()].map((ref) => [ref, { card: cardOf(options.shown?.(ref) ?? null), isGood: false }]),
    );
    this.#local = createLocalTime(options.timeZone);
    const parsed = memory.safeParse(options.stored);
    const today = this.#local.date(options.clock.now()).date;
    this.#memory = parsed.success ? parsed.data : { key: randomBytes(32).toString('hex'), renewed: {}, judged: today };
    this.#isNew = !parsed.success;
  }

  /** When there is somewhere to write. */
  begin(): void {
    if (this.#isNew && this.#places.size > 0) this.#remember({});
    this.#isNew = false;
  }

  isSource(source: string): boolean {
    return source.startsWith('patrol:') && this.#places.has(source.slice('patrol:'.length));
  }

  /** Cards that were held to readers of key places; to be stored with their readings. */
  hear(readings: readonly Reading[]): readonly PatrolCheckIn[] {
    if (this.#readers.size === 0) return [];
    return readings.flatMap((reading) => {
      const place = this.#readers.get(reading.ref);
      const card = place === undefined ? null : this.#cardHeld(reading);
      if (place === undefined || card === null) return [];
      const person = { who: `card:${card}`, name: '' };
      if (this.#visit(place, person.who, 'card') !== null) return [];
      return [this.#checkIn(place, person, 'card', '')];
    });
  }

  /** null: nobody holds a card to it now. That a line was away, or a reader is asked again, is no visit. */
  #cardHeld({ ref, value, quality }: Reading): string | null {
    const before = this.#shown.get(ref);
    const isGood = quality === 'good';
    const card = isGood ? cardOf(value) : (before?.card ?? null);
    this.#shown.set(ref, { card, isGood });
    if (!isGood || card === null) return null;
    const mayRepeat = before?.isGood === true && this.#options.isAsked?.(ref) !== true;
    return card !== before?.card || mayRepeat ? card : null;
  }

  /** `token`: what the code on the wall says; null: at the desk, by hand. Throws PLACE_NOT_FOUND, PATROL_CODE_WRONG, what the store throws. */
  async checkIn(id: string, token: string | null, note: string, person: IncidentPerson): Promise<PatrolCheckIn> {
    const place = this.#place(id);
    if (token !== null && !isSameSecret(token, this.code(id)))
      throw new CodedError(
        'PATROL_CODE_WRONG',
        'this code is not valid (any more): it was renewed, or is of another place',
      );
    const way = token === null ? 'desk' : 'qr';
    const same = this.#visit(place, person.who, way);
    if (same !== null && same.note === note) return same;
    const done = this.#checkIn(place, person, way, note);
    const line = {
      ...{ time: done.time, who: person.who, from: person.from, what: `patrol.check-in ${id} (${way})`, why: note },
      result: 'noted',
    };
    await this.#options.commit({ patrols: [done], audit: [line] });
    return done;
  }

  /** What the code on the wall of a place says. Throws PLACE_NOT_FOUND. */
  code(id: string): string {
    this.#place(id);
    const { key, renewed } = this.#memory;
    const text = `${id} ${renewed[id] ?? 0}`;
    return createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('base64url').slice(0, tokenLength);
  }

  /** A new code; the old one is void. Throws PLACE_NOT_FOUND, what the store throws. */
  async renew(id: string, why: string, { who, from }: IncidentPerson): Promise<string> {
    this.#place(id);
    const { renewed } = this.#memory;
    this.#memory = { ...this.#memory, renewed: { ...renewed, [id]: (renewed[id] ?? 0) + 1 } };
    const line = { time: this.#options.clock.now(), who, from, what: `patrol.renew ${id}`, why, result: 'renewed' };
    await this.#options.commit({ audit: [line], state: { [patrolState]: this.#memory } });
    return this.code(id);
  }

  /** Call it about once a minute: a day that is over is judged once, also when nobody was there at midnight. */
  tick(): void {
    const { clock, decide, places } = this.#options;
    const now = clock.now();
    const today = this.#local.date(now).date;
    // A clock that was years ahead for a moment must not silence the years to come.
    if (this.#memory.judged > this.#local.date(now + day).date) this.#remember({ judged: today });
    // A clock that was set back judges nothing twice.
    if (places.length === 0 || today <= this.#memory.judged) return;
    const to = this.#local.dayStart(now);
    const from = this.#local.dayStart(to - 1);
    const date = this.#local.date(from).date;
    const decisions = this.#judge(from, to, date);
    if (decisions === null) return;
    this.#remember({ judged: today });
    if (decisions.length > 0) decide(decisions);
  }

  /** null: what was noted cannot be read now. */
  #judge(from: number, to: number, date: string): readonly AlarmDecision[] | null {
    const { places, reader, isOpen } = this.#options;
    try {
      return places.flatMap((place): AlarmDecision[] => {
        const source = patrolSource(place.id);
        const done = patrolsDone(reader.patrols({ place: place.id, from, to, limit: mostInDay }));
        if (done < place.patrols) return [missed(place, done, date)];
        return isOpen(source) ? [{ kind: 'return', source, reason: `${done} patrols on ${date}` }] : [];
      });
    } catch (error) {
      if (codeOf(error).startsWith('STORE_')) return null;
      throw error;
    }
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new CodedError('PLACE_NOT_FOUND', `there is no key place "${id}"`);
    return place;
  }

  /** What he noted there a moment ago; null: nothing. */
  #visit({ id }: Place, who: string, way: PatrolCheckIn['way']): PatrolCheckIn | null {
    const last = this.#visits.get(`${id} ${way} ${who}`);
    return last !== undefined && Math.abs(this.#options.clock.now() - last.time) < sameVisit ? last : null;
  }

  #checkIn(place: Place, { who, name }: Pick<IncidentPerson, 'who' | 'name'>, way: PatrolCheckIn['way'], note: string) {
    const { clock } = this.#options;
    const key = `${place.id} ${way} ${who}`;
    const done = {
      id: newHappeningId(clock),
      place: place.id,
      time: clock.now(),
      who,
      name,
      way,
      note,
    } satisfies PatrolCheckIn;
    this.#visits.delete(key);
    this.#visits.set(key, done);
    const [oldest] = this.#visits.keys();
    if (this.#visits.size > mostVisits && oldest !== undefined) this.#visits.delete(oldest);
    return done;
  }

  #remember(change: Partial<Memory>): void {
    this.#memory = { ...this.#memory, ...change };
    this.#options.commit({ state: { [patrolState]: this.#memory } }).catch(() => {}); // owed to the disk, and an alarm
  }
}

function cardOf(value: Value | null): string | null {
  const text = typeof value === 'boolean' || value === null ? '' : String(value).trim();
  return text === '' || text === '0' ? null : text.slice(0, longestCard);
}

function missed(place: Place, done: number, date: string): RaiseDecision {
  const { id, name, zone, patrols } = place;
  return {
    kind: 'raise',
    source: patrolSource(id),
    class: 'low',
    message: {
      zh: `${name.zh} ${date} 巡查 ${done} 次，要求 ${patrols} 次`,
      en: `${name.en} was patrolled ${done} of ${patrols} times on ${date}`,
    },
    next: {
      zh: '核实原因，安排补巡并告知值班人员',
      en: 'Find out why, see to the rounds of today and tell those on duty',
    },
    reason: `${done} of ${patrols} on ${date}`,
    zone,
    group: 'patrol',
  };
}
