import type { AuditLine } from '#edge/domain/audit.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { AlarmDecision, HoldChange, HoldDecision } from '#edge/rules/decision.ts';
import { maxHolds } from '#edge/rules/priorities.ts';
import { clip } from '#edge/rules/words.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { notWantedAlarm, unknownOutputAlarm } from './alarms.ts';
import { maxReason } from './check-request.ts';
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

/** The holds of interlocks: acted on first, recorded in the same turn. */
export interface InterlockHolds {
  set(changes: readonly HoldChange[]): void;
  adopt(standing: readonly { readonly owner: string; readonly ref: PointRef }[]): void;
}

export function createInterlockHolds(options: InterlockHoldsOptions): InterlockHolds {
  const { clock, recorder, follow, outputs, publish, onAlarm } = options;
  const audit = (line: Pick<AuditLine, 'who' | 'what' | 'why' | 'result'>) =>
    recorder.audit({ ...line, time: clock.now(), from: 'core' });

  const put = (output: Output, { ref, priority, owner, value, reason }: HoldDecision) => {
    const hold = { ref, priority, owner, value, reason: clip(reason, maxReason), since: clock.now(), until: null };
    const result = putHold(output.holds, hold);
    output.holds = result.holds;
    recorder.holdsChanged(ref);
    audit({
      who: owner,
      what: `hold ${ref}=${JSON.stringify(value)} at ${priority}`,
      why: reason,
      result: result.accepted ? 'holding' : `refused: ${maxHolds} stronger holds`,
    });
    if (result.displaced === null) return;
    const who = result.displaced.owner;
    audit({ who, what: `relinquish ${ref}`, why: `more than ${maxHolds} holds`, result: `displaced by ${owner}` });
  };
  const apply = (change: HoldChange): Output | null => {
    const { kind, ref, owner, reason } = change;
    const output = outputs.get(ref);
    if (output === undefined) {
      onAlarm(kind === 'hold' ? unknownOutputAlarm(ref, owner) : notWantedAlarm(ref));
      audit({ who: owner, what: `${kind} ${ref}`, why: reason, result: 'there is no such output' });
    } else if (kind === 'hold') put(output, change);
    else
      follow.drop(
        output,
        output.holds.filter((hold) => hold.owner === owner),
        reason,
      );
    return output ?? null;
  };

  return {
    set: (changes) => {
      const changed = new Set<Output>();
      for (const change of changes) {
        const output = apply(change);
        if (output !== null) changed.add(output);
      }
      for (const output of changed) follow.changed(output);
      if (changes.length > 0) recorder.interlocksChanged();
      recorder.commit();
      for (const output of changed) publish(output);
    },
    adopt: (standing) => {
      const known = new Set(standing.map(({ owner, ref }) => `${owner} ${ref}`));
      for (const output of outputs.values()) {
        const orphans = output.holds.filter(
          ({ owner, ref }) => owner.startsWith('interlock:') && !known.has(`${owner} ${ref}`),
        );
        if (orphans.length === 0) continue;
        follow.drop(output, orphans, 'no interlock stands for it any more');
        follow.changed(output);
        publish(output);
        recorder.interlocksChanged();
      }
      recorder.commit();
    },
  };
}
