import { expect, test } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DemandPlan, EnergyMeter } from '#edge/domain/energy.ts';
import type { DeviceId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Hold, OutputState } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import { DemandDesk } from '#edge/processes/core/demand-desk.ts';
import type { AlarmDecision, Decision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { Batch } from '#edge/store/batch.ts';

/* A main meter, two loads, and the desk that keeps the limit: what it holds, for how long, and what people are told. */

const name = { zh: '表', en: 'meter' };
const power = 'meter-main/power' as PointRef;
const energy = 'meter-main/energy_import' as PointRef;
const heater = 'relay-1/relay_8' as PointRef;
const cooler = 'relay-1/relay_5' as PointRef;

const main: EnergyMeter = {
  id: 'main',
  name,
  medium: 'electricity',
  buildings: [],
  source: {
    kind: 'real',
    device: 'meter-main' as DeviceId,
    energy: { ref: energy, factor: 1 },
    power: { ref: power, factor: 0.001 },
  },
};

const load = (output: PointRef) => ({
  output,
  value: false,
  power: 20,
  minOff: 60_000,
  maxOff: 1_800_000,
  minOn: 60_000,
});
const plan: DemandPlan = {
  meter: 'main',
  limit: 100,
  window: 900_000,
  kind: 'fixed',
  tiers: [{ id: 'heat', name, loads: [load(heater), load(cooler)] }],
  protected: { outputs: [], zones: [], spaces: [] },
  stagger: 10_000,
};
const device = (id: string): Device => ({
  id: id as DeviceId,
  name,
  profile: 'relay/x',
  protocol: 'modbus',
  zone: 'school' as ZoneId,
  points: [],
  address: {},
});

function startRoom(demand: readonly DemandPlan[] = [plan]) {
  const clock = new ManualClock(1_800_000_000_000);
  const holds = new Map<string, Hold>();
  const decisions: AlarmDecision[] = [];
  const campus = {
    kilowatts: 80 as number | null,
    counted: 5_000,
    on: new Map<PointRef, boolean>([
      [heater, true],
      [cooler, true],
    ]),
  };
  const room = { stored: {} as Record<string, unknown> };
  const reading = (ref: PointRef, value: Value, unit: string): [PointRef, Reading] => {
    const [id = '', point = ''] = ref.split('/');
    const time = clock.now();
    const about = { ref, device: id as DeviceId, point: point as PointName, unit, quality: 'good' as const };
    return [ref, { ...about, value, sourceTime: time, receivedTime: time }];
  };
  /** What is switched off is not drawn. */
  const drawn = () => (campus.kilowatts ?? 0) - 20 * [...campus.on.values()].filter((on) => !on).length;
  const latest = () =>
    new Map<PointRef, Reading>([
      ...(campus.kilowatts === null
        ? []
        : [reading(power, drawn() * 1_000, 'W'), reading(energy, campus.counted, 'kW.h')]),
      reading(heater, campus.on.get(heater) === true, ''),
      reading(cooler, campus.on.get(cooler) === true, ''),
    ]);
  const outputs = (): OutputState[] =>
    [heater, cooler].map((ref) => {
      const stack = [...holds.values()].filter((hold) => hold.ref === ref);
      const [first] = stack;
      return {
        ref,
        value: first?.value ?? null,
        holder: first?.owner ?? null,
        priority: first?.priority ?? null,
        reason: '',
        since: 0,
        until: first?.until ?? null,
        stack,
        confirmed: null,
        next: null,
        waiting: null,
        forbidden: [],
        local: null,
      };
    });
  const open = () =>
    new DemandDesk({
      plan: { meters: [main], demand },
      devices: [device('meter-main'), device('relay-1')],
      latest,
      commands: {
        outputs,
        setInterlockHolds: (changes: readonly Decision[]) => {
          for (const change of changes) {
            if (change.kind === 'relinquish') holds.delete(`${change.owner} ${change.ref}`);
            if (change.kind !== 'hold') continue;
            const { owner, ref, value, priority, reason, lasts } = change;
            const until = lasts === null ? null : clock.now() + lasts;
            holds.set(`${owner} ${ref}`, { owner, ref, value, priority, reason, since: clock.now(), until });
            // The device obeys.
            campus.on.set(ref, value === true);
          }
        },
      },
      decide: (some) => void decisions.push(...some),
      commit: (batch: Batch) => void Object.assign(room.stored, JSON.parse(JSON.stringify(batch.state ?? {}))),
      stored: room.stored,
      clock,
      every: 3_600_000,
    });
  /** Seconds pass. */
  const pass = (desk: DemandDesk, seconds: number) => {
    for (let i = 0; i < seconds; i += 5) {
      clock.advance(5_000);
      for (const [key, { until }] of holds) if (until !== null && until <= clock.now()) holds.delete(key);
      campus.counted += (drawn() * 5) / 3_600;
      desk.look();
    }
  };
  return { clock, holds, decisions, campus, room, open, pass };
}

test('it sheds in order with a hold that ends by itself, says why, and gives back what was there before', () => {
  const { holds, campus, clock, open, pass } = startRoom();
  using desk = open();
  pass(desk, 120);
  expect(holds.size).toBe(0);
  campus.kilowatts = 112;
  pass(desk, 180);
  const [hold] = [...holds.values()];
  expect(hold).toMatchObject({ owner: 'demand:main', ref: heater, value: false, priority: 12 });
  expect(hold?.until).toBeLessThanOrEqual(clock.now() + 1_800_000);
  expect(hold?.reason).toContain('100 kW');
  const [now] = desk.now();
  expect(now?.sheds.map(({ ref }) => ref)).toContain(heater);
  expect(now).toMatchObject({ meter: 'main', limit: 100, status: 'shedding' });

  campus.kilowatts = 40;
  pass(desk, 1_200);
  expect(campus.on).toEqual(
    new Map([
      [heater, true],
      [cooler, true],
    ]),
  );
  // Given back, and then nobody's: not held on for ever.
  pass(desk, 120);
  expect(holds.size).toBe(0);
  expect(desk.now()[0]?.windows.length).toBeGreaterThan(0);
});

test('a load that somebody had switched off is not switched on by the end of a shortage', () => {
  const { campus, holds, open, pass } = startRoom();
  campus.on.set(heater, false);
  using desk = open();
  campus.kilowatts = 135;
  pass(desk, 240);
  expect([...holds.values()].map(({ ref }) => ref)).toEqual([cooler]);
  campus.kilowatts = 40;
  pass(desk, 1_500);
  expect(campus.on.get(heater)).toBe(false);
  expect(campus.on.get(cooler)).toBe(true);
});

test('it remembers over a restart what it shed, and lets go of what no plan stands for', () => {
  const { campus, holds, room, open, pass } = startRoom();
  {
    using desk = open();
    campus.kilowatts = 112;
    pass(desk, 240);
  }
  expect(holds.size).toBeGreaterThan(0);
  const before = [...holds.values()].map(({ ref, until }) => ({ ref, until }));
  {
    using desk = open();
    pass(desk, 10);
    expect([...holds.values()].map(({ ref }) => ref)).toEqual(before.map(({ ref }) => ref));
    campus.kilowatts = 40;
    pass(desk, 1_800);
    expect(campus.on.get(heater)).toBe(true);
    campus.kilowatts = 112;
    pass(desk, 900);
    expect(holds.size).toBeGreaterThan(0);
  }
  room.stored = {};
  using _ = open();
  expect(holds.size).toBe(0);
});

test('people hear when nothing is left to shed, and when nobody guards the limit; and when it is over', () => {
  const { campus, decisions, open, pass } = startRoom();
  using desk = open();
  campus.kilowatts = 200;
  pass(desk, 300);
  expect(decisions).toMatchObject([{ kind: 'raise', source: 'demand:main', class: 'high' }]);
  campus.kilowatts = 30;
  pass(desk, 900);
  expect(decisions.at(-1)).toMatchObject({ kind: 'return', source: 'demand:main' });
  decisions.length = 0;
  campus.kilowatts = null;
  pass(desk, 240);
  expect(decisions).toEqual([]);
  pass(desk, 300);
  expect(decisions).toMatchObject([{ kind: 'raise', source: 'demand:main', class: 'medium' }]);
  campus.kilowatts = 30;
  pass(desk, 300);
  expect(decisions.at(-1)).toMatchObject({ kind: 'return' });
});

test('a campus without a limit is left alone', () => {
  const { holds, open, pass } = startRoom([]);
  using desk = open();
  pass(desk, 60);
  expect([desk.now(), holds.size]).toEqual([[], 0]);
});
