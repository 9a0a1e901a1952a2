import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { GroupingRule, Incident } from '#edge/domain/incident.ts';
import {
  compileGrouping,
  escalateAfter,
  type GroupingContext,
  isOver,
  lateness,
  mostEvents,
  openEmergency,
  type PlacedEvent,
  placeEvent,
} from '#edge/rules/incident-groups.ts';

const start = 1_800_000_000_000;
const within = 120_000;
const longest = 600_000;
const rule = (more: Partial<GroupingRule>): GroupingRule => ({
  types: ['*'],
  zones: 'all',
  devices: 'all',
  during: null,
  class: 'medium',
  within,
  longest,
  escalateAfter: null,
  ...more,
});
const rules: readonly GroupingRule[] = [
  rule({ types: ['intrusion', 'fence*'], class: 'high', during: 'closed', escalateAfter: 180_000 }),
  rule({ types: ['person', 'motion'], zones: ['gate' as ZoneId, 'yard' as ZoneId], escalateAfter: 600_000 }),
  rule({ types: ['tamper'], devices: ['camera-1' as DeviceId], class: 'critical' }),
];

/** UUIDs that sort as they were made. */
function idMaker(prefix: string): () => HappeningId {
  let made = 0;
  return () => `${prefix}-0000-7000-8000-${String(made++).padStart(12, '0')}` as HappeningId;
}

let serial = 0;
const event = (at: number, type: string, more: Partial<PlacedEvent> = {}): PlacedEvent => ({
  id: `018f0000-0000-7000-8000-${String(serial++).padStart(12, '0')}` as HappeningId,
  type,
  time: start + at,
  device: 'camera-1' as DeviceId,
  zone: 'gate' as ZoneId,
  data: {},
  ...more,
});

function group(
  events: readonly PlacedEvent[],
  given: readonly GroupingRule[] = rules,
  during: GroupingContext['during'] = () => true,
): Incident[] {
  const newId = idMaker('019f0000');
  const compiled = compileGrouping(given);
  const open = new Map<string, Incident>();
  for (const one of events) {
    for (const incident of open.values()) {
      if (!incident.isClosed && isOver(incident, compiled, one.time))
        open.set(incident.id, { ...incident, isClosed: true });
    }
    const placed = placeEvent(open.values(), one, { rules: compiled, during, newId, now: one.time });
    if (placed !== null) open.set(placed.incident.id, placed.incident);
  }
  return [...open.values()];
}

describe('happenings', () => {
  test('of one zone within the time of their rule are one incident, of another zone another', () => {
    const yard = { zone: 'yard' as ZoneId, device: 'camera-2' as DeviceId };
    const events = [
      event(0, 'motion'),
      event(5_000, 'person', { device: 'pir-3' as DeviceId }),
      event(6_000, 'motion', yard),
      event(100_000, 'intrusion'),
      event(100_000 + within + 1, 'person'),
    ];
    const [gate, court, later, ...rest] = group(events);
    expect(rest).toEqual([]);
    expect(gate).toMatchObject({ class: 'high', zone: 'gate', types: ['intrusion', 'motion', 'person'], count: 3 });
    expect(gate).toMatchObject({ devices: ['camera-1', 'pir-3'], from: start, to: start + 100_000 });
    expect(court).toMatchObject({ class: 'medium', zone: 'yard', count: 1, devices: ['camera-2'] });
    expect(later).toMatchObject({ types: ['person'], count: 1, from: start + 100_000 + within + 1 });
  });

  test('that no rule wants, or not at this hour or not of this device, are no incident', () => {
    const open = [event(0, 'co2_high'), event(1, 'person', { zone: 'teaching' as ZoneId }), event(2, 'fence_cut')];
    expect(group([...open, event(3, 'tamper', { device: 'camera-9' as DeviceId })], rules, () => false)).toEqual([]);
    expect(group([event(0, 'fence_cut')])).toHaveLength(1);
  });

  test('that go on end their incident when it is as long as it may be', () => {
    const events = Array.from({ length: 20 }, (_, i) => event(i * 60_000, 'motion'));
    const found = group(events);
    expect(found.map(({ count }) => count)).toEqual([11, 9]);
    for (const { from, to } of found) expect(to - from).toBeLessThanOrEqual(longest);
  });

  test('that come late or out of order go where they belong while that is open, and open their own after that', () => {
    const late = event(1_000, 'person');
    const [one, ...rest] = group([event(50_000, 'motion'), event(20_000, 'motion'), late, event(51_000, 'motion')]);
    expect(rest).toEqual([]);
    expect(one).toMatchObject({ from: start + 1_000, to: start + 51_000, count: 4 });
    const far = 50_000 + within + lateness + 1;
    const split = group([
      event(50_000, 'motion'),
      event(far, 'motion', { zone: 'yard' as ZoneId }),
      event(40_000, 'person'),
    ]);
    expect(split).toHaveLength(3);
    expect(split[0]).toMatchObject({ isClosed: true });
    expect(group([event(0, 'motion'), event(far * 9, 'motion'), event(1, 'motion')]).map(({ count }) => count)).toEqual(
      [1, 1, 1],
    );
  });

  test('that are the end of something open nothing, and say how long it lasted', () => {
    expect(group([event(0, 'motion', { active: false })])).toEqual([]);
    const [one] = group([event(0, 'motion', { active: true }), event(40_000, 'motion', { active: false })]);
    expect(one).toMatchObject({ to: start + 40_000, count: 1 });
    const other = event(40_000, 'motion', { active: false, device: 'camera-7' as DeviceId });
    expect(group([event(0, 'motion', { active: true }), other])[0]).toMatchObject({ to: start });
  });

  test('of no zone are one incident when they are of one device', () => {
    const { zone: _, ...nowhere } = event(0, 'tamper');
    const again = { ...nowhere, id: event(0, 'x').id, time: start + 1 };
    const found = group([nowhere, again, event(2, 'intrusion')]);
    expect(found.map(({ zone, count }) => [zone, count])).toEqual([
      [null, 2],
      ['gate', 1],
    ]);
  });
});

