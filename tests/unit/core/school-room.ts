import type { Commands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import { type DeviceId, type PointName, type PointRef, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Hold, OutputState } from '#edge/domain/output.ts';
import type { LedgerLine, SchoolEntry } from '#edge/domain/school.ts';
import { createSchoolActs } from '#edge/processes/core/school-acts.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { SchoolClockWatch } from '#edge/processes/core/school-clock.ts';
import { SchoolDesk, type SchoolMoment } from '#edge/processes/core/school-desk.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { ClockSync } from '#edge/runtime/clock-sync.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import type { Store } from '#edge/store/store.ts';
import { open } from '../../fixtures/store/site.ts';

/* The school's desk on a real store, with a clock that moves when told and loudspeakers that say what they were told. */

export const eight = Date.UTC(2026, 10, 23, 0, 30); // Monday, 08:30 in Shanghai
export const actor = { who: 'person:lin', from: '127.0.0.1' };
const name = { zh: '铃', en: 'bell' };
const every = {
  kinds: ['school', 'make-up', 'exam', 'event', 'weekend', 'holiday', 'vacation'] as const,
  weekdays: [],
};

export function bellAt(second: number, more: Partial<Extract<SchoolEntry, { part: 'item' }>> = {}): SchoolEntry {
  return {
    ...{ part: 'item', name, class: 'bell', layer: 'campus', when: { at: second }, days: every, enabled: true },
    do: { kind: 'sound', clip: 'bell', zones: [], seconds: 10 },
    ...more,
  };
}

const point = { name: 'clip' as PointName, type: 'text', write: {} };
const speakers = (['east', 'west'] as const).map((zone) => {
  const device = { id: `speaker-${zone}` as DeviceId, zone: zone as ZoneId, protocol: 'broadcast', points: [point] };
  return device as unknown as Device;
});

export interface SchoolRoom extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly book: SchoolBook;
  readonly store: Store;
  readonly reader: Reader;
  readonly clockWatch: SchoolClockWatch;
  readonly said: string[];
  readonly alarms: Map<string, boolean>;
  readonly moments: SchoolMoment[];
  desk: SchoolDesk;
  /** Fails what is appended while it is set. */
  refuse: boolean;
  sync: ClockSync;
  /** The outputs do not answer. */
  mute: boolean;
  /** Time goes by, looked at every 250 ms; what is begun is through when it resolves. */
  run(ms: number): Promise<void>;
  /** Core ends, and starts `gap` ms later; what it held, others still hold. */
  restart(gap: number): Promise<void>;
  put(entries: Readonly<Record<string, SchoolEntry>>): Promise<void>;
  sign(days?: number): Promise<string>;
  lines(): readonly LedgerLine[];
}

export async function openSchool(folder: string, at = eight - 60_000): Promise<SchoolRoom> {
  const clock = new ManualClock(at);
  const store = await open(folder);
  const reader = openReader(folder);
  const held = new Map<PointRef, Hold & { readonly at: number }>();
  const outputs = (): OutputState[] =>
    speakers.flatMap(({ id }) => {
      const ref = pointRef(id, point.name);
      const hold = held.get(ref);
      if (hold === undefined || (hold.until ?? 0) <= clock.now()) {
        const nothing = { ref, value: '', holder: null, stack: [], confirmed: null, waiting: null };
        return [nothing as unknown as OutputState];
      }
      const confirmed = room.mute ? null : { value: hold.value, outcome: 'sent' as const, time: hold.at };
      const state = { ref, value: hold.value, holder: hold.owner, stack: [hold], confirmed, waiting: null };
      return [state as unknown as OutputState];
    });
  const commands: Pick<Commands, 'setInterlockHolds' | 'outputs'> = {
    outputs,
    setInterlockHolds: (changes) => {
      for (const change of changes) {
        if (change.kind === 'relinquish') {
          if (held.get(change.ref)?.owner === change.owner) held.delete(change.ref);
          room.said.push(`${change.ref} let go by ${change.owner}`);
        }
        if (change.kind !== 'hold') continue;
        const { ref, owner, value, priority, reason, lasts } = change;
        const now = clock.now();
        const until = now + (lasts ?? 0);
        held.set(ref, { ref, owner, value: value ?? '', priority, reason, since: now, until, at: now });
        room.said.push(`${ref}=${String(value)} ${owner} ${priority}`);
      }
    },
  };
  const stored: Record<string, unknown> = {};
  /** What the disk has not answered yet: the clock here is faster than any disk. */
  let under: Promise<void> | null = null;
  const append = async (batch: Batch) => {
    if (room.refuse) throw new Error('the disk is full');
    const work = store.append(batch);
    under = work.catch(() => {});
    await work;
    Object.assign(stored, batch.state ?? {});
  };
  const make = () => {
    const book = new SchoolBook({
      timeZone: 'Asia/Shanghai',
      zones: ['east', 'west'] as unknown as readonly ZoneId[],
      ...{ reader, append, clock },
    });
    const clockWatch = new SchoolClockWatch({
      stored: stored['school-clock'],
      ask: async () => room.sync,
      commit: append,
      clock,
    });
    const desk = new SchoolDesk({
      acts: createSchoolActs({
        ...{ devices: speakers, clips: new Set(['bell', 'song']), commands, clock },
        modes: { set: async (id, wish) => ({ on: wish.on, since: 0, until: wish.until, by: id, why: '' }) },
      }),
      ...{ book, clockWatch, reader, append, stored, clock },
      log: silentLog,
      decide: (decisions: readonly AlarmDecision[]) => {
        for (const one of decisions) room.alarms.set(one.source, one.kind === 'raise');
      },
      onChange: () => {},
      powerTick: (moment) => void room.moments.push(moment),
      every: null,
    });
    return { book, clockWatch, desk };
  };
  const room: SchoolRoom = {
    ...{ clock, store, reader, said: [], alarms: new Map(), moments: [], refuse: false, mute: false },
    sync: { synchronised: true, source: 'chrony' },
    ...({} as ReturnType<typeof make>),
    run: async (ms) => {
      for (let gone = 0; gone < ms; gone += 250) {
        clock.advance(250);
        room.desk.tick();
        if (under !== null) await under;
        under = null;
        await settle();
      }
    },
    restart: async (gap) => {
      room.desk[Symbol.dispose]();
      clock.advance(gap);
      Object.assign(room, make());
      room.desk.tick();
      await settle();
    },
    put: async (entries) => {
      const revs = new Map(reader.documents('school').map(({ id, rev }) => [id, rev]));
      const changes = Object.entries(entries).map(([id, body]) => ({ id, rev: revs.get(id) ?? 0, body }));
      await room.book.put(changes, 'test', actor);
    },
    sign: async (days = 13) => {
      const revs = Object.fromEntries(reader.documents('school').map(({ id, rev }) => [id, rev]));
      const from = room.book.today();
      const to = room.book.clock.dateOf(clock.now() + days * 86_400_000);
      const accept = ['unconfirmed-year:2027'];
      const { id } = await room.book.sign({ from, to, revs, accept, why: 'test' }, actor);
      return id;
    },
    lines: () => reader.schoolLedger({ limit: 1_000 }).toReversed(),
    [Symbol.asyncDispose]: async () => {
      room.desk[Symbol.dispose]();
      reader[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
  Object.assign(room, make());
  return room;
}

/** Promises that wait for nothing outside. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
