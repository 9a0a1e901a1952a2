import { describe, expect, it } from 'vitest';
import { decodeAlarm } from '#edge/bus/codec.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { createCauses } from '#edge/rules/alarm-causes.ts';
import {
  acknowledgeAlarm,
  applyAlarmDecisions,
  endOrphans,
  type OpenAlarms,
  passAlarmTime,
  shelveAlarm,
  unshelveAlarm,
  whyNotShelved,
} from '#edge/rules/alarm-machine.ts';
import { hiddenGrace } from '#edge/rules/alarm-suppression.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import { below, pick, seeded } from './random.ts';
import { testId } from './small-campus.ts';

const words = { zh: '字', en: 'words' };
const causesOf = createCauses({ processOf: (device) => (device.startsWith('meter') ? 'fieldbus' : undefined) });

function raise(source: string, more: Partial<RaiseDecision> = {}): RaiseDecision {
  return { kind: 'raise', source, class: 'high', message: words, next: words, reason: 'why', ...more };
}

function apply(open: OpenAlarms, now: number, ...decisions: AlarmDecision[]) {
  return applyAlarmDecisions(open, decisions, { now, newId: testId, causesOf });
}

const pass = (open: OpenAlarms, now: number) => passAlarmTime(open, { now, newId: testId, causesOf });
const gone = (source: string): AlarmDecision => ({ kind: 'return', source, reason: 'gone' });
const guard = { time: 5, by: 'person:guard', note: '' };
const none: OpenAlarms = new Map();

function only(alarms: readonly Alarm[]): Alarm {
  const [alarm] = alarms;
  if (alarm === undefined || alarms.length !== 1) throw new Error(`expected one alarm, have ${alarms.length}`);
  return alarm;
}

