import type { AuditLine } from '#edge/domain/audit.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { type Hold, priorities } from '#edge/domain/output.ts';
import type { AlarmDecision, ForbidDecision, HoldChange, HoldDecision } from '#edge/rules/decision.ts';
import { maxHolds } from '#edge/rules/priorities.ts';
import { clip } from '#edge/rules/words.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { notWantedAlarm, unknownOutputAlarm } from './alarms.ts';
import { maxReason } from './check-request.ts';
import { localOwner } from './describe.ts';
import type { Follow } from './follow.ts';
import type { Output } from './output.ts';
import { putHold } from './priority-array.ts';
import type { Recorder } from './recorder.ts';

export interface InterlockHoldsOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly follow: Follow;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly publish: (output: Output) => void;
  readonly onAlarm: (decision: AlarmDecision) => void;
}

/** What readers of an output's state take. */
const maxForbids = 64;
/** A hold that is said again, this much later, is the same, ms. */
const sameUntil = 1_000;

/** What the rules hold and forbid: acted on first, recorded in the same turn. */
export interface InterlockHolds {
  set(changes: readonly HoldChange[]): void;
  adopt(standing: readonly { readonly owner: string; readonly ref: PointRef }[]): void;
}

export function createInterlockHolds(options: InterlockHoldsOptions): InterlockHolds {
  const { clock, recorder, follow, outputs, publish, onAlarm } = options;
  const audit = (line: Pick<AuditLine, 'who' | 'what' | 'why' | 'result'>) =>
    recorder.audit({ ...line, time: clock.now(), from: 'core' });

  const put = (output: Output, { ref, priority, owner, value, reason, lasts, rank, since }: HoldDecision) => {
    const now = clock.now();
    const until = lasts === null ? null : now + lasts;
    const told = { ref, priority, owner, value, reason: clip(reason, maxReason), since: since ?? now, until };
    const hold = rank === undefined ? told : { ...told, rank };
    if (output.holds.some((one) => isSame(one, hold))) return;
    // Safety asserts its own value: the hand that turned the switch has been overruled.
    if (priority <= priorities.critical) dropLocal(output, hold);
    const result = putHold(output.holds, hold);
    output.holds = result.holds;
    recorder.holdsChanged(ref);
    const how = lasts === null ? '' : ` for ${Math.round(lasts / 1000)} s`;
    audit({
      who: owner,
      what: `hold ${ref}=${JSON.stringify(value)} at ${priority}${how}`,
      why: reason,
      result: result.accepted ? 'holding' : `refused: ${maxHolds} stronger holds`,
    });
    if (result.displaced === null) return;
    const who = result.displaced.owner;
    audit({ who, what: `relinquish ${ref}`, why: `more than ${maxHolds} holds`, result: `displaced by ${owner}` });
  };
  const dropLocal = (output: Output, { owner, value }: Hold) => {
    const overruled = output.holds.filter((one) => one.owner === localOwner && one.value !== value);
    if (overruled.length > 0) follow.drop(output, overruled, `${owner} holds it`);
  };
  const forbid = (output: Output, { ref, priority, owner, value, reason }: ForbidDecision) => {
    const others = output.forbids.filter((one) => one.owner !== owner || one.value !== value);
    const before = output.forbids.find((one) => !others.includes(one));
    if (before?.priority === priority) return;
    const hasRoom = others.length < maxForbids;
    if (hasRoom) {
      const mine = { ref, priority, owner, value, reason: clip(reason, maxReason), since: clock.now() };
      output.forbids = [...others, mine];
    }
    audit({
      who: owner,
      what: `forbid ${ref}=${JSON.stringify(value)} below ${priority}`,
      why: reason,
      result: hasRoom ? 'forbidden' : `refused: ${maxForbids} others forbid something`,
    });
  };
  const permit = (output: Output, owner: string, reason: string) => {
    for (const { ref, value } of output.forbids.filter((one) => one.owner === owner)) {
      audit({ who: owner, what: `permit ${ref}=${JSON.stringify(value)}`, why: reason, result: 'permitted' });
    }
    output.forbids = output.forbids.filter((one) => one.owner !== owner);
  };
  const apply = (change: HoldChange): Output | null => {
    const { kind, ref, owner, reason } = change;
    const output = outputs.get(ref);
    if (output === undefined) {
      if (kind === 'hold') onAlarm(unknownOutputAlarm(ref, owner));
      if (kind === 'relinquish') onAlarm(notWantedAlarm(ref));
      audit({ who: owner, what: `${kind} ${ref}`, why: reason, result: 'there is no such output' });
      return null;
    }
    if (kind === 'hold') put(output, change);
    else if (kind === 'forbid') forbid(output, change);
    else if (kind === 'permit') permit(output, owner, reason);
    else {
      const mine = output.holds.filter((hold) => hold.owner === owner);
      if (mine.length > 0) follow.drop(output, mine, reason);
    }
    return output;
  };

  return {
    set: (changes) => {
      const changed = new Set<Output>();
      for (const change of changes) {
        const output = apply(change);
        if (output !== null) changed.add(output);
      }
      for (const output of changed) follow.changed(output);
      recorder.commit();
      for (const output of changed) publish(output);
    },
    adopt: (standing) => {
      const known = new Set(standing.map(({ owner, ref }) => `${owner} ${ref}`));
      for (const output of outputs.values()) {
        const orphans = output.holds.filter(({ owner, ref }) => isRule(owner) && !known.has(`${owner} ${ref}`));
        if (orphans.length === 0) continue;
        follow.drop(output, orphans, 'no interlock stands for it any more');
        follow.changed(output);
        publish(output);
      }
      recorder.commit();
    },
  };
}

function isSame(a: Hold, b: Hold): boolean {
  const isAsLong = a.until === b.until || Math.abs((a.until ?? Number.NaN) - (b.until ?? Number.NaN)) < sameUntil;
  return a.owner === b.owner && a.value === b.value && a.priority === b.priority && a.rank === b.rank && isAsLong;
}

function isRule(owner: string): boolean {
  return owner.startsWith('interlock:') || owner.startsWith('rule:');
}
