import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { Alarm } from '#edge/domain/alarm.ts';
import { type ChatterGuard, chatterLimits } from '#edge/rules/alarm-chatter.ts';
import {
  type AlarmContext,
  acknowledgeAlarm,
  applyAlarmDecisions,
  endOrphans,
  type OpenAlarms,
  passAlarmTime,
  shelveAlarm,
  unshelveAlarm,
} from '#edge/rules/alarm-machine.ts';
import { hiddenGrace } from '#edge/rules/alarm-suppression.ts';
import {
  type AlarmCell,
  type AlarmInput,
  alarmCells,
  alarmInputs,
  alarmTableMarkdown,
} from '#edge/rules/alarm-table.ts';
import type { RaiseDecision } from '#edge/rules/decision.ts';
import { testId } from './small-campus.ts';

const now = 1_800_000_000_000;
const words = { zh: '字', en: 'words' };
const source = 'device:meter-1';
const cause = 'process:fieldbus';
const oldEvent = testId();

const raise = (more: Partial<RaiseDecision> = {}): RaiseDecision => ({
  kind: 'raise',
  source,
  class: 'medium',
  message: words,
  next: words,
  reason: 'why',
  event: oldEvent,
  ...more,
});

/** An alarm as it is in a situation, e.g. `Uqs`. */
function alarmIn(situation: string): Alarm | undefined {
  const [letter = '', ...over] = situation;
  const states = { U: 'unacknowledged', A: 'acknowledged', R: 'returned' } as const;
  const state = states[letter as keyof typeof states];
  if (state === undefined) return undefined;
  const has = (mark: string) => over.includes(mark);
  return {
    id: testId(),
    source,
    class: 'medium',
    state,
    active: state !== 'returned',
    message: words,
    next: words,
    reason: 'why',
    event: oldEvent,
    raised: now - 9_000,
    count: 3,
    escalation: { ladder: 'day', step: 1, told: now - 1_000, due: now + 1_000 },
    ...(state === 'acknowledged' ? { acknowledged: { time: now - 5_000, by: 'wang', note: '' } } : {}),
    ...(state === 'returned' ? { returned: now - 4_000 } : {}),
    ...(has('s') ? { shelved: { until: now + 60_000, by: 'lin', reason: 'x' } } : {}),
    ...(has('x') ? { suppressedBy: cause } : {}),
    ...(has('h') ? { chattering: { since: now - 8_000, quiet: null } } : {}),
    ...(has('q') ? { chattering: { since: now - 8_000, quiet: now - 2_000 } } : {}),
  };
}

function situationOf(alarm: Alarm | undefined): string {
  if (alarm === undefined || alarm.state === 'normal') return 'N';
  const letter = { unacknowledged: 'U', acknowledged: 'A', returned: 'R' }[alarm.state];
  const held = alarm.chattering === undefined ? '' : alarm.chattering.quiet === null ? 'h' : 'q';
  return `${letter}${held}${alarm.shelved === undefined ? '' : 's'}${alarm.suppressedBy === undefined ? '' : 'x'}`;
}

/** The cause as it stands; it explains the alarm while it is open. */
const causeAlarm: Alarm = {
  id: testId(),
  source: cause,
  class: 'critical',
  state: 'acknowledged',
  active: true,
  message: words,
  next: words,
  raised: now - 10_000,
  count: 1,
};
const gone = { kind: 'return', source, reason: 'gone' } as const;
const seen = { time: now, by: 'wang', note: '' };
const shelf = { until: now + 120_000, by: 'lin', reason: 'again' };

const guard = (isTooOften: boolean): ChatterGuard => ({
  limits: chatterLimits,
  came: () => {},
  isTooOften: () => isTooOften,
  dropped: 0,
});

const context = (at: number, isOften: boolean): AlarmContext => ({
  now: at,
  newId: testId,
  causesOf: (alarm) => (alarm.source === source ? [cause] : []),
  chatter: guard(isOften),
});

