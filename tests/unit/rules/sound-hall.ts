import type { BroadcastItem, SoundClass } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Moment, OutsideClaim, SoundArbiterOptions, SoundHappening, SoundStep } from '#edge/rules/sound.ts';
import { createSoundArbiter } from '#edge/rules/sound-arbiter.ts';
import { soundHabits } from '#edge/rules/sound-habits.ts';

/* A school with loudspeakers, at 10:00 on a Monday, whose clock goes when it is told to. */

export const tenOClock = Date.UTC(2026, 10, 23, 2, 0, 0);
export const drillWord = { clip: 'drill-word', length: 2_000 };

export function room(n: number | string): PointRef {
  return `speaker-${n}/clip` as PointRef;
}

export function rooms(count: number): PointRef[] {
  return Array.from({ length: count }, (_, i) => room(i + 1));
}

export function idOf(n: number): HappeningId {
  return `019ab000-0000-7000-8000-${n.toString(16).padStart(12, '0')}` as HappeningId;
}

export type Wish = Partial<Omit<BroadcastItem, 'id'>> & { class: SoundClass; id?: HappeningId };

/** A monotonic clock that began at some odd time before. */
const born = 4_711.25;

export class Hall {
  readonly arbiter;
  readonly options: SoundArbiterOptions;
  readonly happenings: SoundHappening[] = [];
  time: Moment;
  #ids = 1;

  constructor(options: Partial<SoundArbiterOptions> = {}, time: Moment = { now: tenOClock, monotonic: born }) {
    this.options = { drillWord, sirens: ['siren'], ...options };
    this.arbiter = createSoundArbiter(this.options);
    this.time = time;
  }

  /** As whoever makes an item would: with the habits of its class. */
  item(wish: Wish): BroadcastItem {
    const id = wish.id ?? idOf(this.#ids++);
    const { interruption } = soundHabits[wish.class];
    return {
      id,
      name: { zh: wish.class, en: wish.class },
      source: { kind: 'clips', clips: [`${wish.class}-${id.slice(-4)}`], loop: false },
      zones: [],
      outputs: [room(1)],
      since: this.time.now,
      length: 10_000,
      patience: null,
      until: null,
      interruption,
      drill: false,
      by: 'person:duty',
      why: 'because',
      ...wish,
    };
  }

  put(wish: Wish): HappeningId {
    const item = this.item(wish);
    const answer = this.arbiter.put(item, this.time);
    if (answer.outcome === 'refused') throw new Error(JSON.stringify(answer.refusal));
    this.step();
    return item.id;
  }

  step(): SoundStep {
    const step = this.arbiter.step(this.time);
    this.happenings.push(...step.happenings);
    return step;
  }

  stop(id: HappeningId): void {
    this.arbiter.stop(id, { by: 'person:duty', why: 'enough' }, this.time);
    this.step();
  }

  outside(...claims: (Partial<OutsideClaim> & { output: PointRef })[]): void {
    const made = claims.map((claim) => ({ owner: 'interlock:fire', reason: 'smoke', since: this.time.now, ...claim }));
    this.arbiter.outside(made, this.time);
    this.step();
  }

  /** Lets time pass, waking the arbiter when it asks to be. */
  pass(ms: number): void {
    const end = this.time.monotonic + ms;
    for (;;) {
      const next = this.arbiter.next();
      if (next === null || next > end) break;
      this.#to(Math.max(next, this.time.monotonic));
      this.step();
    }
    this.#to(end);
    this.step();
  }

  #to(monotonic: number): void {
    this.time = { ...this.time, now: this.time.now + monotonic - this.time.monotonic, monotonic };
  }

  /** Somebody sets the wall clock. */
  set(ms: number): void {
    this.time = { ...this.time, now: this.time.now + ms };
    this.step();
  }

  /** Seconds of what a loudspeaker plays, and where in it: `page 3`; null: silence. */
  heard(output: PointRef = room(1)): string | null {
    const { playing } = this.arbiter.why(output, this.time);
    return playing === null ? null : `${playing.class} ${Math.round((playing.position ?? 0) / 100) / 10}`;
  }

  /** `kind reason`, of an item and perhaps a loudspeaker. */
  story(id: HappeningId, output?: PointRef): string[] {
    return this.happenings
      .filter(({ item, outputs }) => item === id && (output === undefined || outputs.includes(output)))
      .map(({ kind, reason }) => `${kind} ${reason}`);
  }

  /** The box is killed and starts again after so many ms, with what was stored. */
  reborn(away: number, more: Partial<Moment> = {}): Hall {
    const stored = JSON.parse(JSON.stringify(this.arbiter.snapshot()));
    const hall = new Hall(this.options, { now: this.time.now + away, monotonic: 99, ...more });
    hall.arbiter.restore(stored, hall.time);
    hall.#ids = this.#ids;
    return hall;
  }
}
