import { beforeEach, describe, expect, it } from 'vitest';
import type { AskMessage } from '#edge/bus/codec.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import {
  confirmWithin,
  createGuestAsks,
  type GuestAsks,
  type GuestAsksOptions,
  mostFlowAlarms,
} from '#edge/processes/core/guest-asks.ts';
import type { NotifyDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import type { Batch } from '#edge/store/batch.ts';

let clock: ManualClock;
let open: Map<string, Alarm>;
let batches: Batch[];
let told: NotifyDecision[];
let asks: GuestAsks;

const start = (more: Partial<GuestAsksOptions> = {}) =>
  createGuestAsks({
    openAlarms: () => open,
    // What core's judgement does with them, as far as this concerns it.
    judge: (decisions) => {
      for (const decision of decisions) {
        if (decision.kind === 'return') open.delete(decision.source);
        else {
          const { source, class: kind, message, next, reason } = decision;
          const raised = clock.now();
          const id = newHappeningId(clock);
          const stands = { state: 'unacknowledged', active: true, count: 0 } as const;
          open.set(source, { id, source, class: kind, message, next, reason, raised, ...stands });
        }
      }
      return { alarms: [...open.values()] };
    },
    commit: async (batch) => void batches.push(batch),
    notify: (decision) => void told.push(decision),
    clock,
    ...more,
  });

beforeEach(() => {
  clock = new ManualClock(1_800_000_000_000);
  open = new Map();
  batches = [];
  told = [];
  asks = start();
});

const words = (text: string) => ({ zh: text, en: text });
const alarm = (key: string, more: Partial<Extract<AskMessage, { ask: 'alarm' }>> = {}): AskMessage => ({
  ask: 'alarm',
  key,
  class: 'medium',
  message: words('wet floor'),
  next: words('mop it'),
  active: true,
  origin: 'flow:notify/leak/raise',
  ...more,
});
const notify: AskMessage = { ask: 'notify', to: ['duty'], message: words('rain'), origin: 'flow:a/b' };
const audit = () => batches.flatMap((batch) => batch.audit ?? []);

describe('an alarm that a flow asks for', () => {
  it('is raised as flow:<key>, cleared, and each is a line of the audit that names the tab and node', async () => {
    expect(await asks.take('flows', alarm('wet'))).toMatchObject({ accepted: true, outcome: 'raised' });
    expect(open.get('flow:wet')).toMatchObject({ class: 'medium', reason: 'flow:notify/leak/raise' });
    expect(await asks.take('flows', alarm('wet', { active: false }))).toMatchObject({ outcome: 'cleared' });
    expect(open.size).toBe(0);
    expect(audit()).toMatchObject([
      { who: 'client:flows', from: 'flow:notify/leak/raise', what: 'alarm.raise flow:wet (medium)' },
      { who: 'client:flows', from: 'flow:notify/leak/raise', what: 'alarm.clear flow:wet' },
    ]);
  });

  it('costs the disk nothing while it is only said again', async () => {
    await asks.take('flows', alarm('wet'));
    for (let i = 0; i < 20; i++) expect((await asks.take('flows', alarm('wet'))).accepted).toBe(true);
    expect(batches).toHaveLength(1);
    await asks.take('flows', alarm('dry', { active: false }));
    expect(batches).toHaveLength(1);
  });

  it('returns when no flow has confirmed it for a day, and stands for as long as one does', async () => {
    await asks.take('flows', alarm('left'));
    await asks.take('flows', alarm('kept'));
    for (let hour = 0; hour < 25; hour++) {
      clock.advance(3_600_000);
      await asks.take('flows', alarm('kept'));
      asks.tick();
    }
    expect([...open.keys()]).toEqual(['flow:kept']);
  });

  it('of before a restart gets a day from the restart on', () => {
    const before = start();
    open.set('flow:old', { ...rowOf('flow:old') });
    open.set('interlock:smoke', { ...rowOf('interlock:smoke') });
    before.tick();
    clock.advance(confirmWithin - 1);
    before.tick();
    expect(open.size).toBe(2);
    clock.advance(2);
    before.tick();
    expect([...open.keys()]).toEqual(['interlock:smoke']);
  });

  it('is one of fifty at most', async () => {
    for (let i = 0; i < mostFlowAlarms; i++) {
      expect((await asks.take('flows', alarm(`a${i}`))).accepted).toBe(true);
      clock.advance(10_000);
    }
    expect(await asks.take('flows', alarm('more'))).toMatchObject({ accepted: false, outcome: 'too-many-alarms' });
    expect(await asks.take('flows', alarm('a3', { class: 'low' }))).toMatchObject({ accepted: true });
  });

  it('that flaps is slowed down: sixty changes, then one in five seconds', async () => {
    const outcomes: string[] = [];
    for (let i = 0; i < 100; i++)
      outcomes.push((await asks.take('flows', alarm('flap', { active: i % 2 === 0 }))).outcome);
    expect(outcomes.filter((outcome) => outcome === 'busy').length).toBeGreaterThan(15);
    expect(audit()).toHaveLength(60);
  });
});

describe('words for people', () => {
  it('are queued in the name of the tab and node, at most twenty and then one a minute', async () => {
    const outcomes: string[] = [];
    for (let i = 0; i < 25; i++) outcomes.push((await asks.take('flows', notify)).outcome);
    expect(outcomes).toEqual([...Array(20).fill('queued'), ...Array(5).fill('busy')]);
    clock.advance(60_000);
    expect((await asks.take('flows', notify)).outcome).toBe('queued');
    expect(told).toHaveLength(21);
    expect(told[0]).toEqual({ kind: 'notify', about: 'flow:a/b', to: ['duty'], message: words('rain') });
    expect(audit()[0]).toMatchObject({ what: 'notify duty', from: 'flow:a/b' });
  });

  it('are refused in words where nobody is told', async () => {
    const lonely = createGuestAsks({
      openAlarms: () => open,
      judge: () => ({}),
      commit: async () => {},
      clock,
    });
    expect(await lonely.take('flows', notify)).toMatchObject({ accepted: false, outcome: 'nobody-is-told' });
  });
});

it('makes an event of what the flows process reports of budgets', async () => {
  await asks.take('flows', { ask: 'report', state: 'halted', message: 'takes 90 % of a core', origin: 'flow:x/y' });
  expect(batches[0]?.events).toMatchObject([
    { type: 'flow_over_budget', active: true, data: { flow: 'flow:x/y', state: 'halted' } },
  ]);
});

it('takes nothing from other clients', async () => {
  for (const ask of [alarm('x'), notify]) {
    expect(await asks.take('button-1', ask)).toMatchObject({ accepted: false, outcome: 'forbidden-ask' });
  }
  expect(batches).toEqual([]);
});

it('says so when the disk refuses, and goes on', async () => {
  const full = start({ commit: () => Promise.reject(new Error('no space')) });
  expect(await full.take('flows', alarm('wet'))).toMatchObject({ accepted: false, outcome: 'not-recorded' });
  expect(open.has('flow:wet')).toBe(true);
});

function rowOf(source: string): Alarm {
  const id = newHappeningId(clock);
  const text = { message: words('m'), next: words('n') };
  return { id, source, class: 'low', state: 'acknowledged', active: true, count: 0, raised: 0, ...text };
}
