import type { Hold } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { workingAgain } from './alarms.ts';
import type { Delivery } from './delivery.ts';
import { startsLoad, type Turns } from './limits.ts';
import { doubt } from './movement.ts';
import { type Output, wantedOf } from './output.ts';
import { splitExpired } from './priority-array.ts';
import type { Recorder } from './recorder.ts';

export interface FollowOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly delivery: Delivery;
  readonly turns: Turns;
  readonly publish: (output: Output) => void;
  readonly onAlarm: (decision: AlarmDecision) => void;
}

/** From changed holds to what is wanted, and on its way. */
export interface Follow {
  /** The holds of an output have changed: sends what follows from it. */
  changed(output: Output): void;
  /** Takes holds away and writes down why; `changed` comes after it. */
  drop(output: Output, gone: readonly Hold[], why: string): void;
  /**
   * What the device was told may be lost: says it again, the strongest first. Loads that start take turns, because the inrush of
   * all of them at once throws the breaker that has just been closed.
   */
  assertAgain(outputs: readonly Output[]): void;
  expire(outputs: Iterable<Output>): void;
  /** Before anything else: what is held waits for its driver. */
  begin(output: Output): void;
  /** Nobody holds it: wants its fail-safe value, if it has one. */
  fallSafe(output: Output): void;
  /** Where nothing is wanted nothing can be wrong: an alarm of the last run ends. */
  calm(output: Output): void;
}

export function createFollow(options: FollowOptions): Follow {
  const { clock, recorder, delivery, turns, publish, onAlarm } = options;

  const nothingWanted = (output: Output) => {
    output.pending = false;
    output.drifts = { ...output.drifts, count: 0 };
    delivery.forget(output);
    if (output.alarmed !== false) onAlarm(workingAgain(output));
    output.alarmed = false;
  };
  const changed = (output: Output) => {
    const before = output.want;
    const want = wantedOf(output, clock.now());
    output.want = want;
    if (before?.value !== want?.value || before?.owner !== want?.owner) output.since = clock.now();
    if (want === null) return nothingWanted(output);
    // Safety asserts its value also where it seems to be so already: somebody may have turned the switch by hand.
    const isSafety = want.priority <= priorities.critical && before?.owner !== want.owner && want.owner !== null;
    if (before?.value !== want.value || isSafety) {
      output.pending = true;
      delivery.renew(output);
    }
    delivery.deliver(output);
  };
  const drop = (output: Output, gone: readonly Hold[], why: string) => {
    output.holds = output.holds.filter((hold) => !gone.includes(hold));
    recorder.holdsChanged(output.ref);
    for (const { owner, value } of gone) {
      const what = `relinquish ${output.ref}`;
      recorder.audit({
        time: clock.now(),
        who: owner,
        from: 'core',
        what,
        why,
        result: `was ${JSON.stringify(value)}`,
      });
    }
  };

  return {
    changed,
    drop,
    assertAgain: (outputs) => {
      const strength = (output: Output) => output.want?.priority ?? Number.POSITIVE_INFINITY;
      const wanting = outputs.filter((output) => output.want !== null);
      const now = clock.monotonic();
      for (const output of outputs) doubt(output, now);
      for (const output of wanting.sort((a, b) => strength(a) - strength(b))) {
        output.pending = true;
        delivery.forget(output);
        delivery.renew(output);
        if (output.want !== null && startsLoad(output, output.want)) turns.queue(output, now);
        delivery.deliver(output);
        publish(output);
      }
    },
    expire: (outputs) => {
      for (const output of outputs) {
        const { expired } = splitExpired(output.holds, clock.now());
        if (expired.length === 0) continue;
        drop(output, expired, 'expired');
        changed(output);
        publish(output);
      }
    },
    begin: (output) => {
      if (output.holds.length === 0) return;
      output.want = wantedOf(output, clock.now());
      output.since = output.holds.find((hold) => hold.owner === output.want?.owner)?.since ?? clock.now();
      output.pending = output.want !== null;
    },
    fallSafe: (output) => {
      if (output.holds.length > 0) return;
      output.want = wantedOf(output, clock.now());
      output.pending = output.want !== null;
    },
    calm: (output) => {
      if (output.want === null) nothingWanted(output);
    },
  };
}
