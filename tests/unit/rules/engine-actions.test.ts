import { describe, expect, it } from 'vitest';
import type { Action } from '#edge/domain/rule.ts';
import { Rules } from './rules-at-work.ts';
import { alarm, comfort, name, off, over, ref, rule, smokeIs } from './small-campus.ts';

const warm = over('room-101/temperature', { above: 28 });
const fan: Action = { kind: 'hold', outputs: { of: 'room-101/fan' }, value: true, for: 600_000 };

describe('a hold', () => {
  it('says how long it lasts, is given back by the rule itself, and not held again until it fires anew', () => {
    const rules = new Rules([comfort('r', warm, { then: [fan] })]);
    rules.hear('room-101/temperature', 30);
    expect(rules.decisions).toMatchObject([
      { kind: 'hold', owner: 'rule:r', ref: 'room-101/fan', value: true, priority: 12, lasts: 600_000 },
    ]);
    rules.take();
    rules.pass(599_999);
    expect(rules.take()).toEqual([]);
    rules.pass(1);
    expect(rules.take()).toEqual(['relinquish room-101/fan']);
    expect(rules.journal.at(-1)).toMatchObject({ what: 'ended', did: ['relinquish room-101/fan'] });
    rules.hear('room-101/temperature', 31);
    rules.pass(3_600_000);
    expect(rules.take()).toEqual([]);
    rules.hear('room-101/temperature', 20);
    rules.hear('room-101/temperature', 30);
    expect(rules.take()).toEqual(['hold room-101/fan=true']);
  });

  it('lasts over a restart for what is left of its time', () => {
    const rules = new Rules([comfort('r', warm, { then: [fan] })]);
    rules.hear('room-101/temperature', 30);
    rules.pass(200_000);
    rules.take();
    rules.restart(100_000);
    expect(rules.decisions).toMatchObject([{ kind: 'hold', lasts: 300_000 }]);
    rules.take();
    rules.restart(400_000);
    expect(rules.take()).toEqual([]);
    expect(rules.isFired('r')).toBe(true);
  });

  it('gives way to a later action of the same rule on the same output, and comes back when that has ended', () => {
    const then: Action[] = [
      { ...fan, value: false, for: 5_000 },
      { ...fan, value: true, for: 1_000 },
    ];
    const rules = new Rules([comfort('r', warm, { then })]);
    rules.hear('room-101/temperature', 30);
    expect(rules.take()).toEqual(['hold room-101/fan=true']);
    rules.pass(1_000);
    expect(rules.take()).toEqual(['hold room-101/fan=false']);
    rules.pass(4_000);
    expect(rules.take()).toEqual(['relinquish room-101/fan']);
  });
});

describe('a permissive', () => {
  it('forbids while the rule is fired and permits when it is not', () => {
    const forbid: Action = { kind: 'forbid', outputs: { of: 'relay-1/*' }, value: true };
    const rules = new Rules([rule('r', smokeIs('hold'), { then: [forbid] })]);
    rules.hear('smoke-101/smoke', true);
    expect(rules.take()).toEqual([1, 2, 5, 8].map((n) => `forbid relay-1/relay_${n}=true`));
    expect(rules.engine.standing()).toHaveLength(4);
    rules.restart();
    expect(rules.take()).toHaveLength(4);
    rules.hear('smoke-101/smoke', false);
    expect(rules.take()).toEqual([1, 2, 5, 8].map((n) => `permit relay-1/relay_${n}`));
    expect(rules.engine.standing()).toEqual([]);
  });
});

describe('what is said once', () => {
  it('is said when it fires, in the words of that moment, and not again after a restart', () => {
    const message = {
      zh: '{place}{device}：{value}{unit}，{count} 处，{since} 起',
      en: '{place}, {device}: {value} {unit} at {count}, since {since}, {what}',
    };
    const then: Action[] = [
      { kind: 'notify', to: ['duty', 'head'], message },
      { kind: 'snapshot', camera: 'camera-gate' as Extract<Action, { kind: 'snapshot' }>['camera'] },
      { ...alarm, message, class: 'low' },
    ];
    const rules = new Rules([comfort('r', over('*/temperature', { above: 28 }), { then })]);
    rules.hear('room-101/temperature', 30.04);
    const words = 'Classroom 101, room-101: 30 °C at 1, since 10:00, {what}';
    expect(rules.take()).toEqual(['raise rule:r', `notify duty,head: ${words}`, 'snapshot camera-gate']);
    expect(rules.alarm('rule:r').message).toEqual({ en: words, zh: '101 教室room-101：30°C，1 处，10:00 起' });
    expect(rules.journal.at(-1)?.did).toEqual(['alarm low', 'notify duty', 'notify head', 'snapshot camera-gate']);
    rules.hear('room-102/temperature', 30);
    rules.restart();
    rules.hear('room-101/temperature', 30);
    expect(rules.take()).toEqual([]);
  });
});

