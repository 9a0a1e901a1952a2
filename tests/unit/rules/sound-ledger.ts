import { expect } from 'vitest';
import { type BroadcastItem, isEmergency, rankOf } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { QuietRooms, SoundHappening } from '#edge/rules/sound.ts';
import { type Hall, room } from './sound-hall.ts';

/** What the promises need to know of a life. */
export interface Witness {
  readonly hall: Hall;
  readonly outputs: readonly PointRef[];
  readonly quiet: readonly QuietRooms[];
}

type State = 'new' | 'waiting' | 'playing' | 'cut' | 'over';

/** Which state each happening may find, and which it leaves. */
const course: Readonly<Record<SoundHappening['kind'], readonly [readonly State[], State]>> = {
  queued: [['new'], 'waiting'],
  begun: [['new', 'waiting'], 'playing'],
  preempted: [['playing'], 'cut'],
  resumed: [['cut'], 'playing'],
  restarted: [['cut'], 'playing'],
  ended: [['playing'], 'over'],
  expired: [['new', 'waiting', 'playing', 'cut'], 'over'],
  dropped: [['new', 'waiting', 'playing', 'cut'], 'over'],
  stopped: [['new', 'waiting', 'playing', 'cut'], 'over'],
};

/** An assertion for the inside of loops: 100,000 of the other kind take a minute. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/**
 * The ledger as core would keep it, from the happenings alone; and the promises, asked of the ledger and of nothing inside the arbiter: no weaker
 * one has the word over a stronger one, no emergency is lost, every pre-emption is accounted for, equal keeps first, everything ends.
 */
export class Ledger {
  readonly items = new Map<string, BroadcastItem>();
  /** By loudspeaker, then by item; what is over is in `ended`. */
  readonly states = new Map<PointRef, Map<HappeningId, State>>();
  readonly ended = new Set<string>();
  readonly kinds = new Set<string>();
  readonly stopped = new Set<HappeningId>();
  isAllClear = false;
  entries = 0;
  preempted = 0;

  took(item: BroadcastItem): void {
    this.items.set(item.id, item);
    // An id that was over may come again after a restart: then it is another life of it.
    for (const output of item.outputs) this.ended.delete(`${item.id} ${output}`);
  }

  mayEnd(id: HappeningId): void {
    this.stopped.add(id);
  }

  enter(happenings: readonly SoundHappening[]): void {
    for (const { kind, item, outputs, reason, by, at } of happenings) {
      this.kinds.add(`${kind} ${reason}`);
      must(at > 0, 'it happened at no time');
      must(by !== null || (kind !== 'preempted' && kind !== 'queued'), `${kind} ${item} by nobody`);
      for (const output of outputs) this.one(kind, item, output);
      this.notLost(item, kind, reason);
    }
    this.isAllClear = false;
  }

  one(kind: SoundHappening['kind'], item: HappeningId, output: PointRef): void {
    const here = this.states.get(output) ?? new Map<HappeningId, State>();
    this.states.set(output, here);
    const key = `${item} ${output}`;
    const before = here.get(item) ?? (this.ended.has(key) ? 'over' : 'new');
    const [from, to] = course[kind];
    must(from.includes(before), `${kind} of ${key}, which is ${before}`);
    if (to === 'over') {
      here.delete(item);
      this.ended.add(key);
    } else here.set(item, to);
    this.entries++;
    if (kind === 'preempted') this.preempted++;
  }

  /** An emergency ends by a stop, by all clear, by its own end, or for a stronger emergency at a bound. */
  notLost(id: HappeningId, kind: string, reason: string): void {
    const item = this.items.get(id);
    if (item === undefined || !isEmergency(item.class)) return;
    const how = `${id} ${kind} ${reason}`;
    if (kind === 'stopped') must(reason === 'asked' ? this.stopped.has(id) : this.isAllClear, how);
    if (kind === 'expired') must(['until', 'while-away', 'over-elsewhere'].includes(reason), how);
    if (kind === 'dropped') must(['displaced', 'queue-full', 'over-elsewhere'].includes(reason), how);
  }

  check({ hall, outputs, quiet }: Witness): void {
    const orders = hall.arbiter.orders();
    const { now } = hall.time;
    for (const output of outputs) {
      const open = [...(this.states.get(output) ?? [])].map(([id, state]) => ({ item: this.itemOf(id), state }));
      const playing = open.filter(({ state }) => state === 'playing');
      must(playing.length <= 1, `${playing.length} play on ${output}`);
      must(
        playing[0]?.item.id === orders.get(output)?.item,
        `${output} is told something else than what the ledger says`,
      );
      const isQuiet = quiet.some(
        ({ outputs: rooms, from, until }) => rooms.includes(output) && from <= now && (until === null || now < until),
      );
      const able = open.filter(({ item }) => !isQuiet || item.class === 'exam' || isEmergency(item.class));
      for (const { item } of playing) {
        must(
          able.some((one) => one.item === item),
          `${item.id} plays in quiet rooms`,
        );
        for (const other of able)
          must(rankOf(item.class) <= rankOf(other.item.class), `${item.id} over a stronger one`);
      }
      if (playing.length === 0 && able.length > 0) {
        must(hall.arbiter.why(output, hall.time).outside !== null, `${output} is silent though something may play`);
      }
    }
  }

  itemOf(id: HappeningId): BroadcastItem {
    const item = this.items.get(id);
    if (item === undefined) throw new Error(`the ledger does not know ${id}`);
    return item;
  }

  /** Nothing of a life is left open: when everything is stopped, each has had its end. */
  close({ hall }: Witness): void {
    const before = hall.happenings.length;
    const ids = hall.arbiter.snapshot().flatMap(({ askers }) => askers);
    for (const id of hall.arbiter.emergencies()) this.mayEnd(id);
    for (const id of ids) hall.arbiter.stop(id, { by: 'person:duty', why: 'the day is over' }, hall.time);
    hall.step();
    this.enter(hall.happenings.slice(before));
    const left = [...this.states.values()].flatMap((here) => [...here]);
    expect(left).toEqual([]);
    expect(hall.arbiter.next() === null || hall.arbiter.counters.items === 0).toBe(true);
    expect(hall.arbiter.orders().size).toBe(0);
    expect(hall.arbiter.why(room(1), hall.time).waiting).toEqual([]);
  }
}