describe('an incident', () => {
  test('keeps the picture of the gravest, and of those the first', () => {
    const shot = (at: number, type: string, snapshot?: string) =>
      event(at, type, snapshot === undefined ? {} : { snapshot });
    const of = (...events: PlacedEvent[]) => group(events)[0]?.picture;
    expect(of(shot(0, 'motion'))).toBeNull();
    expect(of(shot(0, 'motion'), shot(1, 'motion', 'd/a.jpg'), shot(2, 'motion', 'd/b.jpg'))).toBe('d/a.jpg');
    expect(of(shot(0, 'motion', 'd/a.jpg'), shot(1, 'intrusion', 'd/b.jpg'), shot(2, 'motion', 'd/c.jpg'))).toBe(
      'd/b.jpg',
    );
    expect(of(shot(0, 'motion', 'd/a.jpg'), shot(1, 'intrusion'))).toBe('d/a.jpg');
  });

  test('takes the pictures that were asked for, and they open none', () => {
    const shot = (at: number, more: Partial<PlacedEvent> = {}) =>
      event(at, 'snapshot', { snapshot: 'd/s.jpg', ...more });
    expect(group([shot(0)])).toEqual([]);
    const [one] = group([event(0, 'motion'), shot(2_000)]);
    expect(one).toMatchObject({ picture: 'd/s.jpg', types: ['motion'], count: 2, to: start });
    expect(
      group([event(0, 'motion'), shot(2_000, { zone: 'yard' as ZoneId, device: 'camera-2' as DeviceId })])[0],
    ).toMatchObject({ picture: null });
  });

  test('that becomes graver must be looked at again, and is escalated as soon as its gravest says', () => {
    const compiled = compileGrouping(rules);
    const context = { rules: compiled, during: () => true, newId: idMaker('019f0001'), now: start };
    const first = placeEvent([], event(0, 'motion'), context)?.incident;
    expect(first).toMatchObject({ escalatesAt: start + 600_000, seenBy: null });
    if (first === undefined) return;
    const seen = { ...first, seenBy: { who: 'person:lin', name: 'Lin', time: start } };
    const same = placeEvent([seen], event(1_000, 'person'), { ...context, now: start + 1_000 });
    expect(same).toMatchObject({
      isGraver: false,
      incident: { seenBy: { name: 'Lin' }, escalatesAt: start + 600_000 },
    });
    const graver = placeEvent([seen], event(1_000, 'intrusion'), { ...context, now: start + 1_000 });
    expect(graver).toMatchObject({ isGraver: true, incident: { seenBy: null, escalatesAt: start + 181_000 } });
    const claimed: Incident = { ...seen, state: 'claimed', escalatesAt: null };
    expect(placeEvent([claimed], event(1_000, 'intrusion'), context)?.incident.escalatesAt).toBeNull();
    expect(escalateAfter(first, compiled)).toBe(600_000);
    expect(escalateAfter(graver?.incident ?? first, compiled)).toBe(180_000);
  });

  test('has bounds, and counts what goes beyond them', () => {
    const events = Array.from({ length: 500 }, (_, i) => event(i * 100, 'motion', { device: `pir-${i}` as DeviceId }));
    const [one] = group(events);
    expect(one).toMatchObject({ count: 500, to: start + 49_900 });
    expect(one?.events).toHaveLength(mostEvents);
    expect(one?.events[0]).toBe(events.at(-1)?.id);
    expect(one?.devices).toHaveLength(100);
    expect(one?.course.length).toBeLessThanOrEqual(500);
    expect(one?.course[0]?.what).toBe('opened');
  });

  test('of the one-key alarm takes nobody in: who is seen there meanwhile is an incident of his own, and does not end with the button', () => {
    const newId = idMaker('019fffff');
    const pressed = openEmergency(
      event(0, 'emergency'),
      { id: 'gatehouse', cameras: ['camera-1' as DeviceId] },
      { newId },
    );
    const context = { rules: compileGrouping(rules), during: () => true, newId, now: start };
    const seen = placeEvent([pressed], event(20_000, 'intrusion'), context);
    expect(seen).toMatchObject({ isNew: true, incident: { class: 'high', emergency: null, seenBy: null } });
    // Pictures that it asked for are its own.
    const picture = event(1_000, 'snapshot', { snapshot: '2026-11-22/a.jpg' });
    expect(placeEvent([pressed], picture, context)?.incident).toMatchObject({
      id: pressed.id,
      picture: picture.snapshot,
    });
  });

  test('is not kept open for ever by a camera that says again and again that something is over', () => {
    const context = { rules: compileGrouping(rules), during: () => true, newId: idMaker('019ffffe'), now: start };
    let home = placeEvent([], event(0, 'person', { active: true }), context)?.incident;
    for (let at = 60_000; at < 86_400_000 && home !== undefined; at += 60_000) {
      if (isOver(home, context.rules, start + at)) break;
      home = placeEvent([home], event(at, 'person', { active: false }), context)?.incident ?? home;
    }
    expect((home?.to ?? 0) - start).toBeLessThanOrEqual(longest);
    expect(home?.count).toBe(1);
  });

  test('of the one-key alarm is critical and escalated whatever the rules say', () => {
    const newId = idMaker('019f0002');
    const cameras = ['camera-5' as DeviceId];
    const pressed = openEmergency(event(0, 'emergency'), { id: 'gatehouse', cameras }, { newId });
    expect(pressed.devices).toEqual(['camera-1', 'camera-5']);
    expect(pressed).toMatchObject({ state: 'escalated', class: 'critical', emergency: 'gatehouse', escalatesAt: null });
    expect(escalateAfter(pressed, compileGrouping(rules))).toBeNull();
  });
});

