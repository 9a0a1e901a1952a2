import { describe, expect, it } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { Notice } from '#edge/domain/notice.ts';
import { raiseAlarm } from '#edge/rules/alarm-machine.ts';
import { createEscalation, type EscalationPlan } from '#edge/rules/escalation.ts';
import { testId } from './small-campus.ts';

/* Clocks that jump: a box whose battery is empty starts in another year, and is put right an hour later. */

const minute = 60_000;
const year = 365 * 24 * 60 * minute;
const start = 1_800_000_000_000;

const calendar: Calendar = {
  labels: ['open', 'closed'],
  is: (label) => label === 'open',
  nextChange: (time) => time + 24 * 60 * minute,
  local: () => ({ minute: 720, weekday: 1, date: '2027-01-15' }),
  nextMinute: (_, time) => time + 24 * 60 * minute,
};
const plan: EscalationPlan = {
  ladders: [
    {
      id: 'day',
      classes: ['critical', 'high'],
      steps: [
        { after: 0, during: 'always', to: ['duty'] },
        { after: 5 * minute, during: 'always', to: ['head'] },
      ],
      repeat: { every: 10 * minute, times: 3 },
    },
  ],
  limits: { perHour: 60 },
  targets: (to) => to.map((name) => ({ channel: 'sms', recipient: name })),
};

function campus() {
  let now = start;
  const ladders = createEscalation({ plan, calendar, newId: testId });
  const open = new Map<string, Alarm>();
  const notices = new Map<HappeningId, Notice>();
  const look = () => {
    const outcome = ladders.step({ now, open, asked: [] });
    for (const notice of outcome.notices) notices.set(notice.id, notice);
    for (const { source, escalation } of outcome.told) {
      const alarm = open.get(source);
      if (alarm !== undefined) open.set(source, { ...alarm, escalation });
    }
  };
  return {
    raise(source: string) {
      const words = { zh: source, en: source };
      open.set(
        source,
        raiseAlarm(
          undefined,
          { kind: 'raise', source, class: 'critical', message: words, next: words, reason: '', group: 'fire' },
          now,
          testId,
        ),
      );
      look();
    },
    /** Looks every second, as core does. */
    pass(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += 1_000;
        look();
      }
    },
    jump(ms: number) {
      now += ms;
      look();
    },
    now: () => now,
    /** Whom, and how long after `since` at the latest: null when never within a day. */
    told: () => [...notices.values()].filter(({ state }) => state === 'queued'),
  };
}

describe('a clock that is set back by a year', () => {
  it('puts off no step of an alarm by more than its time', () => {
    const at = campus();
    at.raise('rule:smoke-1');
    at.pass(2 * minute);
    at.jump(-year);
    at.pass(6 * minute);
    expect(at.told().map(({ recipient }) => recipient)).toEqual(['duty', 'head']);
    at.pass(40 * minute);
    expect(at.told()).toHaveLength(5);
  });

  it('swallows nothing new of a group that was told before', () => {
    const at = campus();
    at.raise('rule:smoke-1');
    at.pass(5_000);
    // Gathered behind the first one.
    at.raise('rule:smoke-2');
    at.jump(-year);
    at.raise('rule:smoke-3');
    const now = at.now();
    at.pass(minute);
    const forDuty = at.told().filter(({ recipient }) => recipient === 'duty');
    expect(
      forDuty.some(
        ({ notBefore, text, title }) => notBefore <= now + minute && `${title.zh}${text.zh}`.includes('smoke-3'),
      ),
    ).toBe(true);
  });
});
