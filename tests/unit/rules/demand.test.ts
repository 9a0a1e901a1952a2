import { describe, expect, test } from 'vitest';
import type { DemandLoad, DemandPlan } from '#edge/domain/energy.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import { type DemandInput, type DemandOutcome, stepDemand } from '#edge/rules/demand.ts';
import { advance, emptyCourse, powerNow, shifted, usedBetween } from '#edge/rules/demand-course.ts';
import type { DemandOutput } from '#edge/rules/demand-loads.ts';
import { type DemandState, restoreDemand, startDemand } from '#edge/rules/demand-state.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 2, 8);
const ref = (name: string) => `relay-1/${name}` as PointRef;

const load = (name: string, more: Partial<DemandLoad> = {}): DemandLoad => ({
  output: ref(name),
  value: false,
  power: 20,
  minOff: 5 * minute,
  maxOff: 30 * minute,
  minOn: 5 * minute,
  ...more,
});

const planWith = (loads: readonly DemandLoad[], more: Partial<DemandPlan> = {}): DemandPlan => ({
  meter: 'main',
  limit: 100,
  window: 15 * minute,
  kind: 'fixed',
  tiers: loads.map((one, i) => ({ id: `tier-${i + 1}`, name: { zh: '级', en: 'Tier' }, loads: [one] })),
  protected: { outputs: [], zones: [], spaces: [] },
  stagger: 30_000,
  reserve: 5,
  ...more,
});

interface Scene {
  state: DemandState;
  /** ms since the beginning. */
  at: number;
  /** Wall clock less true time. */
  put: number;
}

const output = (value: Value | null, more: Partial<DemandOutput> = {}): DemandOutput => ({
  value,
  zone: 'teaching' as ZoneId,
  ...more,
});

/** Steps every 10 s for so long; loads obey at once. `base`: kW without the loads, null where the power is not known. */
function run(
  plan: DemandPlan,
  scene: Scene,
  length: number,
  base: (at: number) => number | null,
  more: { outputs?: Readonly<Record<string, DemandOutput>>; energy?: (at: number) => DemandInput['energy'] } = {},
): DemandOutcome[] {
  const outcomes: DemandOutcome[] = [];
  const loads = plan.tiers.flatMap((tier) => tier.loads);
  for (const end = scene.at + length; scene.at < end; scene.at += 10_000) {
    const now = start + scene.at + scene.put;
    const shed = new Set<string>(
      Object.entries(scene.state.loads).flatMap(([name, { shed: off }]) => (off ? [name] : [])),
    );
    const outputs = new Map(
      loads.flatMap((one): [PointRef, DemandOutput][] => {
        const told = more.outputs === undefined ? output(true) : more.outputs[one.output];
        return told === undefined ? [] : [[one.output, shed.has(one.output) ? { ...told, value: one.value } : told]];
      }),
    );
    const own = loads.reduce(
      (sum, one) => sum + (shed.has(one.output) || outputs.get(one.output)?.value !== true ? 0 : one.power),
      0,
    );
    const drawn = base(scene.at);
    const outcome = stepDemand(plan, scene.state, {
      now,
      monotonic: scene.at,
      power: drawn === null ? null : { value: drawn + own, time: now },
      energy: more.energy?.(scene.at) ?? null,
      outputs,
    });
    scene.state = JSON.parse(JSON.stringify(outcome.state));
    outcomes.push(outcome);
  }
  return outcomes;
}

const sceneAt = (at = 0): Scene => ({ state: startDemand(start + at, at), at, put: 0 });
const shedRefs = (outcome: DemandOutcome | undefined) => outcome?.sheds.map((one) => one.ref);
const changes = (outcomes: readonly DemandOutcome[]) =>
  outcomes.flatMap((outcome) => outcome.changes.map(({ kind, ref: name }) => `${kind} ${name}`));

