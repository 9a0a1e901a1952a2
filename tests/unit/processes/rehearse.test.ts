import { describe, expect, test } from 'vitest';
import type { Device, ValueType } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { DeviceId, PointName, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { RuleVersion } from '#edge/domain/rule.ts';
import { rehearse } from '#edge/processes/rehearsal/rehearse.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import {
  day,
  event,
  hour,
  minute,
  open,
  random,
  reading,
  point as registered,
  start,
  temporaryFolder,
} from '../../fixtures/store/site.ts';

const both = (text: string) => ({ zh: text, en: text });

function device(id: string, space: string, points: Readonly<Record<string, ValueType>>): Device {
  return {
    id: id as DeviceId,
    name: both(id),
    profile: 'test/room',
    protocol: 'mqtt',
    zone: 'teaching' as ZoneId,
    space: space as SpaceId,
    points: Object.entries(points).map(([name, type]) => ({
      name: name as PointName,
      label: both(name),
      type,
      unit: '',
      poll: 'watch',
      deadband: 0,
      staleAfter: 0,
      address: {},
      ...(name === 'fan' ? { write: { verifyAfter: 1, verifyWithin: 1, minGap: 0, failSafe: false } } : {}),
    })),
    address: {},
  };
}

const spaces = ['r1', 'r2'];
const campus: RuleCampus = {
  devices: spaces.map((space) =>
    device(`room-${space}`, space, { co2: 'number', occupied: 'boolean', fan: 'boolean' }),
  ),
  zones: [{ id: 'teaching' as ZoneId, name: both('teaching'), spaces: spaces as SpaceId[] }],
  spaces: spaces.map((id) => ({ id: id as SpaceId, name: both(id) })),
};
const calendar = createCalendar(
  { weekly: [{ days: [1], from: 9 * 60, to: 11 * 60 }], exceptions: [] },
  'Asia/Shanghai',
);

function rule(body: object, version = 1): RuleVersion {
  const parsed = parseRule({ rule: 1, id: 'air', name: both('air'), kind: 'comfort', ...body });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  return { rule: parsed.rule, version };
}

const hold = { kind: 'hold', outputs: 'room-r1/fan', value: true };
const alarm = { kind: 'alarm', class: 'low', message: both('stuffy'), next: both('open a window') };
const above = (co2: number, more: object = {}) => ({ kind: 'point', points: '*/co2', test: { above: co2 }, ...more });

/** Rules of every kind of condition that looks at points. */
const rules: Readonly<Record<string, object>> = {
  'one threshold': { when: above(1_000), then: [hold, alarm] },
  hysteresis: {
    when: { kind: 'point', points: '*/co2', test: { above: 1_000, hysteresis: 150 }, for: '3min' },
    then: [hold],
  },
  'all of them, and blind': { when: above(700, { needs: 'all', onBad: 'hold' }), clearAfter: '2min', then: [alarm] },
  'bad trips': { when: above(1_200, { onBad: 'trip' }), then: [alarm] },
  'a rate': {
    when: { kind: 'rate', points: 'room-r1/co2', change: { rises: 300 }, within: '10min' },
    coolDown: '20min',
    then: [alarm],
  },
  'how often': {
    when: { kind: 'count', of: { points: '*/occupied', becomes: { is: true } }, atLeast: 3, within: '15min' },
    then: [alarm],
  },
  'each room, while open': {
    each: { place: 'space', of: '*/co2' },
    when: {
      kind: 'all',
      conditions: [
        { kind: 'point', points: { of: '*/co2', here: true }, test: { above: 900, hysteresis: 50 }, for: '1min' },
        { kind: 'point', points: { of: '*/occupied', here: true }, test: { is: true }, onBad: 'ignore' },
      ],
    },
    while: [{ kind: 'calendar', is: 'open' }],
    then: [{ kind: 'hold', outputs: { of: '*/fan', here: true }, value: true, for: '5min' }, alarm],
  },
  'an event': { when: { kind: 'event', type: 'motion', device: 'room-*', for: '90s' }, then: [alarm, hold] },
};

function past(seed: number): { readonly readings: readonly Reading[]; readonly events: readonly CampusEvent[] } {
  const dice = random(seed);
  const readings: Reading[] = [];
  const events: CampusEvent[] = [];
  const co2 = new Map(spaces.map((space) => [space, 600]));
  for (let t = start; t < start + 6 * hour; t += 2_000 + Math.floor(dice() * 20_000)) {
    const space = spaces[Math.floor(dice() * 2)] ?? 'r1';
    const before = co2.get(space) ?? 600;
    const value = Math.round(before + (dice() - 0.5) * 300 + (900 - before) * 0.08);
    co2.set(space, value);
    if (dice() < 0.02) {
      const why = { quality: 'bad', reason: 'no-communication' } as const;
      readings.push(reading(`room-${space}/co2`, t - 5_000, value, { receivedTime: t, ...why }));
    } else readings.push(reading(`room-${space}/co2`, t, value, { receivedTime: t + Math.floor(dice() * 30) }));
    if (dice() < 0.15) readings.push(reading(`room-${space}/occupied`, t + 1, dice() < 0.5));
    if (dice() < 0.01) events.push(event(t, { type: 'motion', device: `room-${space}` as DeviceId }));
  }
  return { readings, events };
}

