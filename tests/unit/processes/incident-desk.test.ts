import { describe, expect, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { GroupingRule, Incident } from '#edge/domain/incident.ts';
import { IncidentDesk, mostOpen } from '#edge/processes/core/incident-desk.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';

const start = 1_800_000_000_000;
const rule = (more: Partial<GroupingRule> = {}): GroupingRule => ({
  ...{
    types: ['person'],
    zones: 'all',
    devices: 'all',
    during: null,
    class: 'medium',
    within: 60_000,
    longest: 600_000,
  },
  escalateAfter: 180_000,
  ...more,
});

/** A disk that can be read again: what is committed is there at the next start. */
class Disk {
  readonly incidents = new Map<string, Incident>();
  readonly events: CampusEvent[] = [];
  state: unknown = undefined;
  writes = 0;
  fails = false;

  take(batch: Batch): void {
    if (this.fails) throw new CodedError('STORE_IO', 'the disk does not answer');
    this.writes += batch.incidents?.length ?? 0;
    for (const incident of batch.incidents ?? []) this.incidents.set(incident.id, incident);
    for (const event of batch.events ?? []) if (!this.events.some(({ id }) => id === event.id)) this.events.push(event);
    if (batch.state !== undefined) this.state = JSON.parse(JSON.stringify(batch.state.incidents));
  }
}

function bench(disk = new Disk(), clock = new ManualClock(start), rules: readonly GroupingRule[] = [rule()]) {
  const decided: AlarmDecision[] = [];
  const desk = new IncidentDesk({
    rules,
    zoneOf: (device) => (device === 'camera-yard' ? ('yard' as ZoneId) : ('gate' as ZoneId)),
    zoneName: () => undefined,
    during: () => true,
    reader: {
      incidents: () => [...disk.incidents.values()].filter(({ state }) => state !== 'resolved'),
      incident: (id) => disk.incidents.get(id) ?? null,
      event: (id) => disk.events.find((event) => event.id === id) ?? null,
      events: (after) => disk.events.slice(disk.events.findIndex(({ id }) => id === after) + 1),
      newestEvents: () => disk.events.slice(-1),
    },
    stored: disk.state,
    commit: async (batch) => disk.take(batch),
    decide: (decisions) => void decided.push(...decisions),
    openAlarms: () => new Map<string, Alarm>(),
    acknowledge: () => {},
    onChange: () => {},
    clock,
    log: silentLog,
  });
  /** As core does it: what it brings goes with the event. */
  const happens = (device = 'camera-gate', type = 'person'): CampusEvent => {
    const event: CampusEvent = {
      id: newHappeningId(clock),
      type,
      device: device as DeviceId,
      time: clock.now(),
      data: {},
    };
    const { incidents } = desk.hear([event]);
    disk.take({ events: [event], ...(incidents.length > 0 ? { incidents, state: desk.state } : {}) });
    return event;
  };
  const pass = (seconds: number, each: () => void = () => {}) => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1_000);
      each();
      desk.tick();
    }
  };
  return { desk, disk, clock, decided, happens, pass };
}

describe('escalation', () => {
  test.each([
    ['an hour ahead', 3_600_000],
    ['an hour back', -3_600_000],
    ['a year back', -31_536_000_000],
  ])('comes at its time although the clock is put %s meanwhile', (_, step) => {
    const { clock, happens, pass, desk, decided } = bench();
    happens();
    pass(60);
    clock.step(step);
    pass(110);
    expect(desk.open[0]?.state).toBe('new');
    pass(15);
    expect(desk.open[0]?.state).toBe('escalated');
    expect(decided).toMatchObject([{ kind: 'raise', class: 'medium' }]);
  });

  test('goes on over a restart where it was, is made up for when it was due meanwhile, and waits no longer than it may', () => {
    const first = bench();
    first.happens();
    first.pass(100);
    const again = bench(first.disk, first.clock);
    again.desk.begin();
    again.pass(70);
    expect(again.desk.open[0]?.state).toBe('new');
    again.pass(15);
    expect(again.desk.open[0]?.state).toBe('escalated');

    const late = bench();
    late.happens();
    late.clock.advance(1_000_000);
    const after = bench(late.disk, late.clock);
    after.desk.begin();
    after.pass(1);
    expect(after.desk.open[0]?.state).toBe('escalated');

    const wrong = bench();
    wrong.happens();
    wrong.clock.step(-86_400_000);
    const back = bench(wrong.disk, wrong.clock);
    back.desk.begin();
    back.pass(179);
    expect(back.desk.open[0]?.state).toBe('new');
    back.pass(2);
    expect(back.desk.open[0]?.state).toBe('escalated');
  });
});