/** What happens to an alarm, with everything around it as the situation has it. */
function feed(
  alarm: Alarm | undefined,
  input: AlarmInput,
): { readonly after: Alarm | undefined; readonly changed: readonly Alarm[] } {
  const isHidden = alarm?.suppressedBy !== undefined;
  const own: [string, Alarm][] = alarm === undefined ? [] : [[source, alarm]];
  const withCause: OpenAlarms = new Map([...own, [cause, causeAlarm]]);
  const alone: OpenAlarms = new Map(own);
  const open = isHidden ? withCause : alone;
  const apply = (...decisions: Parameters<typeof applyAlarmDecisions>[1][number][]) =>
    applyAlarmDecisions(open, decisions, context(now, false));
  const direct = (change: (one: Alarm) => Alarm) => {
    const after = alarm === undefined ? undefined : change(alarm);
    return { after, changed: after === alarm || after === undefined ? [] : [after] };
  };
  const result = (change: { readonly open: OpenAlarms; readonly changed: readonly Alarm[] }) => {
    const changed = change.changed.filter((one) => one.source === source);
    return { after: changed.at(-1) ?? alarm, changed };
  };
  switch (input) {
    case 'raise':
      return result(apply(raise()));
    case 'event':
      return result(apply(raise({ event: testId() })));
    case 'graver': {
      // Graver than its cause is: hidden behind nothing any more.
      const milder: Alarm = { ...causeAlarm, class: 'medium' };
      const around = new Map(open).set(cause, milder);
      return result(applyAlarmDecisions(isHidden ? around : alone, [raise({ class: 'high' })], context(now, false)));
    }
    case 'milder':
      return result(apply(raise({ class: 'low' })));
    case 'return':
      return result(apply(gone));
    case 'flutter':
      return result(applyAlarmDecisions(open, [gone], context(now, true)));
    case 'calm':
      return result(passAlarmTime(without(open, 'shelved'), context(now + chatterLimits.calm - 2_000, true)));
    case 'acknowledge':
      return direct((one) => acknowledgeAlarm(one, seen));
    case 'shelve':
      return direct((one) => shelveAlarm(one, shelf));
    case 'unshelve':
      return direct((one) => unshelveAlarm(one, now));
    case 'expire':
      return result(passAlarmTime(open, context(now + 60_000, false)));
    case 'suppress':
      return result(applyAlarmDecisions(withCause, [], context(now, false)));
    case 'uncover':
      return result(applyAlarmDecisions(alone, [], context(now, false)));
    case 'unsuppress': {
      const uncovered = applyAlarmDecisions(alone, [], context(now, false));
      return result(passAlarmTime(without(uncovered.open, 'none'), context(now + hiddenGrace, false)));
    }
    case 'end': {
      const { changed } = endOrphans(alone, () => false, now);
      return { after: changed[0], changed };
    }
    case 'latch':
      return result(apply());
  }
}

/** Whether a shelf ends is another input. */
function without(open: OpenAlarms, what: 'shelved' | 'none'): OpenAlarms {
  if (what === 'none') return open;
  return new Map(
    [...open].map(([key, alarm]) => [
      key,
      alarm.shelved === undefined ? alarm : { ...alarm, shelved: { ...alarm.shelved, until: now + 3_600_000 } },
    ]),
  );
}

describe('every state and every input of an alarm', () => {
  const of = (cell: AlarmCell) => `${cell.from} + ${cell.input}`;

  it.each(alarmCells.map((cell) => [of(cell), cell.to, cell] as const))('%s becomes %s', (_name, _to, cell) => {
    const before = alarmIn(cell.from);
    expect(situationOf(before)).toBe(cell.from);
    const { after, changed } = feed(before, cell.input);
    expect(situationOf(after)).toBe(cell.to);
    if (cell.isNothing) expect(changed).toEqual([]);
    else expect(changed.length).toBeGreaterThan(0);
    if (cell.isNothing) expect(after).toBe(before);
    if (before === undefined || after === undefined) return expect(after === undefined).toBe(cell.isNothing);
    expect(after.id === before.id).toBe(!cell.isNew);
    expect(after.count).toBe(before.count + (cell.isCounted ? 1 : 0));
    expect(after.came).toBe(cell.isCounted ? now : undefined);
    expect(after.shown !== undefined).toBe(cell.isShownAnew);
    // Who begins anew, or is seen, or is over, is not told any more by the old ladder.
    if (cell.isShownAnew) expect(after.escalation).toBeUndefined();
    if (after.state !== before.state && after.state !== 'unacknowledged') expect(after.escalation?.due).toBeNull();
    expect(after.active).toBe(after.state === 'unacknowledged' || after.state === 'acknowledged');
    const wasSeen = before.acknowledged !== undefined || cell.input === 'acknowledge';
    const isSeen = after.state === 'acknowledged' || (after.state === 'normal' && wasSeen);
    expect(after.acknowledged !== undefined).toBe(isSeen);
    if (after.state === 'normal') {
      expect(after.ended).toBeDefined();
      expect(after).not.toHaveProperty('shelved');
      expect(after).not.toHaveProperty('chattering');
    }
  });

  it('has a cell for each, and each input does something somewhere', () => {
    expect(new Set(alarmCells.map(of)).size).toBe(15 * alarmInputs.length);
    const idle = alarmInputs.filter((input) => alarmCells.every((cell) => cell.input !== input || cell.isNothing));
    expect(idle).toEqual(['latch']);
  });

  it('leads only to situations whose plain part has a row of its own', () => {
    const known = new Set(alarmCells.map(({ from }) => from));
    for (const { to } of alarmCells) expect(known).toContain(/[hq]/.test(to) ? to.replace(/[sx]/g, '') : to);
  });
});

test('the page for people shows this very table', () => {
  const page = readFileSync(new URL('../../../edge/docs/alarms.md', import.meta.url), 'utf8');
  expect(page).toContain(alarmTableMarkdown());
});