describe('whatever happens', () => {
  const arbitrary = fc.array(
    fc.record({
      type: fc.constantFrom('motion', 'person', 'intrusion', 'fence_cut', 'tamper', 'noise'),
      zone: fc.constantFrom('gate', 'yard', undefined),
      device: fc.constantFrom('camera-1', 'camera-2', undefined),
      active: fc.constantFrom(true, false, undefined),
      // Mostly forward by seconds, now and then late, and the clock is set by an hour or a year.
      step: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
        { weight: 2, arbitrary: fc.integer({ min: -60_000, max: 0 }) },
        { weight: 1, arbitrary: fc.constantFrom(-3_600_000, 3_600_000, 31_536_000_000, -31_536_000_000) },
      ),
      again: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  const stream = (steps: typeof arbitrary extends fc.Arbitrary<infer T> ? T : never): PlacedEvent[] => {
    const id = idMaker('018e0000');
    let now = start;
    return steps.flatMap(({ type, zone, device, active, step, again }) => {
      now += step;
      const one: PlacedEvent = {
        ...{ id: id(), type, time: now, data: {} },
        ...(zone === undefined ? {} : { zone: zone as ZoneId }),
        ...(device === undefined ? {} : { device: device as DeviceId }),
        ...(active === undefined ? {} : { active }),
      };
      return again ? [one, one] : [one];
    });
  };
  const isClosedAt = (label: string, time: number) => label === 'closed' && Math.floor(time / 600_000) % 2 === 0;

  test('the same events give the same incidents', () => {
    fc.assert(
      fc.property(arbitrary, (steps) => {
        const events = stream(steps);
        expect(group(events, rules, isClosedAt)).toEqual(group(events, rules, isClosedAt));
      }),
      { numRuns: 100 },
    );
  });

  test('an event belongs to one incident at most, of its own place, and every one that a rule wants to exactly one', () => {
    fc.assert(
      fc.property(arbitrary, (steps) => {
        const events = stream(steps);
        const found = group(events, rules, isClosedAt);
        const known = new Map(events.map((one) => [one.id, one]));
        const placed = found.flatMap(({ events: own }) => own);
        expect(new Set(placed).size).toBe(placed.length);
        for (const { events: own, zone, from, to, count } of found) {
          expect(own.length).toBe(count);
          for (const id of own) {
            const one = known.get(id);
            expect(one?.zone ?? null).toBe(zone);
            expect(one?.time).toBeGreaterThanOrEqual(from);
            expect(one?.time).toBeLessThanOrEqual(to);
          }
          const times = own.map((id) => known.get(id)?.time ?? 0).toSorted((a, b) => a - b);
          times.forEach((time, i) => {
            expect(time - (times[i - 1] ?? time)).toBeLessThanOrEqual(Math.max(within, to - from));
          });
        }
        const wanted = [...known.values()].filter(
          ({ type, zone, device, active, time }) =>
            active !== false &&
            ((['intrusion', 'fence_cut'].includes(type) && isClosedAt('closed', time)) ||
              (['person', 'motion'].includes(type) && zone !== undefined) ||
              (type === 'tamper' && device === 'camera-1')),
        );
        expect(new Set(placed)).toEqual(new Set(wanted.map(({ id }) => id)));
      }),
      { numRuns: 200 },
    );
  });
});