describe('clearing and cooling', () => {
  it('waits until the cause has been gone long enough, and not on what it cannot see', () => {
    const rules = new Rules([comfort('r', warm, { clearAfter: 10_000 })]);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-101/temperature', 20);
    rules.pass(6_000);
    rules.hear('room-101/temperature', 20, 'bad', 'no-communication');
    rules.pass(60_000);
    expect(rules.isFired('r')).toBe(true);
    rules.hear('room-101/temperature', 20);
    rules.pass(3_999);
    expect(rules.isFired('r')).toBe(true);
    rules.pass(1);
    expect(rules.isFired('r')).toBe(false);
  });

  it('begins again when the cause comes back in between', () => {
    const rules = new Rules([comfort('r', warm, { clearAfter: 10_000 })]);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-101/temperature', 20);
    rules.pass(9_000);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-101/temperature', 20);
    rules.pass(9_000);
    expect(rules.isFired('r')).toBe(true);
    rules.pass(1_000);
    expect(rules.isFired('r')).toBe(false);
  });

  it('does not fire while it cools, says until when, and fires then if the cause stands', () => {
    const rules = new Rules([comfort('r', warm, { coolDown: 60_000 })]);
    rules.hear('room-101/temperature', 30);
    rules.hear('room-101/temperature', 20);
    rules.take();
    rules.pass(20_000);
    rules.hear('room-101/temperature', 30);
    expect(rules.take()).toEqual([]);
    expect(rules.view('r').coolsUntil).toBe(rules.now + 40_000);
    rules.restart(10_000);
    rules.hear('room-101/temperature', 30);
    rules.pass(29_999);
    expect(rules.take()).toEqual([]);
    rules.pass(1);
    expect(rules.take()).toEqual(['hold room-101/fan=true']);
  });
});

describe('a rule for each place', () => {
  const here = { of: 'room-*/temperature', here: true } as const;
  const each = { place: 'space', of: { of: 'room-*/temperature' } } as const;
  const then: Action[] = [{ kind: 'hold', outputs: { of: '*/fan', here: true }, value: true, for: 600_000 }, alarm];

  it('acts in that place only, under its own name', () => {
    const rules = new Rules([comfort('warm', { ...warm, points: here }, { each, then })]);
    rules.hear('room-101/temperature', 20);
    rules.hear('room-102/temperature', 30);
    expect(rules.take()).toEqual(['hold room-102/fan=true', 'raise rule:warm@classroom-102']);
    expect(rules.alarm('rule:warm@classroom-102')).toMatchObject({
      group: 'warm',
      zone: 'teaching',
      device: 'room-102',
    });
    expect(rules.engine.instances().map(({ instance, place }) => [instance, place])).toEqual([
      ['warm@classroom-101', 'classroom-101'],
      ['warm@classroom-102', 'classroom-102'],
    ]);
    expect([...rules.stored.keys()]).toEqual(['rule:warm@classroom-102']);
    rules.restart();
    expect(rules.take()).toEqual(['hold room-102/fan=true']);
  });

  it('is blind in one place and sees in the other, and the alarm names the place', () => {
    const rules = new Rules([comfort('warm', { ...warm, points: here }, { each, then })]);
    rules.hear('room-101/temperature', 20);
    rules.pass(31_000);
    expect(rules.take()).toEqual(['raise blind:warm@classroom-102']);
    expect(rules.alarm('blind:warm@classroom-102')).toMatchObject({ class: 'low', group: 'blind:warm' });
    expect(rules.alarm('blind:warm@classroom-102').message.en).toContain('Rule "trial" (Classroom 102) is blind');
  });

  it('sounds from the speakers of its zone', () => {
    const sound: Action = { kind: 'broadcast', clip: 'lockdown', zones: 'here', for: null };
    const zones = { place: 'zone', of: { of: '*/alarm' } } as const;
    const panel = { ...over('*/alarm', { is: true }), points: { of: '*/alarm', here: true } } as const;
    const rules = new Rules([rule('gate', panel, { each: zones, then: [sound] })]);
    rules.hear('fire-panel/alarm', true);
    expect(rules.take()).toEqual(['hold speaker-gate/clip=lockdown']);
  });

  it('that finds no place says that it sees nothing', () => {
    const rules = new Rules([comfort('r', warm, { each: { place: 'space', of: { of: 'attic-*/temperature' } } })]);
    rules.turn();
    rules.pass(30_000);
    expect(rules.alarm('blind:r').reason).toBe('attic-*/temperature (0 points, 1 needed)');
  });

  it('outside its hours misses nothing: no alarm that it is blind', () => {
    const rules = new Rules([comfort('r', warm, { while: [{ kind: 'calendar', is: 'closed' }] })]);
    rules.turn();
    rules.pass(3_600_000);
    expect(rules.take()).toEqual([]);
    rules.pass(8 * 3_600_000);
    expect(rules.take()).toEqual(['raise blind:r']);
  });
});

