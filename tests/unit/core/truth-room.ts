import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { LedgerLine, LocalDate, Occurrence, SchoolEntries } from '#edge/domain/school.ts';
import { Modes } from '#edge/processes/core/modes.ts';
import { createSchoolActs, soundOrder } from '#edge/processes/core/school-acts.ts';
import { SchoolBook } from '#edge/processes/core/school-book.ts';
import { createSchoolCalendar } from '#edge/processes/core/school-calendar.ts';
import { SchoolClockWatch, schoolClockState } from '#edge/processes/core/school-clock.ts';
import { SchoolDesk } from '#edge/processes/core/school-desk.ts';
import { PowerDesk, schoolPowerState } from '#edge/processes/core/school-power.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Site } from '#edge/runtime/site.ts';
import { addDays } from '#edge/school/dates.ts';
import { siteFacts } from '#edge/school/site-facts.ts';
import type { Batch } from '#edge/store/batch.ts';
import { openReader } from '#edge/store/reader.ts';
import { createSchoolViews, type SchoolDayView } from '#edge/web/school-desk.ts';
import { createScopes } from '#edge/web/scope.ts';
import { open } from '../../fixtures/store/site.ts';
import { Desk } from '../commands/desk.ts';
import { clips, devicesOf, modeIds, occupiedRef, schoolPoints, temperatureRef, zones } from './truth-school.ts';

/*
 * The running system and the simulator side by side: core's own parts on a real store with the real commands, and web's own view of what
 * a day will be. Time is simulated; everything else is as it is in the house.
 */

const timeZone = 'Asia/Shanghai';
const actor = { who: 'person:lin', from: '127.0.0.1' };
const acceptable = ['unconfirmed-year:2027', 'make-up-no-weekday:国庆节:National Day:2026'];

/** A switch that really was: the value that an output came to have. */
export interface Switched {
  readonly at: number;
  readonly ref: PointRef;
  readonly value: Value | null;
}

export type TruthRoom = Awaited<ReturnType<typeof openTruth>>;

