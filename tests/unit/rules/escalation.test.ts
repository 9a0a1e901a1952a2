import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import { acknowledgeAlarm, raiseAlarm, returnAlarm, shelveAlarm, unshelveAlarm } from '#edge/rules/alarm-machine.ts';
import type { NotifyDecision, RaiseDecision } from '#edge/rules/decision.ts';
import { createEscalation, type EscalationPlan } from '#edge/rules/escalation.ts';
import { fitsGlob, type Ladder, lastResort } from '#edge/rules/escalation-ladder.ts';
import { testId } from './small-campus.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Midnight UTC, which is local here. */
const midnight = Math.floor(1_800_000_000_000 / day) * day;
const noon = midnight + 12 * hour;

/** Open from 8 to 18 every day, in UTC. */
const calendar: Calendar = {
  labels: ['open', 'closed'],
  is: (label, time) => {
    const isOpen = time % day >= 8 * hour && time % day < 18 * hour;
    return label === 'open' ? isOpen : label === 'closed' && !isOpen;
  },
  nextChange: (time) => {
    const start = Math.floor(time / day) * day;
    return [8, 18, 32].map((h) => start + h * hour).find((change) => change > time) ?? time + day;
  },
  local: (time) => ({ minute: Math.floor((time % day) / minute), weekday: 1, date: '2027-01-15' }),
  nextMinute: (at, time) => {
    const today = Math.floor(time / day) * day + at * minute;
    return today > time ? today : today + day;
  },
};

const ladder: Ladder = {
  id: 'day',
  classes: ['critical', 'high', 'medium'],
  steps: [
    { after: 0, during: 'always', to: ['duty'] },
    { after: 5 * minute, during: 'always', to: ['head'] },
    { after: 15 * minute, during: 'always', to: ['principal'] },
  ],
};

const plan = (more: Partial<EscalationPlan> = {}): EscalationPlan => ({
  ladders: [ladder],
  limits: { perHour: 60 },
  targets: (to) => to.map((name) => ({ channel: 'sms', recipient: name })),
  ...more,
});

const words = { zh: '冷库门开着', en: 'The cold store is open' };
function raise(source: string, more: Partial<RaiseDecision> = {}): RaiseDecision {
  return {
    kind: 'raise',
    source,
    class: 'high',
    message: words,
    next: { zh: '关门', en: 'Close it' },
    reason: 'why',
    ...more,
  };
}

/** A campus that stores what it is told, as core does. */
function campus(given: EscalationPlan = plan(), start = noon) {
  let now = start;
  let ladders = createEscalation({ plan: given, calendar, newId: testId });
  const open = new Map<string, Alarm>();
  const notices = new Map<HappeningId, Notice>();
  const audit: string[] = [];
  let wakeAt: number | null = null;
  let asked: NotifyDecision[] = [];
  const change = (source: string, to: Alarm | undefined) => {
    if (to === undefined || to.state === 'normal') open.delete(source);
    else open.set(source, to);
  };
  const of = (source: string): Alarm => {
    const alarm = open.get(source);
    if (alarm === undefined) throw new Error(`there is no open alarm ${source}`);
    return alarm;
  };
  const look = (): readonly Notice[] => {
    const outcome = ladders.step({ now, open, asked });
    asked = [];
    wakeAt = outcome.wakeAt;
    for (const notice of outcome.notices) notices.set(notice.id, notice);
    for (const line of outcome.audit) audit.push(`${line.what} | ${line.why} | ${line.result}`);
    for (const { source, escalation } of outcome.told) change(source, { ...of(source), escalation });
    return outcome.notices;
  };
  return {
    raise: (source: string, more: Partial<RaiseDecision> = {}) =>
      change(source, raiseAlarm(open.get(source), raise(source, more), now, testId)),
    gone: (source: string) => change(source, returnAlarm(of(source), now)),
    see: (source: string) => change(source, acknowledgeAlarm(of(source), { time: now, by: 'wang', note: '' })),
    shelve: (source: string) => change(source, shelveAlarm(of(source), { until: now + hour, by: 'wang', reason: 'x' })),
    unshelve: (source: string) => change(source, unshelveAlarm(of(source), now)),
    put: (alarm: Alarm) => change(alarm.source, alarm),
    ask: (decision: NotifyDecision) => void asked.push(decision),
    of,
    look,
    audit,
    wakeAt: () => wakeAt,
    now: () => now,
    /** To a time after the start. */
    at(ms: number) {
      now = start + ms;
      return look();
    },
    /** Looks when it wants to be looked at, until then. */
    runTo(ms: number) {
      while (wakeAt !== null && wakeAt <= start + ms) {
        now = Math.max(now, wakeAt);
        look();
      }
      now = start + ms;
    },
    restart() {
      ladders = createEscalation({ plan: given, calendar, newId: testId });
      ladders.restore([...notices.values()], open, now);
      return look();
    },
    notices: () => [...notices.values()],
    told: () =>
      [...notices.values()]
        .filter(({ state }) => state === 'queued')
        .map(({ notBefore, recipient, step }) => [(notBefore - start) / minute, recipient, step]),
  };
}