describe('a rehearsal', () => {
  test('passes over what can change nothing, and decides the same to the last byte', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    const { readings, events } = past(7);
    const refs = [...new Set(readings.map(({ ref }) => ref))];
    await store.registerPoints(refs.map((ref) => registered(ref, ref.endsWith('occupied') ? { type: 'boolean' } : {})));
    await store.append({ readings, events });
    await store.maintain(start + 8 * hour);
    let passedOver = 0;
    for (const [name, body] of Object.entries(rules)) {
      const job = { folder: folder.path, campus, calendar, draft: rule(body, 2), live: rule(rules.hysteresis ?? {}) };
      const window = { from: start + hour, to: start + 6 * hour };
      const { looked, ...found } = rehearse({ ...job, ...window });
      const { looked: all, ...everything } = rehearse({ ...job, ...window, everySample: true });
      expect(JSON.stringify(found), name).toBe(JSON.stringify(everything));
      expect(found.draft.fired, name).toBeGreaterThan(0);
      expect(found.samples).toBeGreaterThan(500);
      expect(looked).toBeLessThanOrEqual(all);
      if (looked < all / 2) passedOver++;
    }
    expect(passedOver).toBeGreaterThanOrEqual(3);
  });

  test('says how often, how long, what would have sounded, and where two versions differ', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([registered('room-r1/co2'), registered('room-r2/co2')]);
    // Forty times in ten hours: five minutes of every fifteen, of which the first minute only a little.
    const readings = Array.from({ length: 40 }, (_, i) => i * 15 * minute).flatMap((t) => [
      reading('room-r1/co2', start + t, 1_050),
      reading('room-r1/co2', start + t + minute, 1_400),
      reading('room-r1/co2', start + t + 5 * minute, 600),
    ]);
    await store.append({ readings });
    await store.maintain(start + 12 * hour);
    const job = { folder: folder.path, campus, calendar, from: start, to: start + 10 * hour };
    const draft = rule({ when: above(1_000), then: [hold, alarm] }, 2);
    const live = rule({ when: above(1_200), then: [hold] }, 1);
    const found = rehearse({ ...job, draft, live });
    expect(found.draft).toMatchObject({
      version: 2,
      fired: 40,
      firedTime: 40 * 5 * minute,
      alarms: { low: 40 },
      outputs: [{ ref: 'room-r1/fan', switched: 40, held: 40 * 5 * minute }],
      more: 0,
    });
    expect(found.draft.spans[0]).toMatchObject({ instance: 'air', from: start, to: start + 5 * minute });
    expect(found.draft.spans[0]?.saw[0]).toMatchObject({ ref: 'room-r1/co2', value: 1_050 });
    expect(found.live).toMatchObject({ version: 1, fired: 40, firedTime: 40 * 4 * minute, alarms: {} });
    expect(found.differences).toHaveLength(40);
    expect(found.differences[0]).toMatchObject({ kind: 'only-draft', from: start, to: start + minute });
    expect(found.gaps).toEqual([]);
    const longer = rule({ when: above(1_000, { for: '10min' }), then: [alarm] }, 3);
    expect(rehearse({ ...job, draft: longer, live: null }).draft).toMatchObject({ fired: 0, firedTime: 0, alarms: {} });
  });

  test('finds at the start of the window what had stood before it, and names damaged hours and dropped events', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([registered('room-r1/co2')]);
    await store.append({
      readings: [reading('room-r1/co2', start, 1_500), reading('room-r1/co2', start + day, 1_400)],
    });
    await store.maintain(start + 2 * day);
    const draft = rule({ when: above(1_000, { points: 'room-r1/co2', for: '20min' }), then: [hold] });
    const window = { from: start + 5 * hour, to: start + 7 * hour };
    const found = rehearse({ folder: folder.path, campus, calendar, draft, live: null, ...window });
    expect(found.draft).toMatchObject({ fired: 0, firedTime: 2 * hour, spans: [{ from: window.from, to: null }] });
    const hears = rule({ when: { kind: 'event', type: 'motion' }, then: [alarm] });
    const silent = rehearse({ folder: folder.path, campus, calendar, draft: hears, live: null, ...window });
    expect(silent.gaps).toEqual(['no events are stored']);
  });
});