describe('what grows', () => {
  test('is written at once when it opens or becomes graver, else now and then, the less often the longer it lasts', () => {
    const { disk, happens, pass } = bench(new Disk(), new ManualClock(start), [
      rule({ longest: 3_600_000, escalateAfter: null }),
    ]);
    happens();
    expect(disk.writes).toBe(1);
    happens();
    expect(disk.writes).toBe(1);
    pass(1);
    expect(disk.writes).toBe(2);
    pass(30, () => happens());
    const early = disk.writes;
    expect(early).toBeGreaterThan(12);
    pass(600, () => happens());
    // Every ten seconds by then, not every second.
    expect(disk.writes - early).toBeLessThan(150);
    pass(15);
    expect([...disk.incidents.values()][0]?.count).toBe(632);
  });

  test('and was not written when core was killed is taken up from the events at the next start, each once', () => {
    const { disk, clock, happens, pass } = bench(new Disk(), new ManualClock(start), [rule({ escalateAfter: null })]);
    happens();
    pass(40, () => happens());
    // An unwritten growth here, and a batch of another incident that is written: neither is lost, nothing is counted twice.
    happens();
    happens('camera-yard');
    happens();
    happens('camera-yard');
    const heard = disk.events.length;
    const written = [...disk.incidents.values()].reduce((sum, { count }) => sum + count, 0);
    expect(written).toBeLessThan(heard);
    const { desk } = bench(disk, clock, [rule({ escalateAfter: null })]);
    desk.begin();
    desk.begin();
    expect(desk.open.map(({ zone, count }) => [zone, count]).toSorted()).toEqual([
      ['gate', heard - 2],
      ['yard', 2],
    ]);
  });

  test('ends when nothing can join it any more', () => {
    const { desk, happens, pass } = bench();
    happens();
    pass(80);
    expect(desk.open[0]?.isClosed).toBe(false);
    pass(15);
    expect(desk.open[0]?.isClosed).toBe(true);
    happens();
    expect(desk.open).toHaveLength(2);
  });
});

test('more than anybody works through end by themselves, the mildest that nobody claimed and the oldest first, and say so', async () => {
  const { desk, disk, clock, happens } = bench(new Disk(), new ManualClock(start), [
    rule({ types: ['grave'], class: 'high', escalateAfter: null, within: 1_000 }),
    rule({ escalateAfter: null, within: 1_000 }),
  ]);
  const person = { who: 'person:lin', name: 'Lin', from: '' };
  const far = () => clock.advance(60_000);
  happens('camera-gate', 'grave');
  far();
  const claimed = happens();
  await desk.act(desk.open.find(({ events }) => events.includes(claimed.id))?.id ?? '', { act: 'claim' }, person);
  for (let i = 0; i < mostOpen; i++) {
    far();
    happens();
    if (i % 500 === 0) desk.tick();
  }
  desk.tick();
  expect(desk.open).toHaveLength(mostOpen);
  expect(desk.open.some(({ class: severity }) => severity === 'high')).toBe(true);
  expect(desk.open.some(({ state }) => state === 'claimed')).toBe(true);
  const ended = [...disk.incidents.values()].filter(({ state }) => state === 'resolved');
  expect(ended).toHaveLength(2);
  expect(ended[0]).toMatchObject({ outcome: 'no-action', note: `more than ${mostOpen} were left open` });
}, 30_000);

test('a store that cannot be read at the start is nothing remembered, and no reason not to begin', () => {
  const disk = new Disk();
  const { desk, happens } = bench(disk);
  happens();
  expect(desk.open).toHaveLength(1);
  const broken = new IncidentDesk({
    ...{ rules: [rule()], zoneOf: () => undefined, zoneName: () => undefined, during: () => true, stored: disk.state },
    reader: {
      incidents: () => {
        throw new CodedError('STORE_NOT_READY', 'there is no database');
      },
      ...{ incident: () => null, event: () => null, events: () => [], newestEvents: () => [] },
    },
    ...{
      commit: async () => {},
      decide: () => {},
      openAlarms: () => new Map(),
      acknowledge: () => {},
      onChange: () => {},
    },
    ...{ clock: new ManualClock(start), log: silentLog },
  });
  broken.begin();
  expect(broken.open).toEqual([]);
});