describe('the journal', () => {
  it('has what was seen, those that say so first, and what was done', () => {
    const rules = new Rules([
      rule('r', over('smoke-*/smoke', { is: true }, { needs: 1 }), { then: [off, alarm] }),
    ]).calm();
    rules.hear('smoke-201/smoke', true, 'uncertain', 'clock');
    expect(rules.journal).toEqual([
      {
        time: rules.now,
        rule: 'r',
        instance: 'r',
        version: 1,
        shadow: false,
        what: 'fired',
        why: 'smoke-201/smoke is true (uncertain, clock)',
        saw: [
          { ref: 'smoke-201/smoke', value: true, quality: 'uncertain', reason: 'clock', time: rules.now },
          { ref: 'smoke-101/smoke', value: false, quality: 'good', time: rules.now },
          { ref: 'smoke-102/smoke', value: false, quality: 'good', time: rules.now },
        ],
        did: ['hold relay-1/relay_1=false at 5', 'alarm high'],
      },
    ]);
  });

  it('says of a shed that it stepped, and nothing of holds that a restart repeats', () => {
    const shed: Action = {
      kind: 'shed',
      order: [ref('relay-1/relay_8'), ref('relay-1/relay_2')],
      value: false,
      every: 1_000,
    };
    const rules = new Rules([rule('r', smokeIs('hold'), { then: [shed] })]);
    rules.hear('smoke-101/smoke', true);
    rules.pass(1_000);
    rules.restart();
    rules.hear('smoke-101/smoke', false);
    rules.pass(1_000);
    expect(rules.journal.map(({ what, did }) => [what, ...did])).toEqual([
      ['fired', 'hold relay-1/relay_8=false at 5'],
      ['stepped', 'hold relay-1/relay_2=false at 5'],
      ['cleared', 'relinquish relay-1/relay_2'],
      ['stepped', 'relinquish relay-1/relay_8'],
    ]);
  });

  it('says when it became blind and when it saw again', () => {
    const rules = new Rules([rule('r', smokeIs('hold'))]);
    rules.turn();
    rules.pass(30_000);
    rules.hear('smoke-101/smoke', false);
    expect(rules.journal.map(({ what, did }) => [what, ...did])).toEqual([
      ['blind', 'alarm high'],
      ['sighted', 'return alarm'],
    ]);
  });

  it('keeps at most 16 values and 32 acts', () => {
    const then: Action[] = [{ kind: 'notify', to: Array.from({ length: 50 }, (_, i) => `p${i}`), message: name('x') }];
    const rules = new Rules([comfort('r', over('*/*', { isNot: 'x' }), { then })]);
    rules.hear('room-101/temperature', 1);
    const line = rules.journal.at(-1);
    expect(line?.saw).toHaveLength(16);
    expect(line?.saw[0]?.ref).toBe('room-101/temperature');
    expect(line?.did).toHaveLength(32);
  });
});