export async function openTruth(folder: string, start: number) {
  const clock = new ManualClock(start);
  const store = await open(folder, {}, { clock });
  const reader = openReader(folder);
  const points = schoolPoints();
  const devices = devicesOf(points);
  const facts = siteFacts(devices, new Set(clips), modeIds);
  const clipSection = Object.fromEntries(clips.map((id) => [id, { file: `${id}.wav`, loop: false }]));
  const site = {
    campus: { timeZone },
    zones: zones.map((id) => ({ id })),
    devices: devices.map(({ id, zone }) => ({ id, zone })),
    clips: clipSection,
    modes: modeIds.map((id) => ({ id })),
  } as unknown as Site;
  const views = createSchoolViews({ site, devices, reader }, clock);
  const whole = createScopes([])({ zones: 'all', rights: new Set() });
  const stored: Record<string, unknown> = {};
  const readings = new Map<PointRef, Reading>();
  const switched: Switched[] = [];
  /** As it was at the last look, by output. */
  const values = new Map<PointRef, Value | null>();
  let under: Promise<unknown> | null = null;
  const append = async (batch: Batch) => {
    const work = store.append(batch);
    under = Promise.all([under, work]).catch(() => {});
    await work;
    Object.assign(stored, batch.state ?? {});
  };
  const make = (restored: ConstructorParameters<typeof Desk>[0]) => {
    const commands = new Desk({ ...restored, clock, points });
    const book = new SchoolBook({ timeZone, zones, site: facts, reader, append, clock });
    const calendar = createSchoolCalendar({ weekly: [], exceptions: [] }, timeZone, () => book);
    const modes = new Modes({
      ...{ known: modeIds, calendar, reader, append, clock, log: silentLog },
      ...{ onChange: () => {}, tell: () => {} },
    });
    const clockWatch = new SchoolClockWatch({
      ...{ stored: stored[schoolClockState], commit: append, clock },
      ask: async () => ({ synchronised: true, source: 'chrony' }),
    });
    const circuits = new PowerDesk({
      ...{ commands: commands.commands, latest: () => readings, stored: stored[schoolPowerState], clock },
      commit: (batch) => void append(batch).catch(() => {}),
    });
    const desk = new SchoolDesk({
      acts: createSchoolActs({
        ...{ devices, clips: new Set(clips), commands: commands.commands, modes, clock },
        modeNow: (mode) => reader.document('mode', mode)?.body ?? null,
      }),
      ...{ book, clockWatch, reader, append, stored, clock, log: silentLog, every: null, builtAt: start - 86_400_000 },
      decide: () => {},
      onChange: () => calendar.forget(),
      powerTick: (moment) => circuits.tick(moment),
    });
    return { commands, book, modes, desk, calendar };
  };
  const room = {
    ...{ clock, reader, readings, switched, views, facts },
    ...make({}),
    /** Looks once, lets what was begun come through, and notes which outputs have another value. */
    async look(): Promise<void> {
      room.desk.tick();
      if (under !== null) {
        const before = under;
        await before;
        if (under === before) under = null;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      room.commands.commands.tick();
      room.commands.obey();
      room.modes.tick();
      for (const { ref, value } of room.commands.commands.outputs()) {
        if (values.get(ref) === value && values.has(ref)) continue;
        values.set(ref, value);
        switched.push({ at: clock.now(), ref, value });
      }
    },
    /** Looks at each of these times, and at least every `step` ms, up to `until`. */
    async runTo(
      until: number,
      step: (time: number) => number,
      times: readonly number[],
      onLook?: () => void,
    ): Promise<void> {
      let next = 0;
      while (clock.now() < until) {
        while ((times[next] ?? until) <= clock.now()) next++;
        const to = Math.min(times[next] ?? until, clock.now() + step(clock.now()), until);
        clock.advance(to - clock.now());
        onLook?.();
        await room.look();
      }
    },
    async restart(gap: number): Promise<void> {
      room.desk[Symbol.dispose]();
      const restored = room.commands.commands.outputs().flatMap(({ stack }) => stack);
      clock.advance(gap);
      // The devices keep what they have; commands asserts it again.
      Object.assign(room, make({ restored }));
      await room.look();
    },
    async put(entries: SchoolEntries): Promise<void> {
      const known = new Map(reader.documents('school').map(({ id, rev, body }) => [id, { rev, body }]));
      const changes = Object.entries(entries)
        .filter(([id, body]) => JSON.stringify(known.get(id)?.body) !== JSON.stringify(body))
        .map(([id, body]) => ({ id, rev: known.get(id)?.rev ?? 0, body }));
      if (changes.length > 0) await room.book.put(changes, 'test', actor);
    },
    async sign(from: LocalDate, days: number): Promise<string> {
      const revs = Object.fromEntries(reader.documents('school').map(({ id, rev }) => [id, rev]));
      const wish = { from, to: addDays(from, days - 1), revs, accept: acceptable, why: 'test' };
      return (await room.book.sign(wish, actor)).id;
    },
    /** What the simulator says of a date, as GET /school/plan?of=signed&power=true does. */
    async said(date: LocalDate): Promise<SchoolDayView> {
      const [day] = await views.days('signed', date, date, whole, 'all');
      if (day === undefined) throw new Error('the simulator said nothing');
      return day;
    },
    /** Somebody is in the rooms of these zones, and nowhere else. */
    occupy(isThere: (zone: string) => boolean): void {
      for (const zone of zones) {
        const ref = occupiedRef(zone);
        const time = clock.now();
        const place = { ref, device: `sensor-${zone}`, point: 'occupied', unit: '' } as unknown as Reading;
        readings.set(ref, { ...place, value: isThere(zone), quality: 'good', sourceTime: time, receivedTime: time });
      }
    },
    /** What the thermometers say; null: nothing. */
    warm(temperature: number | null): void {
      for (const zone of zones) {
        const ref = temperatureRef(zone);
        const time = clock.now();
        const place = { ref, device: `sensor-${zone}`, point: 'temperature', unit: 'Cel' } as unknown as Reading;
        if (temperature === null) readings.delete(ref);
        else readings.set(ref, { ...place, value: temperature, quality: 'good', sourceTime: time, receivedTime: time });
      }
    },
    ledger(from: number, to: number): readonly LedgerLine[] {
      return reader.schoolLedger({ from, to, limit: 10_000 }).toReversed();
    },
    actor,
    async [Symbol.asyncDispose](): Promise<void> {
      room.desk[Symbol.dispose]();
      reader[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
  return room;
}

/** What the loudspeakers, outputs and modes are told by an occurrence, as people read it in the plan. */
export function wantsOf(one: Occurrence, soundZones: ReadonlySet<string>): readonly { ref: string; value: Value }[] {
  const { do: action } = one;
  if (action.kind === 'sound')
    return one.zones
      .filter((zone) => soundZones.has(zone))
      .map((zone: ZoneId) => ({ ref: `speaker-${zone}/clip`, value: soundOrder(action) }));
  return action.kind === 'hold' ? [...action.outputs] : [];
}