describe('what is shed', () => {
  test('goes in the order of the tiers, as much as is needed, after the prediction stood for half a minute', () => {
    const plan = planWith([load('a'), load('b'), load('c')]);
    const outcomes = run(plan, sceneAt(), 2 * minute, () => 55);
    expect(changes(outcomes)).toEqual(['shed relay-1/a']);
    expect(outcomes.findIndex(({ sheds }) => sheds.length > 0)).toBe(3);
    expect(outcomes[0]?.prediction).toMatchObject({
      power: 115,
      predicted: 115,
      limit: 100,
      from: start,
      to: start + 15 * minute,
    });
    expect(outcomes.at(-1)?.prediction.predicted).toBeLessThan(98);
    expect(outcomes.at(-1)?.prediction.unshed).toBeCloseTo(115, 0);
  });

  test('says why and until when in both languages, with the figures', () => {
    const [shed] = run(planWith([load('a')]), sceneAt(), minute, () => 85).at(-1)?.sheds ?? [];
    expect(shed?.why.en).toMatch(
      /predicted demand 105 kW against a limit of 100 kW \([\d.]+ kWh used in this window, 105 kW now\)/,
    );
    expect(shed?.why.zh).toContain('预测需量 105 kW，限值 100 kW');
    expect(shed?.since).toBe(start + 30_000);
    expect(shed?.notBefore).toBe(start + 30_000 + 5 * minute);
    expect(shed?.until).toBe(start + 30_000 + 30 * minute);
    expect(shed).toMatchObject({ tier: 'tier-1', value: false, saves: 20, defies: false });
  });

  test('a lift that starts is no reason', () => {
    expect(
      changes(run(planWith([load('a')]), sceneAt(), 5 * minute, (at) => (at % minute < 20_000 ? 150 : 20))),
    ).toEqual([]);
  });

  test('goes although the prediction is below, when later may be too late', () => {
    const plan = planWith([load('a')], { reserve: 30 });
    const outcomes = run(plan, sceneAt(), minute, () => 72);
    expect(changes(outcomes)).toEqual(['shed relay-1/a']);
    expect(outcomes[0]?.prediction.predicted).toBe(92);
    expect(outcomes.at(-1)?.sheds[0]?.why.en).toMatch(/^later may be too late: should the rest rise by 30 kW/);
    expect(outcomes.at(-1)?.sheds[0]?.why.zh).toContain('若其余负荷再升 30 kW');
  });

  test('goes before the window begins in which it must be off', () => {
    const plan = planWith([load('a', { power: 15 })], { reserve: 20 });
    const scene = sceneAt(13 * minute);
    const outcomes = run(plan, scene, 2 * minute, () => 80);
    expect(changes(outcomes)).toEqual(['shed relay-1/a']);
    expect(outcomes.at(5)?.sheds).toEqual([]);
  });

  test('when nothing is left, it is said that the limit cannot be kept', () => {
    const outcomes = run(planWith([load('a')]), sceneAt(), 2 * minute, () => 130);
    expect(outcomes.at(-1)?.status).toBe('short');
    expect(shedRefs(outcomes.at(-1))).toEqual(['relay-1/a']);
  });

  test('a set point is shed like a switch', () => {
    const plan = planWith([load('setpoint', { value: 28 })]);
    const outputs = { [ref('setpoint')]: output(24) };
    const outcomes = run(plan, sceneAt(), minute, () => 105, { outputs });
    expect(outcomes.at(-1)?.sheds[0]).toMatchObject({ ref: 'relay-1/setpoint', value: 28 });
  });
});

describe('what is never touched', () => {
  const plan = planWith([load('named'), load('kitchen'), load('lab'), load('unknown'), load('off'), load('free')], {
    protected: { outputs: [ref('named')], zones: ['kitchen' as ZoneId], spaces: ['lab' as SpaceId] },
  });
  const outputs = {
    [ref('named')]: output(true),
    [ref('kitchen')]: output(true, { zone: 'kitchen' as ZoneId }),
    [ref('lab')]: output(true, { space: 'lab' as SpaceId }),
    [ref('off')]: output(false),
    [ref('free')]: output(true),
  };

  test('what is protected by name, zone or space, what nobody knows, and what is off anyhow', () => {
    const outcomes = run(plan, sceneAt(), 20 * minute, () => 150, { outputs });
    expect(new Set(outcomes.flatMap(({ sheds }) => sheds.map((one) => one.ref)))).toEqual(new Set([ref('free')]));
  });

  test('what becomes protected while it is shed comes back at once', () => {
    const scene = sceneAt();
    expect(shedRefs(run(planWith([load('a')]), scene, minute, () => 100).at(-1))).toEqual(['relay-1/a']);
    const safe = planWith([load('a')], { protected: { outputs: [ref('a')], zones: [], spaces: [] } });
    expect(run(safe, scene, 10_000, () => 100)[0]?.sheds).toEqual([]);
  });
});