const source = 'rule:cold-store';

describe('a ladder', () => {
  it('tells one after the other until somebody acknowledges, and says in the audit whom', () => {
    const at = campus();
    at.raise(source);
    at.look();
    at.runTo(6 * minute);
    expect(at.told()).toEqual([
      [0, 'duty', 0],
      [5, 'head', 1],
    ]);
    expect(at.of(source).escalation).toEqual({
      ladder: 'day',
      step: 1,
      told: noon + 5 * minute,
      due: noon + 15 * minute,
    });
    expect(at.audit).toEqual([
      `alarm.escalate ${at.of(source).id} (${source}) | ladder day, step 1: unacknowledged for 0 s | told duty@sms`,
      `alarm.escalate ${at.of(source).id} (${source}) | ladder day, step 2: unacknowledged for 300 s | told head@sms`,
    ]);
    expect(at.notices().at(-1)).toMatchObject({
      about: `alarm:${at.of(source).id}`,
      class: 'high',
      title: words,
      text: { zh: '关门（已 5 分钟无人确认）', en: 'Close it (nobody has acknowledged it for 5 min)' },
      state: 'queued',
      attempts: 0,
      notBefore: noon + 5 * minute,
      expires: noon + 5 * minute + 4 * hour,
    });
    at.see(source);
    at.at(16 * minute);
    expect(at.told()).toHaveLength(2);
    expect(at.of(source).escalation).toMatchObject({ step: 1, due: null });
    expect(at.wakeAt()).toBeNull();
  });

  it('tells the last step again when nobody acknowledges, and not for ever', () => {
    const at = campus();
    at.raise(source);
    at.look();
    at.runTo(10 * hour);
    const principal = at.told().filter(([, who]) => who === 'principal');
    expect(principal.map(([minutes]) => minutes)).toEqual([15, 30, 45, 60, 75, 90, 105, 120, 135]);
    expect(principal).toHaveLength(1 + lastResort.times);
    expect(at.of(source).escalation).toMatchObject({ step: 2 + lastResort.times, due: null });
    expect(at.audit.at(-1)).toContain('again: unacknowledged for 8100 s');
  });

  it('stops when the cause is gone, and goes on where it was when that comes back unseen', () => {
    const at = campus();
    at.raise(source);
    at.look();
    at.at(2 * minute);
    at.gone(source);
    at.at(6 * minute);
    expect(at.told()).toHaveLength(1);
    at.runTo(8 * minute);
    at.raise(source);
    at.look();
    expect(at.told().at(-1)).toEqual([8, 'head', 1]);
    at.runTo(20 * minute);
    expect(at.told().at(-1)).toEqual([15, 'principal', 2]);
  });

  it('begins anew when the alarm becomes graver, though somebody had acknowledged it, or comes off the shelf', () => {
    const at = campus();
    at.raise(source, { class: 'medium' });
    at.look();
    at.see(source);
    at.runTo(7 * minute);
    at.raise(source, { class: 'critical' });
    at.look();
    at.runTo(12 * minute);
    expect(at.told()).toEqual([
      [0, 'duty', 0],
      [7, 'duty', 0],
      [12, 'head', 1],
    ]);
    at.shelve(source);
    at.at(60 * minute);
    expect(at.told()).toHaveLength(3);
    at.unshelve(source);
    at.look();
    expect(at.told().at(-1)).toEqual([60, 'duty', 0]);
    expect(at.of(source).escalation).toMatchObject({ step: 0, due: noon + 65 * minute });
  });

  it('tells nobody of what is hidden behind its cause or out of sight', () => {
    const at = campus();
    at.raise('device:a');
    at.put({ ...at.of('device:a'), suppressedBy: 'process:x' });
    at.raise('device:b');
    at.shelve('device:b');
    at.look();
    expect(at.notices()).toEqual([]);
    expect(at.wakeAt()).toBeNull();
  });

  it('goes on over a restart, and tells at once what became due meanwhile', () => {
    const at = campus();
    at.raise(source);
    at.look();
    at.at(minute);
    expect(at.restart()).toEqual([]);
    at.at(17 * minute);
    at.restart();
    expect(at.told()).toEqual([
      [0, 'duty', 0],
      [17, 'head', 1],
      [17, 'principal', 2],
    ]);
  });

  it('is not put off by a clock that was set back', () => {
    const at = campus();
    at.raise(source);
    at.look();
    at.runTo(6 * minute);
    at.at(-day);
    expect(at.of(source).escalation?.due).toBe(noon - day + 10 * minute);
  });

  it('passes over a step that is not for the hour, and repeats what is, at once when its hour comes', () => {
    const steps: Ladder['steps'] = [
      { after: 0, during: 'closed', to: ['guard'] },
      { after: 10 * minute, during: 'open', to: ['facility'] },
    ];
    const open = campus(plan({ ladders: [{ ...ladder, steps }] }));
    open.raise(source);
    open.look();
    open.runTo(11 * minute);
    expect(open.told()).toEqual([[10, 'facility', 1]]);
    const closing = campus(plan({ ladders: [{ ...ladder, steps: steps.slice(0, 1) }] }), midnight + 17 * hour);
    closing.raise(source);
    closing.look();
    closing.runTo(100 * minute);
    expect(closing.told().slice(0, 2)).toEqual([
      [60, 'guard', 1],
      [75, 'guard', 2],
    ]);
  });

  it('is the first that fits by class, zone and source', () => {
    const ladders: Ladder[] = [
      { ...ladder, id: 'gate', zones: ['gate'], sources: ['interlock:*', 'rule:gate-*@*'] },
      { ...ladder, id: 'critical', classes: ['critical'] },
      ladder,
    ];
    const at = campus(plan({ ladders }));
    const gate = 'gate' as ZoneId;
    at.raise('interlock:fire', { zone: gate });
    at.raise('rule:gate-open@gate', { zone: gate });
    at.raise('rule:gate-open', { zone: gate });
    at.raise('rule:air', { class: 'critical', zone: gate });
    at.raise('rule:cold', { class: 'low' });
    at.look();
    const of = (name: string) => at.of(name).escalation?.ladder;
    expect(['interlock:fire', 'rule:gate-open@gate', 'rule:gate-open', 'rule:air', 'rule:cold'].map(of)).toEqual([
      'gate',
      'gate',
      'day',
      'critical',
      undefined,
    ]);
  });

  it('matches sources by globs as a plain search would', () => {
    const plain = (glob: string, text: string): boolean => {
      if (glob === '') return text === '';
      if (glob[0] === '*') return plain(glob.slice(1), text) || (text !== '' && plain(glob, text.slice(1)));
      return glob[0] === text[0] && plain(glob.slice(1), text.slice(1));
    };
    const few = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*'), maxLength: 7 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 9 });
    fc.assert(
      fc.property(few, text, (glob, one) => fitsGlob(glob, one) === plain(glob, one)),
      { numRuns: 2_000 },
    );
  });
});

