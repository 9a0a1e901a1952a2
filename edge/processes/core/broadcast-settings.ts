import type { SoundClass } from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { LevelCap, PlaceLevel, QuietRooms, SoundLevels } from '#edge/rules/sound.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { addDays, weekdayOf } from '#edge/school/dates.ts';
import { quietOfExams } from '#edge/school/exam-quiet.ts';
import type { DocumentBody } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import type { SchoolBook } from './school-book.ts';

export type SoundLevelsBody = DocumentBody<'soundLevels'>;

/** A quiet room, with whose it is: `school`, or the document of a person. */
export interface KnownQuiet extends QuietRooms {
  readonly by: string;
}

export interface BroadcastSettingsOptions {
  readonly desk: BroadcastDesk;
  readonly book: Pick<SchoolBook, 'load' | 'clock' | 'today' | 'planOn' | 'occurrences'>;
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  readonly clock: Clock;
  readonly log: Log;
}

export const levelsId = 'campus';
const emptyLevels: SoundLevelsBody = { classes: {}, emergency: 100, zones: {}, devices: {}, caps: [] };
const minute = 60_000;

/** How loud, and where it is quiet: from what people set and from the school day, told to the arbiter as times go by. */
export class BroadcastSettings {
  readonly #options: BroadcastSettingsOptions;
  #quiets: readonly KnownQuiet[] = [];
  #isBookRead = false;

  constructor(options: BroadcastSettingsOptions) {
    this.#options = options;
  }

  get quiets(): readonly KnownQuiet[] {
    return this.#quiets;
  }

  /** Each minute, and when something of it changes. What cannot be read stays as it was, and takes nothing else with it. */
  tick(): void {
    const { desk, book } = this.#options;
    // Examinations are quiet from the first sound after a start, which is before the school day runs.
    if (!this.#isBookRead) this.#isBookRead = this.#try('what is signed', () => book.load());
    this.#try('quiet rooms', () => {
      this.#quiets = [...this.#ofPeople(), ...this.#ofExams()];
      desk.quiet(this.#quiets);
    });
    this.#try('loudness', () => desk.levels(this.#levels()));
  }

  #try(what: string, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, `${what} cannot be read`);
      return false;
    }
  }

  #ofPeople(): KnownQuiet[] {
    const { reader, clock } = this.#options;
    return reader
      .documents('quietRooms')
      .filter(({ body }) => body.until > clock.now())
      .map(({ id, who, body }) => ({
        ...{ id, kind: body.kind, from: body.from, until: body.until, reason: body.why, by: who },
        outputs: this.#outputs(body.zones, body.devices),
      }));
  }

  /** Of the days around now: an examination of tomorrow morning is known tonight, and one of last night may not be over. */
  #ofExams(): KnownQuiet[] {
    const { book, clock } = this.#options;
    const today = book.today();
    return [addDays(today, -1), today, addDays(today, 1)].flatMap((date) => {
      const plan = book.planOn(date);
      if (plan === null) return [];
      return quietOfExams(plan, date, book.occurrences(date))
        .filter(({ to }) => to > clock.now())
        .map(({ exam, zones, from, to }) => ({
          ...{ id: `exam-${exam}-${from}`, kind: 'exam' as const, from, until: to, by: `school:${exam}` },
          ...{ outputs: this.#outputs(zones, []), reason: `examination ${exam}` },
        }));
    });
  }

  #levels(): SoundLevels {
    const { reader, desk } = this.#options;
    const body = reader.document('soundLevels', levelsId)?.body ?? emptyLevels;
    const places = new Map<PointRef, PlaceLevel>();
    for (const [ref, { id, zone }] of desk.speakers) {
      const scale = body.devices[id] ?? body.zones[zone];
      if (scale !== undefined) places.set(ref, { scale });
    }
    const classes: Partial<Record<SoundClass, number>> = body.classes;
    return { classes, emergency: body.emergency, places, caps: body.caps.flatMap((cap, i) => this.#windows(cap, i)) };
  }

  /** A cap is of minutes of local days: those that are, or begin within two days. */
  #windows(cap: SoundLevelsBody['caps'][number], index: number): LevelCap[] {
    const { book, clock } = this.#options;
    const outputs = this.#outputs(cap.zones, []);
    const today = book.today();
    return [addDays(today, -1), today, addDays(today, 1)].flatMap((date) => {
      if (!cap.days.includes(weekdayOf(date))) return [];
      const from = book.clock.timeOf(date, cap.from * 60).at;
      const last = cap.to > cap.from ? date : addDays(date, 1);
      const until =
        cap.to === 1_440 ? book.clock.dayOf(last).to : book.clock.timeOf(last, cap.to * (minute / 1_000)).at;
      if (until <= clock.now()) return [];
      return [{ id: `cap-${index}-${date}`, outputs, most: cap.most, from, until, reason: cap.name }];
    });
  }

  #outputs(zones: 'all' | readonly string[], devices: readonly string[]): PointRef[] {
    const isIn = ({ id, zone }: Device) => zones === 'all' || zones.includes(zone) || devices.includes(id);
    return [...this.#options.desk.speakers].flatMap(([ref, device]) => (isIn(device) ? [ref] : []));
  }
}
