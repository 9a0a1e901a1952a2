import { describe, expect, it } from 'vitest';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { Rules } from './rules-at-work.ts';
import { campus, demoRules, monday, sunday } from './small-campus.ts';

const calm = (now = monday) => new Rules(demoRules, now).calm();
const evacuation = [
  'hold speaker-teaching/clip=evacuation',
  'hold speaker-playground/clip=evacuation',
  'hold speaker-gate/clip=evacuation',
  'hold relay-1/relay_5=false',
  'raise interlock:fire',
];

describe('the demo rules', () => {
  it('pass the check against the demo profiles', () => {
    const around = { clips: ['evacuation'], modes: [], recipients: [], cameras: ['camera-gate'], rules: demoRules };
    expect(demoRules.flatMap((rule) => problemsOf(rule, campus, around))).toEqual([]);
  });

  it('alarm at once on one smoke detector alone, and evacuate nobody', () => {
    const rules = calm();
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual(['raise interlock:smoke']);
    expect(rules.alarm('interlock:smoke')).toMatchObject({
      class: 'critical',
      state: 'unacknowledged',
      device: 'smoke-101',
      zone: 'teaching',
      reason: 'smoke-101/smoke is true (good)',
    });
  });

  it('evacuate on two smoke detectors, naming both and their qualities', () => {
    const rules = calm();
    rules.hear('smoke-101/smoke', true);
    rules.take();
    rules.hear('smoke-102/smoke', true, 'uncertain', 'clock');
    const [first] = rules.decisions;
    expect(first).toMatchObject({
      kind: 'hold',
      owner: 'interlock:fire',
      priority: 1,
      reason: 'smoke-101/smoke is true (good), smoke-102/smoke is true (uncertain, clock)',
    });
    expect(rules.take()).toEqual(evacuation);
    expect(rules.alarm('interlock:fire').class).toBe('critical');
  });

  it('evacuate on the fire panel alone', () => {
    const rules = calm();
    rules.hear('fire-panel/alarm', true);
    expect(rules.take()).toEqual(evacuation);
  });

  it('evacuate when one detector stands unacknowledged for 30 s, not a moment earlier', () => {
    const rules = calm();
    rules.hear('smoke-201/smoke', true);
    rules.take();
    rules.pass(29_900);
    expect(rules.take()).toEqual([]);
    rules.pass(200);
    expect(rules.take()).toEqual(evacuation);
    expect(rules.alarm('interlock:fire').reason).toBe('the alarm of smoke stood unacknowledged for 30 s');
  });

  it('do not evacuate when the detector is acknowledged in time', () => {
    const rules = calm();
    rules.hear('smoke-201/smoke', true);
    rules.pass(20_000);
    rules.acknowledge('interlock:smoke');
    rules.take();
    rules.pass(600_000);
    expect(rules.take()).toEqual([]);
  });

  it('start the 30 s again when the detector clears and trips again unseen', () => {
    const rules = calm();
    rules.hear('smoke-201/smoke', true);
    rules.pass(20_000);
    rules.hear('smoke-201/smoke', false);
    rules.pass(5_000);
    rules.hear('smoke-201/smoke', true);
    rules.take();
    rules.pass(29_000);
    expect(rules.take()).toEqual([]);
    expect(rules.alarm('interlock:smoke')).toMatchObject({ state: 'unacknowledged', count: 2 });
    rules.pass(2_000);
    expect(rules.take()).toEqual(evacuation);
  });

  it('alarm on a person outside opening hours with the event, and say nothing of one inside them', () => {
    const open = calm(monday);
    open.see('person', 'camera-gate');
    expect(open.take()).toEqual([]);

    const closed = calm(sunday);
    const event = closed.see('person', 'camera-gate');
    expect(closed.take()).toEqual(['raise interlock:after-hours-gate']);
    expect(closed.alarm('interlock:after-hours-gate')).toMatchObject({
      event: event.id,
      device: 'camera-gate',
      zone: 'gate',
    });
  });

  it('count a person seen again in the same alarm with the newest picture, and close it a minute after the last', () => {
    const rules = calm(sunday);
    rules.see('person', 'camera-gate');
    rules.pass(50_000);
    const second = rules.see('person', 'camera-gate');
    rules.see('person', 'camera-gate', false);
    rules.see('motion', 'camera-gate');
    expect(rules.alarm('interlock:after-hours-gate')).toMatchObject({ event: second.id, count: 2 });
    rules.pass(59_000);
    expect(rules.alarm('interlock:after-hours-gate').state).toBe('unacknowledged');
    rules.pass(2_000);
    expect(rules.alarm('interlock:after-hours-gate').state).toBe('returned');
  });

  it('shed the lowest tier after 30 s of overload on one phase, then one more each minute', () => {
    const rules = calm();
    rules.hear('meter-main/current_l2', 120);
    rules.pass(29_000);
    expect(rules.take()).toEqual([]);
    rules.pass(1_000);
    expect(rules.decisions[0]).toMatchObject({
      owner: 'interlock:overload',
      priority: 5,
      reason: 'meter-main/current_l2 is 120 A (good) for 30 s (tier 1 of 3)',
    });
    expect(rules.take()).toEqual(['hold relay-1/relay_8=false', 'raise interlock:overload']);
    rules.pass(60_000);
    expect(rules.take()).toEqual(['hold relay-1/relay_2=false']);
    rules.pass(600_000);
    expect(rules.take()).toEqual(['hold relay-1/relay_1=false']);
  });

  it('give shed loads back in reverse, one a minute, once the current is below the limit by the hysteresis', () => {
    const rules = calm();
    rules.hear('meter-main/current_l2', 120);
    rules.pass(95_000);
    rules.take();
    rules.hear('meter-main/current_l2', 97);
    expect(rules.take()).toEqual([]);
    rules.hear('meter-main/current_l2', 94);
    expect(rules.take()).toEqual(['relinquish relay-1/relay_2', 'return interlock:overload']);
    rules.pass(60_000);
    expect(rules.take()).toEqual(['relinquish relay-1/relay_8']);
  });

  it('shed one more at once when the overload comes back while loads are being given back', () => {
    const rules = calm();
    rules.hear('meter-main/current_l2', 120);
    rules.pass(95_000);
    rules.hear('meter-main/current_l2', 80);
    rules.hear('meter-main/current_l2', 130);
    rules.take();
    rules.pass(30_000);
    expect(rules.take()).toEqual(['hold relay-1/relay_2=false', 'raise interlock:overload']);
  });

  it('do not add 15 s of one phase to 15 s of another', () => {
    const rules = calm();
    rules.hear('meter-main/current_l1', 120);
    rules.pass(16_000);
    rules.hear('meter-main/current_l1', 60);
    rules.hear('meter-main/current_l2', 120);
    rules.pass(16_000);
    rules.hear('meter-main/current_l2', 60);
    rules.pass(60_000);
    expect(rules.take()).toEqual([]);
  });
});