describe('what comes back', () => {
  test('the last that went is the first that comes, one after the other', () => {
    const plan = planWith([load('a'), load('b'), load('c')]);
    const scene = sceneAt();
    run(plan, scene, 2 * minute, () => 95);
    const outcomes = run(plan, scene, 20 * minute, () => 20);
    expect(changes(outcomes)).toEqual(['return relay-1/c', 'return relay-1/b', 'return relay-1/a']);
    const at = outcomes.flatMap((outcome, i) => (outcome.changes.length > 0 ? [i * 10_000] : []));
    expect((at[0] ?? 0) + 2 * minute).toBeGreaterThanOrEqual(5 * minute);
    expect(Math.min((at[1] ?? 0) - (at[0] ?? 0), (at[2] ?? 0) - (at[1] ?? 0))).toBeGreaterThanOrEqual(30_000);
  });

  test('not while there is no room for it, but within its longest time', () => {
    const scene = sceneAt();
    const outcomes = run(planWith([load('a')]), scene, 40 * minute, () => 82);
    const [shed, back] = outcomes.flatMap((outcome, i) =>
      outcome.changes.map(({ kind }) => ({ kind, at: i * 10_000 })),
    );
    expect(back?.kind).toBe('return');
    const off = (back?.at ?? 0) - (shed?.at ?? 0);
    expect(off).toBeGreaterThan(27 * minute);
    expect(off).toBeLessThanOrEqual(30 * minute);
  });

  test('a load that runs although it is shed is said to defy, and is not reckoned with', () => {
    const plan = planWith([load('a'), load('b')]);
    const scene = sceneAt();
    const outputs = new Map([ref('a'), ref('b')].map((name) => [name, output(true)]));
    let last: DemandOutcome | undefined;
    for (; scene.at < 5 * minute; scene.at += 10_000) {
      const now = start + scene.at;
      const b = last?.sheds.some((one) => one.ref === ref('b')) === true;
      if (b) outputs.set(ref('b'), output(false));
      last = stepDemand(plan, scene.state, {
        now,
        monotonic: scene.at,
        power: { value: 65 + 20 + (b ? 0 : 20), time: now },
        energy: null,
        outputs,
      });
      scene.state = last.state;
    }
    expect(last?.sheds.map(({ ref: name, defies }) => [name, defies])).toEqual([
      ['relay-1/a', true],
      ['relay-1/b', false],
    ]);
  });
});

describe('when the meter is not heard', () => {
  test('what is shed is held, nothing more goes, nothing comes back but what must', () => {
    const plan = planWith([load('a'), load('b')]);
    const scene = sceneAt();
    run(plan, scene, 2 * minute, () => 75);
    const outcomes = run(plan, scene, 40 * minute, () => null);
    expect(outcomes.at(10)).toMatchObject({ status: 'blind', prediction: { power: null, predicted: null } });
    expect(changes(outcomes)).toEqual(['return relay-1/a']);
    const back = outcomes.findIndex((one) => one.changes.length > 0) * 10_000;
    expect(back + 90_000).toBeGreaterThan(27 * minute);
  });

  test('a counter alone is enough', () => {
    const counter = (at: number) => ({ value: 1_000 + (115 * at) / 3_600_000, time: start + at });
    const outcomes = run(planWith([load('a')]), sceneAt(), 10 * minute, () => null, { energy: counter });
    expect(outcomes.at(-1)?.prediction.power).not.toBeNull();
    expect(changes(outcomes)[0]).toBe('shed relay-1/a');
  });

  test('a power of an hour ago is none', () => {
    const outcome = stepDemand(planWith([load('a')]), startDemand(start, 0), {
      now: start,
      monotonic: 0,
      power: { value: 500, time: start - 60 * minute },
      energy: null,
      outputs: new Map([[ref('a'), output(true)]]),
    });
    expect(outcome).toMatchObject({ status: 'blind', sheds: [] });
  });
});