describe('what is told together', () => {
  const room = (i: number) => `rule:co2@room-${i}`;
  const of = (i: number, severity: AlarmClass = 'high') => ({
    group: 'co2',
    class: severity,
    message: { zh: `${i} 室`, en: `Room ${i}` },
  });

  it('is one notice for alarms of a group in one turn, with a row for each that was told in its stead', () => {
    const at = campus();
    for (let i = 1; i <= 13; i++) at.raise(room(i), of(i));
    at.look();
    const queued = at.notices().filter(({ state }) => state === 'queued');
    expect(queued).toHaveLength(1);
    expect(queued[0]).toMatchObject({ title: { zh: '1 室（另有 12 项）', en: 'Room 1 (and 12 others)' } });
    expect(queued[0]?.text.en).toBe(
      ['Close it', ...[2, 3, 4, 5, 6, 7, 8].map((i) => `· Room ${i}`), 'and 5 more'].join('\n'),
    );
    const merged = at.notices().filter(({ state }) => state === 'merged');
    expect(merged).toHaveLength(12);
    expect(new Set(merged.map(({ detail }) => detail))).toEqual(new Set([`told in ${queued[0]?.id}`]));
  });

  it('waits for a minute after the first, and is then told once, the gravest class first', () => {
    const at = campus();
    at.raise(room(1), of(1));
    at.look();
    at.at(20_000);
    at.raise(room(2), of(2, 'medium'));
    at.look();
    at.at(40_000);
    at.raise(room(3), of(3));
    at.raise('rule:door', { group: 'door' });
    at.look();
    expect(at.told().map(([minutes]) => minutes)).toEqual([0, 1, 40 / 60]);
    const second = at.notices().find(({ notBefore }) => notBefore === noon + minute);
    expect(second).toMatchObject({
      class: 'high',
      title: { en: 'Room 2 (and 1 other)' },
      about: `alarm:${at.of(room(2)).id}`,
    });
    at.at(70_000);
    at.raise(room(4), of(4));
    at.look();
    expect(at.told().at(-1)).toEqual([2, 'duty', 0]);
    at.at(4 * minute);
    at.raise(room(5), of(5));
    at.look();
    expect(at.told().at(-1)).toEqual([4, 'duty', 0]);
  });

  it('goes on being gathered after a restart, under the words it had', () => {
    const at = campus();
    at.raise(room(1), of(1));
    at.look();
    for (const [i, ms] of [
      [2, 10_000],
      [3, 20_000],
    ] as const) {
      at.at(ms);
      at.raise(room(i), of(i));
      at.look();
    }
    at.restart();
    at.at(30_000);
    at.raise(room(4), of(4));
    at.look();
    const waiting = at.notices().filter(({ state, notBefore }) => state === 'queued' && notBefore === noon + minute);
    expect(waiting.map(({ title }) => title.en)).toEqual(['Room 2 (and 2 others)']);
    expect(at.notices().filter(({ state }) => state === 'merged')).toHaveLength(2);
  });

  it('waits for the end of quiet hours unless the class is excepted, as one, and is withdrawn when it is over by then', () => {
    const quiet = plan({ quietHours: { from: 22 * 60, to: 6 * 60, except: ['critical'] } });
    const at = campus(quiet, midnight + 23 * hour);
    at.raise('rule:a', { class: 'high' });
    at.raise('rule:b', { class: 'medium' });
    at.raise('rule:fire', { class: 'critical' });
    at.look();
    const six = 7 * 60;
    expect(at.told()).toEqual([
      [six, 'duty', 0],
      [0, 'duty', 0],
    ]);
    const [waiting] = at.notices();
    expect(waiting?.title.en).toBe(`${words.en} (and 1 other)`);
    at.at(minute);
    at.see('rule:a');
    at.restart();
    expect(at.told()).toHaveLength(2);
    at.at(2 * minute);
    at.gone('rule:b');
    at.look();
    const withdrawn = at.notices().filter(({ state }) => state === 'expired');
    expect(withdrawn).toMatchObject([{ id: waiting?.id, detail: 'it was over before its time had come' }]);
    at.at(7 * hour + minute);
    at.raise('rule:c');
    at.look();
    expect(at.told().at(-1)).toEqual([six + 1, 'duty', 0]);
  });

  it('is gathered for a minute whatever its group beyond the limit of an hour, after a restart too', () => {
    const at = campus(plan({ limits: { perHour: 3 } }));
    for (let i = 1; i <= 3; i++) at.raise(`rule:r${i}`);
    at.look();
    at.restart();
    at.at(10_000);
    for (let i = 4; i <= 9; i++) at.raise(`rule:r${i}`);
    at.look();
    expect(at.told().map(([minutes]) => minutes)).toEqual([0, 0, 0, 70 / 60]);
    expect(at.notices().filter(({ state }) => state === 'merged')).toHaveLength(5);
    at.at(65 * minute);
    at.raise('rule:r10');
    at.look();
    expect(
      at
        .told()
        .filter(([, , step]) => step === 0)
        .at(-1),
    ).toEqual([65, 'duty', 0]);
  });

  it('tells people what rules want said, each instance of a rule in one notice, at the hours that people are not to sleep', () => {
    const at = campus(plan({ quietHours: { from: 22 * 60, to: 6 * 60, except: ['critical', 'high'] } }));
    const say = (i: number): NotifyDecision => ({
      kind: 'notify',
      about: `rule:lamp@room-${i}`,
      to: ['facility'],
      message: { zh: `${i}`, en: `Lamp ${i}` },
    });
    at.ask(say(1));
    at.ask(say(2));
    at.look();
    expect(at.told()).toEqual([[0, 'facility', 0]]);
    expect(at.notices()[0]).toMatchObject({ about: 'rule:lamp@room-1', title: { en: 'Lamp 1 (and 1 other)' } });
    expect(at.audit).toEqual([
      'notify rule:lamp@room-1 | Lamp 1 | told facility@sms',
      'notify rule:lamp@room-2 | Lamp 2 | told facility@sms',
    ]);
    at.at(11 * hour);
    at.ask(say(3));
    at.look();
    expect(at.told().at(-1)).toEqual([18 * 60, 'facility', 0]);
  });

  it('takes 2,000 alarms at once in turns of 200, and stores a bounded number of rows', () => {
    const at = campus();
    for (let i = 0; i < 2_000; i++) at.raise(`rule:r@${i}`, { group: 'r' });
    let turns = 0;
    for (at.look(); turns < 50 && at.wakeAt() === at.now(); turns++) at.look();
    expect(turns).toBe(9);
    expect(at.told()).toEqual([
      [0, 'duty', 0],
      [1, 'duty', 0],
    ]);
    expect(at.notices().length).toBeLessThan(110);
    expect(at.notices().find(({ notBefore }) => notBefore > noon)?.title.en).toContain('(and 1799 others)');
    expect(at.wakeAt()).toBe(noon + 5 * minute);
  });
});

