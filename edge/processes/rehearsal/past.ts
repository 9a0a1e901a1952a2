import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { ReplayHour, ReplayPoint } from '#edge/store/replay.ts';
import type { Happenings } from '#edge/store/replay-happenings.ts';

/** One moment of the past: everything that core heard in the same ms, in one turn. */
export interface Moment {
  readonly time: number;
  readonly changed: readonly PointRef[];
  readonly events: readonly CampusEvent[];
}

/** Where in the past one is. */
interface Place {
  hour: ReplayHour | null;
  time: number;
}

/**
 * What was known, as a map that looks into the stored hour: of a hundred million samples only those that somebody asks for become
 * readings. It is what the engine sees as `latest`, so it has to be a map; only what the engine uses of one is answered.
 */
export class LatestThen extends Map<PointRef, Reading> {
  readonly #place: Place = { hour: null, time: 0 };
  readonly #points: ReadonlyMap<PointRef, ReadingThen>;

  constructor(points: readonly ReplayPoint[]) {
    super();
    this.#points = new Map(points.map(({ ref }, i) => [ref, new ReadingThen(ref, i, this.#place)]));
  }

  moveTo(hour: ReplayHour, time: number): void {
    this.#place.hour = hour;
    this.#place.time = time;
  }

  override get(ref: PointRef): Reading | undefined {
    const reading = this.#points.get(ref);
    // A reading but for one thing that nobody can see: where it has no reason, `reason` is there and undefined.
    return reading?.isKnown === true ? (reading as Reading) : undefined;
  }

  override has(ref: PointRef): boolean {
    return this.get(ref) !== undefined;
  }
}

/**
 * A point's reading as of wherever one is: the engine keeps what it saw to say so later, and what it was not told anew, because it
 * could change nothing, must not make its words old.
 */
class ReadingThen {
  readonly ref: PointRef;
  readonly #index: number;
  readonly #place: Place;
  #hour: ReplayHour | null = null;
  #time = Number.NaN;
  #known: Reading | undefined;

  constructor(ref: PointRef, index: number, place: Place) {
    this.ref = ref;
    this.#index = index;
    this.#place = place;
  }

  #now(): Reading | undefined {
    const { hour, time } = this.#place;
    if (hour !== this.#hour || time !== this.#time) {
      this.#known = hour?.at(this.#index, time);
      this.#hour = hour;
      this.#time = time;
    }
    return this.#known;
  }

  get isKnown(): boolean {
    return this.#now() !== undefined;
  }

  get device(): Reading['device'] {
    return this.#now()?.device ?? ('' as Reading['device']);
  }

  get point(): Reading['point'] {
    return this.#now()?.point ?? ('' as Reading['point']);
  }

  get value(): Reading['value'] {
    return this.#now()?.value ?? null;
  }

  get unit(): string {
    return this.#now()?.unit ?? '';
  }

  get quality(): Reading['quality'] {
    return this.#now()?.quality ?? 'bad';
  }

  get reason(): Reading['reason'] {
    return this.#now()?.reason;
  }

  get sourceTime(): number {
    return this.#now()?.sourceTime ?? 0;
  }

  get receivedTime(): number {
    return this.#now()?.receivedTime ?? 0;
  }
}

/** The moments of one hour, ascending: told samples and events. */
export function* momentsOf(
  hour: ReplayHour,
  points: readonly ReplayPoint[],
  events: readonly CampusEvent[],
): Iterable<Moment> {
  let [i, j] = [0, 0];
  while (i < hour.count || j < events.length) {
    const sampleTime = i < hour.count ? (hour.times[i] ?? 0) : Number.POSITIVE_INFINITY;
    const time = Math.min(sampleTime, events[j]?.time ?? Number.POSITIVE_INFINITY);
    const changed: PointRef[] = [];
    for (; i < hour.count && hour.times[i] === time; i++) {
      const ref = points[hour.points[i] ?? -1]?.ref;
      if (ref !== undefined) changed.push(ref);
    }
    const heard: CampusEvent[] = [];
    for (let event = events[j]; event !== undefined && event.time <= time; event = events[++j]) heard.push(event);
    yield { time, changed, events: heard };
  }
}

/** Something about alarms of other rules, or about modes, that became so at a time. */
interface Turn {
  readonly time: number;
  apply(scene: CircumstancesThen): void;
}

/** Alarms of others, and modes, as they were at the time that was last moved to. */
export class CircumstancesThen {
  readonly alarms = new Map<string, Alarm>();
  readonly modes = new Set<string>();
  readonly #turns: readonly Turn[];
  #next = 0;

  /** `isOwn`: sources whose alarms the rehearsal itself raises. */
  constructor(past: Happenings, isOwn: (source: string) => boolean) {
    const others = past.alarms.filter(({ source }) => !isOwn(source));
    this.#turns = [...others.flatMap(turnsOf), ...past.modes.map(modeTurn)].sort((a, b) => a.time - b.time);
  }

  /** When something next becomes otherwise; null: nothing more. */
  get next(): number | null {
    return this.#turns[this.#next]?.time ?? null;
  }

  moveTo(time: number): void {
    for (
      let turn = this.#turns[this.#next];
      turn !== undefined && turn.time <= time;
      turn = this.#turns[++this.#next]
    ) {
      turn.apply(this);
    }
  }
}

function modeTurn({ time, mode, on }: Happenings['modes'][number]): Turn {
  return { time, apply: ({ modes }) => void (on ? modes.add(mode) : modes.delete(mode)) };
}

/** An alarm's life from the times it carries: raised, acknowledged, returned, ended. */
function turnsOf(alarm: Alarm): readonly Turn[] {
  const { source, acknowledged, returned, ended } = alarm;
  const put = (time: number, then: Partial<Alarm>): Turn => ({
    time,
    apply: ({ alarms }) => {
      const { acknowledged: _, returned: _r, ended: _e, ...bare } = alarm;
      alarms.set(source, { ...bare, ...then });
    },
  });
  const turns: Turn[] = [put(alarm.raised, { state: 'unacknowledged', active: true })];
  if (acknowledged !== undefined && (returned === undefined || acknowledged.time < returned)) {
    turns.push(put(acknowledged.time, { state: 'acknowledged', active: true, acknowledged }));
  }
  if (returned !== undefined && ended !== returned)
    turns.push(put(returned, { state: 'returned', active: false, returned }));
  if (ended !== undefined) turns.push({ time: ended, apply: ({ alarms }) => void alarms.delete(source) });
  return turns;
}
