import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import {
  type AmplifierPlan,
  type AmplifierWish,
  amplifierAtFirst,
  amplifierRestored,
  stepAmplifier,
} from '#edge/rules/amplifier.ts';

const relay = (id: string) => ({ point: `${id}/on` as PointRef, minOn: 2000, minOff: 3000, readsBack: true });
const zone = (id: string) => id as ZoneId;
const plan: AmplifierPlan = {
  power: relay('power'),
  warmUp: 5000,
  off: 10_000,
  zones: new Map([
    [zone('a'), relay('a')],
    [zone('b'), relay('b')],
  ]),
  answerWithin: 1000,
};
const power = plan.power.point;

/** One step each 500 ms; relays do what they are told one step later, but for the dead. */
function run(wishes: readonly (AmplifierWish | null)[], dead: readonly PointRef[] = [], planned: number | null = null) {
  let state = amplifierAtFirst;
  const said = new Map<PointRef, boolean>([...plan.zones.values(), plan.power].map((each) => [each.point, false]));
  return wishes.map((wish, index) => {
    const now = index * 500;
    const step = stepAmplifier(plan, state, { now, wish, planned, said: new Map(said) });
    state = step.state;
    const heard = new Map(said);
    for (const [point, on] of step.relays) if (!dead.includes(point)) said.set(point, on);
    return { ...step, now, wish, said: heard };
  });
}
const calls = (strength: AmplifierWish['strength'], count: number) =>
  Array.from({ length: count }, () => ({ zones: [zone('a')], strength }));
const silence = (count: number) => Array.from({ length: count }, () => null);
const traffic = fc
  .array(fc.tuple(fc.constantFrom(null, 'ordinary' as const, 'emergency' as const), fc.integer({ min: 1, max: 20 })), {
    maxLength: 15,
  })
  .map((parts) => parts.flatMap(([strength, count]) => (strength === null ? silence(count) : calls(strength, count))));

describe('the order of an amplifier and its zone relays', () => {
  it('never plays before the amplifier is warm, and lets no emergency wait longer than that', () => {
    fc.assert(
      fc.property(traffic, (wishes) => {
        let since: number | null = null;
        for (const step of run(wishes)) {
          const on = step.state.relays.get(power);
          if (step.sound === 'on') expect(step.now - (on?.since ?? step.now)).toBeGreaterThanOrEqual(plan.warmUp);
          since = step.wish?.strength === 'emergency' ? (since ?? step.now) : null;
          if (since !== null && step.now - since >= plan.warmUp) expect(step.sound).toBe('on');
        }
      }),
    );
  });

  it('switches no relay faster than its minimum, but on for an emergency, and everything off in the end', () => {
    fc.assert(
      fc.property(traffic, (wishes) => {
        const steps = run([...wishes, ...silence(60)]);
        const last = new Map<PointRef, { on: boolean; at: number }>();
        for (const step of steps) {
          for (const [point, on] of step.relays) {
            const old = last.get(point);
            if (old?.on === on) continue;
            const isForced = on && step.wish?.strength === 'emergency';
            if (old !== undefined && !isForced) expect(step.now - old.at).toBeGreaterThanOrEqual(old.on ? 2000 : 3000);
            last.set(point, { on, at: old === undefined && !on ? -10_000 : step.now });
          }
        }
        expect([...(steps.at(-1)?.relays.values() ?? [])]).toEqual([false, false, false]);
      }),
    );
  });

  it('plays though the power relay does not answer, no later than by its order, and names the relay', () => {
    for (const strength of ['emergency', 'ordinary'] as const) {
      const steps = run(calls(strength, 30), [power]);
      const first = steps.find(({ sound }) => sound === 'on');
      expect(first?.now, strength).toBeGreaterThanOrEqual(plan.warmUp);
      // An ordinary one opens its zone only when the amplifier is believed to be warm, and waits for that relay's answer.
      expect(first?.now, strength).toBeLessThanOrEqual(
        plan.warmUp + (strength === 'emergency' ? 0 : plan.answerWithin),
      );
      expect(first?.silent, strength).toEqual([power]);
    }
  });

  it('plays though no zone relay answers, a moment later than it would, and names them', () => {
    const first = run(
      calls('ordinary', 30),
      [zone('a')].map((id) => `${id}/on` as PointRef),
    ).find(({ sound }) => sound === 'on');
    expect(first?.silent).toEqual(['a/on']);
    expect(first?.now).toBeLessThanOrEqual(plan.warmUp + 500 + plan.answerWithin);
  });

  it('goes on where the process before it was: what is warm stays warm', () => {
    const told = new Map([
      [power, { on: true, since: -60_000 }],
      ['a/on' as PointRef, { on: true, since: -50_000 }],
    ]);
    const said = new Map([
      [power, true],
      ['a/on' as PointRef, true],
      ['b/on' as PointRef, false],
    ]);
    const wish = { zones: [zone('a')], strength: 'ordinary' } as const;
    const step = stepAmplifier(plan, amplifierRestored(told), { now: 0, wish, planned: null, said });
    expect(step.sound).toBe('on');
    expect(step.relays).toEqual(
      new Map([...told].map(([point, { on }]) => [point, on] as const).concat([['b/on' as PointRef, false]])),
    );
    expect(step.silent).toEqual([]);
  });

  it('switches the power on its warm-up ahead of a planned bell', () => {
    const first = run(silence(30), [], 12_000).find((step) => step.relays.get(power));
    expect(first?.now).toBe(7000);
  });
});