it('holds over any life of alarms: nobody is told twice of a step, too early, or of what somebody has seen', () => {
  const act = fc.record({
    what: fc.constantFrom('raise', 'raise', 'graver', 'gone', 'see', 'shelve', 'unshelve', 'wait', 'restart'),
    source: fc.constantFrom('rule:a@1', 'rule:a@2', 'rule:b', 'interlock:c'),
    // Not at the same moment: an alarm that grows graver is told again, and only the time tells the two apart.
    ms: fc.integer({ min: 1, max: 20 * minute }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const at = campus();
      let ms = 0;
      for (const { what, source, ms: wait } of acts) {
        ms += wait;
        at.runTo(ms);
        const isOpen = (() => {
          try {
            return at.of(source).state !== 'normal';
          } catch {
            return false;
          }
        })();
        if (what === 'raise') at.raise(source, { class: 'medium', group: source.slice(0, 6) });
        else if (what === 'graver') at.raise(source, { class: 'critical', group: source.slice(0, 6) });
        else if (what === 'restart') at.restart();
        else if (isOpen && what !== 'wait') at[what as 'gone' | 'see' | 'shelve' | 'unshelve'](source);
        const before = at.now();
        for (const { about, created, state, step } of at.look()) {
          expect(created).toBeLessThanOrEqual(before);
          if (state === 'expired') continue;
          const alarm = ['rule:a@1', 'rule:a@2', 'rule:b', 'interlock:c']
            .flatMap((one) => {
              try {
                return [at.of(one)];
              } catch {
                return [];
              }
            })
            .find(({ id }) => about === `alarm:${id}`);
          if (created !== before || alarm === undefined) continue;
          expect(alarm).toMatchObject({ state: 'unacknowledged', active: true });
          const since = alarm.shown ?? alarm.raised;
          expect(created - since).toBeGreaterThanOrEqual(ladder.steps[Math.min(step, 2)]?.after ?? 0);
        }
      }
      const steps = at
        .notices()
        .map(({ about, recipient, step, created }) => `${about} ${recipient} ${step} ${created}`);
      expect(new Set(steps).size).toBe(steps.length);
    }),
    { numRuns: 300 },
  );
});