describe('restarts and clocks', () => {
  const plan = planWith([load('a'), load('b')]);
  const shedScene = () => {
    const scene = sceneAt();
    run(plan, scene, 2 * minute, () => 95);
    return scene;
  };

  test('after a restart what was shed is held on, and its least time off goes on from where it was', () => {
    const scene = shedScene();
    const stored: unknown = JSON.parse(JSON.stringify(scene.state));
    const later = start + scene.at + 3 * minute;
    const state = restoreDemand(plan, stored, later, 0);
    const next: Scene = { state, at: 0, put: later - start };
    const outcomes = run(plan, next, 10 * minute, () => 20);
    expect(shedRefs(outcomes[0])).toEqual(['relay-1/a', 'relay-1/b']);
    const back = outcomes.findIndex((one) => one.changes.length > 0) * 10_000;
    expect(back + 2 * minute).toBeGreaterThanOrEqual(5 * minute);
  });

  test('after a long one what must be back by then is back, and rests before it goes again', () => {
    const scene = shedScene();
    const later = start + scene.at + 60 * minute;
    const next: Scene = { state: restoreDemand(plan, scene.state, later, 0), at: 0, put: later - start };
    const outcomes = run(plan, next, 10 * minute, () => 95);
    expect(outcomes[0]?.sheds).toEqual([]);
    const again = outcomes.findIndex((one) => one.sheds.length > 0) * 10_000;
    expect(again).toBeGreaterThanOrEqual(5 * minute);
  });

  test.each([
    ['nothing', undefined],
    ['text', 'x'],
    ['another form', { version: 2 }],
    ['half of it', { version: 1, now: 1 }],
  ])('from %s it begins anew', (_, stored) => {
    expect(restoreDemand(plan, stored, start, 5)).toEqual(startDemand(start, 5));
  });

  test.each([[60 * minute], [-60 * minute], [90_000]])(
    'a clock that is put by %d ms shortens no time and makes no energy',
    (step) => {
      const scene = shedScene();
      scene.put = step;
      const outcomes = run(plan, scene, 10 * minute, () => 20);
      const back = outcomes.findIndex((one) => one.changes.length > 0) * 10_000;
      expect(back + 90_000).toBeGreaterThanOrEqual(5 * minute);
      expect(back).toBeLessThan(6 * minute);
      expect(Math.max(...outcomes.map(({ prediction }) => prediction.used))).toBeLessThan(30);
    },
  );
});

describe('the course of energy', () => {
  const settings = { window: 15 * minute, limit: 100 };
  const build = (power: (t: number) => number | null, counter: (t: number) => number | null, length = 10 * minute) => {
    let course = emptyCourse;
    for (let t = 0; t <= length; t += 10_000) {
      const [p, c] = [power(t), counter(t)];
      course = advance(
        course,
        start + t,
        p === null ? null : { value: p, time: start + t },
        c === null ? null : { value: c, time: start + t },
        settings,
      );
    }
    return course;
  };
  const used = (course: typeof emptyCourse, from: number, to: number) =>
    usedBetween(course, start + from, start + to, 0);
  const truth = (t: number) => 500 + (60 * t) / 3_600_000;

  test('a counter that is stuck does not hide what the power adds up to, nor a power that is too low what is counted', () => {
    expect(
      used(
        build(
          () => 60,
          () => 500,
        ),
        0,
        10 * minute,
      ).energy,
    ).toBeCloseTo(10, 6);
    expect(
      used(
        build(() => 6, truth),
        0,
        10 * minute,
      ).energy,
    ).toBeCloseTo(10, 6);
  });

  test('a meter that was replaced or reset, and a spike, make no energy', () => {
    for (const after of [0, 80_000]) {
      const course = build(
        () => 60,
        (t) => (t < 5 * minute ? truth(t) : after + truth(t)),
      );
      expect(used(course, 0, 10 * minute).energy).toBeCloseTo(10, 1);
    }
  });

  test('over a gap the counter tells the truth, and without one the higher power counts, as not sure', () => {
    const gap = (t: number) => t > 2 * minute && t < 8 * minute;
    const counted = used(
      build(
        (t) => (gap(t) ? null : 60),
        (t) => (gap(t) ? null : truth(t)),
      ),
      0,
      10 * minute,
    );
    expect(counted).toMatchObject({ known: 1 });
    expect(counted.energy).toBeCloseTo(10, 6);
    const guessed = used(
      build(
        (t) => (gap(t) ? null : t < 5 * minute ? 60 : 90),
        () => null,
      ),
      0,
      10 * minute,
    );
    expect(guessed.known).toBeCloseTo(0.4, 6);
    expect(guessed.energy).toBeCloseTo(2 + 9 + 3, 6);
  });

  test('keeps a window and a little, however long it runs, and can be moved in time', () => {
    const course = build(() => 60, truth, 300 * minute);
    expect(course.points.length).toBeLessThan(200);
    expect(used(course, 285 * minute, 300 * minute).energy).toBeCloseTo(15, 6);
    const moved = shifted(course, 3_600_000);
    expect(usedBetween(moved, start + 345 * minute, start + 360 * minute, 0).energy).toBeCloseTo(15, 6);
    expect(powerNow(moved, start + 360 * minute)).toBe(60);
  });
});