describe('the alarm machine', () => {
  it('goes unacknowledged, acknowledged, normal', () => {
    const raised = apply(none, 1, raise('device:a'));
    const alarm = only(raised.changed);
    expect(alarm).toMatchObject({ state: 'unacknowledged', active: true, raised: 1, count: 1, reason: 'why' });
    const seen = acknowledgeAlarm(alarm, guard);
    expect(seen).toMatchObject({ state: 'acknowledged', active: true, acknowledged: guard });
    const ended = apply(new Map([['device:a', seen]]), 9, gone('device:a'));
    expect(only(ended.changed)).toMatchObject({ state: 'normal', active: false, returned: 9, ended: 9 });
    expect(ended.open.size).toBe(0);
  });

  it('keeps what returned before anyone saw it until somebody does', () => {
    const { open } = apply(apply(none, 1, raise('device:a')).open, 2, gone('device:a'));
    const alarm = only([...open.values()]);
    expect(alarm).toMatchObject({ state: 'returned', active: false, returned: 2 });
    expect(acknowledgeAlarm(alarm, guard)).toMatchObject({ state: 'normal', ended: 5, acknowledged: guard });
  });

  it('counts a cause that comes back unseen in the same occurrence, and starts a new one after the end', () => {
    const first = apply(apply(none, 1, raise('device:a')).open, 2, gone('device:a'));
    const again = only(apply(first.open, 3, raise('device:a')).changed);
    expect(again).toMatchObject({ state: 'unacknowledged', count: 2, raised: 1 });
    expect(again.returned).toBeUndefined();
    const fresh = apply(none, 9, raise('device:a'));
    expect(only(fresh.changed).id).not.toBe(again.id);
  });

  it('changes nothing when the same is said twice', () => {
    const { open } = apply(none, 1, raise('device:a'));
    expect(apply(open, 2, raise('device:a')).changed).toEqual([]);
    expect(apply(none, 2, gone('device:a')).changed).toEqual([]);
  });

  it('silences devices behind a dead process, shows those still bad when it returns, and never an interlock', () => {
    const meters = ['meter-1', 'meter-2', 'meter-3'];
    const broken = meters.map((id) => raise(`device:${id}`, { device: id as DeviceId }));
    const down = apply(
      none,
      1,
      raise('process:fieldbus'),
      ...broken,
      raise('interlock:x', { device: 'meter-1' as DeviceId }),
    );
    const silenced = [...down.open.values()].filter((alarm) => alarm.suppressedBy !== undefined);
    expect(silenced.map((alarm) => alarm.source)).toEqual(meters.map((id) => `device:${id}`));

    const up = apply(down.open, 2, gone('device:meter-1'), gone('process:fieldbus'));
    expect(up.changed.find((alarm) => alarm.source === 'device:meter-1')?.state).toBe('normal');
    const hidden = { state: 'unacknowledged', active: true, suppressedBy: 'process:fieldbus' };
    expect(up.open.get('device:meter-2')).toMatchObject({ ...hidden, suppressedUntil: 2 + hiddenGrace });
    expect(pass(up.open, 1 + hiddenGrace).changed).toEqual([]);
    const late = pass(apply(up.open, 9, gone('device:meter-2')).open, 2 + hiddenGrace);
    expect(only(late.changed)).toMatchObject({ source: 'device:meter-3', shown: 2 + hiddenGrace });
    expect(only(late.changed)).not.toHaveProperty('suppressedBy');
    expect(late.open.has('device:meter-2')).toBe(false);
  });

  it('never hides what is graver behind what is less so: a dead siren behind a speaker known to be offline', () => {
    const low = raise('device:meter-1', { class: 'low', device: 'meter-1' as DeviceId });
    const siren = raise('output:meter-1/clip', { class: 'critical', device: 'meter-1' as DeviceId });
    const { open } = apply(apply(none, 1, low).open, 2, siren);
    expect(open.get('output:meter-1/clip')).not.toHaveProperty('suppressedBy');
    const dead = apply(open, 3, raise('process:fieldbus', { class: 'critical' }));
    expect(dead.open.get('output:meter-1/clip')).toMatchObject({ suppressedBy: 'process:fieldbus' });
  });

  it('keeps its words within what those who read it take', () => {
    const long = 'smoke-101/smoke is true (good), '.repeat(60);
    const alarm = only(apply(none, 1, raise('blind:fire', { message: { zh: long, en: long }, reason: long })).changed);
    const read = decodeAlarm(Buffer.from(JSON.stringify(alarm)));
    expect(read).toMatchObject({ ok: true });
  });

  it('ends alarms whose source was taken out of the site file', () => {
    const { open } = apply(none, 1, raise('device:a'), raise('device:b'));
    const swept = endOrphans(open, (source) => source === 'device:b', 7);
    expect([...swept.open.keys()]).toEqual(['device:b']);
    expect(only(swept.changed)).toMatchObject({ source: 'device:a', state: 'normal', ended: 7 });
  });

  describe('shelving', () => {
    const minute = 60_000;
    const shelf = { until: 30 * minute, by: 'wang', reason: 'being repaired' };
    const shelvedAt = (until: number, more: Partial<RaiseDecision> = {}): OpenAlarms => {
      const alarm = only(apply(none, 1, raise('device:a', more)).changed);
      return new Map([['device:a', shelveAlarm(alarm, { ...shelf, until })]]);
    };

    it('lies over the states, which go on beneath, and ends with the occurrence', () => {
      const open = shelvedAt(30 * minute);
      const returned = apply(open, 2, gone('device:a'));
      expect(only(returned.changed)).toMatchObject({ state: 'returned', shelved: shelf });
      const again = apply(returned.open, 3, raise('device:a'));
      expect(only(again.changed)).toMatchObject({ state: 'unacknowledged', count: 2, shelved: shelf });
      const seen = acknowledgeAlarm(only(again.changed), guard);
      expect(seen).toMatchObject({ state: 'acknowledged', shelved: shelf });
      const ended = only(apply(new Map([['device:a', seen]]), 9, gone('device:a')).changed);
      expect(ended.state).toBe('normal');
      expect(ended).not.toHaveProperty('shelved');
      const unseen = acknowledgeAlarm(only([...returned.open.values()]), guard);
      expect(unseen).not.toHaveProperty('shelved');
      const orphan = only(endOrphans(open, () => false, 7).changed);
      expect(orphan).not.toHaveProperty('shelved');
    });

    it('ends at its time, when it is taken back, and when the clock was set back so far that it would never end', () => {
      const open = shelvedAt(30 * minute);
      expect(pass(open, 30 * minute - 1)).toEqual({ open, changed: [] });
      const over = pass(open, 30 * minute);
      expect(only(over.changed)).toMatchObject({ source: 'device:a', state: 'unacknowledged' });
      expect(over.open.get('device:a')).not.toHaveProperty('shelved');
      const year = 365 * 1440 * minute;
      expect(pass(shelvedAt(year + 30 * minute), 0).changed).toHaveLength(1);
      const alarm = only([...open.values()]);
      expect(unshelveAlarm(alarm, 7)).not.toHaveProperty('shelved');
      expect(unshelveAlarm(unshelveAlarm(alarm, 7), 9)).toStrictEqual(unshelveAlarm(alarm, 7));
    });

    it('ends when the alarm becomes graver than what was shelved', () => {
      const open = shelvedAt(30 * minute);
      const calmer = only(apply(open, 2, raise('device:a', { class: 'low' })).changed);
      expect(calmer).toMatchObject({ class: 'low', shelved: shelf });
      const graver = only(apply(open, 2, raise('device:a', { class: 'critical' })).changed);
      expect(graver.class).toBe('critical');
      expect(graver).not.toHaveProperty('shelved');
    });

    it('is limited to an hour for what is critical, to eight for the rest, and refused where lives are protected', () => {
      const alarm = (more: Partial<RaiseDecision>) => only(apply(none, 1, raise('interlock:fire', more)).changed);
      const protects = (source: string) => source === 'interlock:fire';
      const critical = alarm({ class: 'critical' });
      expect(whyNotShelved(critical, 1, protects)).toContain('protects lives');
      expect(whyNotShelved(critical, 60, () => false)).toBeNull();
      expect(whyNotShelved(critical, 61, () => false)).toContain('at most 60 minutes, not 61');
      expect(whyNotShelved(alarm({ class: 'high' }), 480, protects)).toBeNull();
      expect(whyNotShelved(alarm({ class: 'low' }), 481, protects)).toContain('at most 480 minutes');
    });
  });

  it('never has two open alarms of a source, never changes an ended one, and always says what changed: 200 random lives', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      let open: OpenAlarms = none;
      const known = new Map<string, Alarm>();
      const note = (changed: readonly Alarm[]) => {
        for (const alarm of changed) {
          expect(known.get(alarm.id)?.state, `seed ${seed}`).not.toBe('normal');
          known.set(alarm.id, alarm);
        }
      };
      for (let now = 1; now <= 60; now++) {
        const source = pick(random, ['process:fieldbus', 'device:meter-1', 'device:meter-2', 'interlock:x']);
        const device = source.startsWith('device:') ? { device: source.slice(7) as DeviceId } : {};
        const alarm = open.get(source);
        if (random() < 0.25 && alarm !== undefined) {
          const seen = acknowledgeAlarm(alarm, { time: now, by: 'p', note: '' });
          if (seen !== alarm) note([seen]);
          open = new Map([...open].filter(([key]) => key !== source || seen.state !== 'normal'));
          if (seen.state !== 'normal') open = new Map([...open, [source, seen]]);
        }
        const decisions = Array.from({ length: 1 + below(random, 3) }, () =>
          random() < 0.5 ? raise(source, { ...device, ...(random() < 0.3 ? { event: testId() } : {}) }) : gone(source),
        );
        const step = apply(open, now, ...decisions);
        note(step.changed);
        open = step.open;
        const unended = [...known.values()].filter((one) => one.state !== 'normal');
        expect(new Set(unended), `seed ${seed}`).toEqual(new Set(open.values()));
        expect(new Set(unended.map((one) => one.source)).size, `seed ${seed}`).toBe(unended.length);
        for (const one of unended) {
          expect(one.active, `seed ${seed}`).toBe(one.state !== 'returned');
          if (one.suppressedBy && one.suppressedUntil === undefined)
            expect(open.get(one.suppressedBy)?.active, `seed ${seed}`).toBe(true);
        }
      }
    }
  });
});
