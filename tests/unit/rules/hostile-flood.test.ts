import { describe, expect, it } from 'vitest';
import { AuditGate } from '#edge/commands/audit-gate.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import { JournalGate } from '#edge/processes/core/journal-gate.ts';
import { Desk, holdOf } from '../commands/desk.ts';

/* A rule that chatters for a day: what of it reaches the disk? */

const hour = 3_600_000;

function lineOf(who: string, what: string, n: number): AuditLine {
  return { time: n, who, from: 'core', what, why: 'x', result: `turn ${n}` };
}

describe('a rule that switches an output ten times a second', () => {
  it('writes sixty lines an hour of each kind into the audit, and one that tells of the others', () => {
    const gate = new AuditGate();
    let written = 0;
    const told: AuditLine[] = [];
    for (let n = 0; n < 24 * 36_000; n++) {
      told.push(...gate.settle(n * 100));
      for (const what of [`hold relay-1/relay_1=${n % 2 === 0}`, 'relinquish relay-1/relay_1']) {
        if (gate.admits(lineOf('rule:chatter', what, n))) written++;
      }
    }
    expect(written).toBe(24 * 2 * 60);
    expect(told).toHaveLength(23 * 2);
    expect(told[0]).toMatchObject({
      who: 'rule:chatter',
      what: 'hold relay-1/relay_1=false',
      result: '35940 such lines within an hour, the last: turn 35999',
    });
  });

  it('keeps nobody else’s line out: not of other outputs, of other rules, of people, nor of guests', () => {
    const gate = new AuditGate();
    for (let n = 0; n < 1_000; n++) gate.admits(lineOf('rule:chatter', 'hold relay-1/relay_1=true', n));
    expect(gate.admits(lineOf('rule:chatter', 'hold relay-1/relay_2=true', 0))).toBe(true);
    expect(gate.admits(lineOf('rule:chatter', 'relinquish relay-1/relay_1', 0))).toBe(true);
    expect(gate.admits(lineOf('interlock:fire', 'hold relay-1/relay_1=true', 0))).toBe(true);
    for (const who of ['person:lin', 'token:nightly', 'flows', 'web']) {
      const admitted = Array.from({ length: 500 }, (_, n) => gate.admits(lineOf(who, 'hold relay-1/relay_1=true', n)));
      expect([who, admitted.every(Boolean)]).toEqual([who, true]);
    }
  });

  it('is acted on all the same, and what the audit owes is written when its hour is over', async () => {
    const desk = new Desk();
    for (let n = 0; n < 200; n++) {
      desk.interlock(holdOf('relay-1/relay_1', n % 2 === 0));
      await desk.settle();
    }
    const lines = () => desk.batches.flatMap(({ audit = [] }) => audit).filter(({ what }) => what.startsWith('hold '));
    expect(lines()).toHaveLength(60);
    expect(desk.state('relay-1/relay_1').value).toBe(false);
    await desk.pass(2 * hour);
    expect(lines().at(-1)?.result).toMatch(/^140 such lines within an hour, the last: /);
  });

  it('keeps memory of no more outputs than the gate has room for', () => {
    const gate = new AuditGate({ most: 1 });
    for (let n = 0; n < 60_000; n++) gate.admits(lineOf('rule:wide', `hold relay-${n}/x=true`, n));
    expect(gate.settle(hour).length).toBeLessThanOrEqual(1);
  });

  it('writes a bounded number of lines a minute into the journal, whatever the number of its places', () => {
    const gate = new JournalGate();
    const decision = (n: number): RuleDecision => ({
      time: n,
      rule: 'chatter',
      instance: `chatter@room-${n % 2_000}`,
      version: 1,
      shadow: n % 3 === 0,
      what: 'fired',
      why: 'x',
      saw: [],
      did: [],
    });
    let kept = 0;
    for (let n = 0; n < 60_000; n++) kept += gate.admit([decision(n)], n).length;
    expect(kept).toBeLessThanOrEqual(3_000);
    expect(gate.skipped).toBe(60_000 - kept);
  });
});
