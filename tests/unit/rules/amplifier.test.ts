import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import { type AmplifierPlan, type AmplifierWish, amplifierAtFirst, stepAmplifier } from '#edge/rules/amplifier.ts';

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

  it('plays an emergency though the power relay does not answer, names the relay, and keeps an ordinary sound waiting', () => {
    const urgent = run(calls('emergency', 20), [power]).at(-1);
    expect(urgent?.sound).toBe('on');
    expect(urgent?.silent).toEqual([power]);
    const bell = run(calls('ordinary', 20), [power]).at(-1);
    expect(bell?.sound).toBe('waits');
    expect(bell?.silent).toEqual([power]);
  });

  it('switches the power on its warm-up ahead of a planned bell', () => {
    const first = run(silence(30), [], 12_000).find((step) => step.relays.get(power));
    expect(first?.now).toBe(7000);
  });
});
