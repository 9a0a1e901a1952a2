import type { CalendarMessage } from '#edge/bus/codec.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { DocumentBody, DocumentChange } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Actor } from './rule-guards.ts';

type ModeNow = DocumentBody<'mode'>;

interface ModeEntry {
  rev: number;
  mode: ModeNow;
  /** It has ended and that is not on disk yet. */
  isOwed: boolean;
}

export interface ModesOptions {
  /** Ids of the site file. */
  readonly known: readonly string[];
  readonly calendar: Calendar;
  readonly reader: Pick<Reader, 'document' | 'documents'>;
  /** Writes at once, or fails. */
  readonly append: (batch: Batch) => Promise<void>;
  /** Another mode is on, or one less: rules look again. */
  readonly onChange: () => void;
  /** What kind of time it is, whenever that changes. */
  readonly tell: (calendar: CalendarMessage) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A mode that nobody ends is forgotten, ms. */
const longest = 366 * 86_400_000;

/** The modes of the campus (exam, drill, holiday ...): set by people, for a time if they say so, and told with the calendar. */
export class Modes {
  readonly #options: ModesOptions;
  readonly #entries = new Map<string, ModeEntry>();
  #on: ReadonlySet<string> = new Set();
  #told = '';
  #last: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> | null = null;

  constructor(options: ModesOptions) {
    this.#options = options;
    for (const { id, rev, body } of this.#stored()) this.#entries.set(id, { rev, mode: body, isOwed: false });
    this.#on = this.#now();
  }

  get on(): ReadonlySet<string> {
    return this.#on;
  }

  /** On disk, and then so. Throws MODE_NOT_FOUND, BAD_TIME, what the store throws. */
  set(
    id: string,
    wish: { readonly on: boolean; readonly until: number | null; readonly why: string },
    actor: Actor,
  ): Promise<ModeNow> {
    const { known, clock } = this.#options;
    const work = async (): Promise<ModeNow> => {
      if (!known.includes(id)) throw new CodedError('MODE_NOT_FOUND', `there is no mode "${id}" in the site file`);
      const now = clock.now();
      const until = wish.on ? wish.until : null;
      if (until !== null && (until <= now || until > now + longest)) {
        throw new CodedError('BAD_TIME', 'a mode ends in the future, within a year');
      }
      const before = this.#entries.get(id);
      const since = before?.mode.on === wish.on && before.isOwed === false ? before.mode.since : now;
      const mode: ModeNow = { on: wish.on, since, until, by: actor.who, why: wish.why };
      await this.#put(id, before?.rev ?? 0, mode, {
        ...actor,
        why: wish.why,
        what: `mode.set ${id} ${wish.on ? 'on' : 'off'}`,
      });
      this.#look();
      return mode;
    };
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Ends what is over, and tells what kind of time it is when that has changed. Call it about once a second. */
  tick(): void {
    this.#look();
    this.#saving ??= this.#saveEnded().finally(() => {
      this.#saving = null;
    });
  }

  #look(): void {
    const on = this.#now();
    const isSame = on.size === this.#on.size && [...on].every((id) => this.#on.has(id));
    if (!isSame) {
      this.#on = on;
      this.#options.onChange();
    }
    this.#tell();
  }

  #tell(): void {
    const { calendar, clock, tell } = this.#options;
    const now = clock.now();
    const labels = calendar.labels.filter((label) => calendar.is(label, now));
    const ends = [...this.#entries.values()].flatMap(({ mode }) =>
      mode.on && mode.until !== null && mode.until > now ? [mode.until] : [],
    );
    const message = { labels, modes: [...this.#on].sort(), next: Math.min(calendar.nextChange(now), ...ends) };
    const text = JSON.stringify(message);
    if (text === this.#told) return;
    this.#told = text;
    tell(message);
  }

  /** What the disk does not know yet does not keep it on. */
  #now(): ReadonlySet<string> {
    const now = this.#options.clock.now();
    const isOn = ([id, { mode }]: [string, ModeEntry]) =>
      mode.on && (mode.until === null || mode.until > now) && this.#options.known.includes(id);
    return new Set([...this.#entries].filter(isOn).map(([id]) => id));
  }

  async #saveEnded(): Promise<void> {
    const now = this.#options.clock.now();
    for (const [id, entry] of this.#entries) {
      const { mode, rev } = entry;
      if (!mode.on || mode.until === null || mode.until > now) continue;
      entry.isOwed = true;
      const why = 'its time is over';
      const ended: ModeNow = { on: false, since: mode.until, until: null, by: 'process:core', why };
      try {
        await this.#put(id, rev, ended, { who: 'process:core', from: 'core', why, what: `mode.end ${id}` });
      } catch {
        return; // the store's own alarm stands; tried again with the next tick
      }
    }
  }

  async #put(
    id: string,
    rev: number,
    body: ModeNow,
    words: Pick<DocumentChange, 'who' | 'from' | 'why' | 'what'>,
  ): Promise<void> {
    const { append, clock, reader } = this.#options;
    try {
      await append({ documents: [{ kind: 'mode', id, rev, time: clock.now(), ...words, body }] });
    } catch (error) {
      const stored = codeOf(error) === 'DOCUMENT_CHANGED' ? reader.document('mode', id) : null;
      if (stored !== null) this.#entries.set(id, { rev: stored.rev, mode: stored.body, isOwed: false });
      throw error;
    }
    this.#entries.set(id, { rev: rev + 1, mode: body, isOwed: false });
  }

  #stored() {
    try {
      return this.#options.reader.documents('mode');
    } catch (error) {
      this.#options.log.error({ error }, 'the modes that were on cannot be read: none is');
      return [];
    }
  }
}
