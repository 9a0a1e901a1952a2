import { TokenBucket } from '#edge/bus/admission.ts';
import type { Hold } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { barring } from '#edge/rules/priorities.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { driftAlarm, workingAgain } from './alarms.ts';
import { maxDrifts } from './delivery.ts';
import { localOwner } from './describe.ts';
import type { Follow } from './follow.ts';
import { startsLoad, strengthOf, type Turns } from './limits.ts';
import { hasLimits, isOn, isSameValue, learn, move } from './movement.ts';
import { type Output, succeeded, type Want, wantedOf } from './output.ts';
import { putHold } from './priority-array.ts';
import type { Recorder } from './recorder.ts';

/*
 * What an output is read to have, though nobody told it: somebody turned the switch, another master wrote to it, or its board
 * lost its supply. A hand is respected where the profile says for how long; everything else is put back.
 *
 * Read-back is told when it changes and only then, and may be older than our last command. So nothing is believed while a
 * command is under way, nor before it has stood for a while, and what was read before a command was confirmed only when the
 * next poll must have come and said otherwise, had it been so.
 */

/** A drift so long after the last one is another story, ms. */
const drifting = 600_000;
/** What a sample may take from the device to here, ms. */
const lag = 2_000;
/** A hand turns a switch a few times; a bad contact does it all day. */
const handsAtOnce = 6;
const handsPerHour = 12;
/** Between two audit lines about a switch that nobody wants anything of, ms. */
const noteEvery = 60_000;

export interface ByHandOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly follow: Follow;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly turns: Turns;
  readonly publish: (output: Output) => void;
  readonly onAlarm: (decision: AlarmDecision) => void;
  /** How long it must be read so before it is believed, ms. */
  readonly debounce: number;
}

export interface ByHand {
  hear(readings: readonly Reading[]): void;
  /** The device has confirmed what it was told. */
  confirmed(output: Output): void;
  /** Acts on what has stood for long enough. */
  tick(): void;
  readonly counters: { readonly localTurns: number; readonly putBack: number };
}

export function createByHand(options: ByHandOptions): ByHand {
  const { clock, recorder, follow, outputs, turns, publish, onAlarm, debounce } = options;
  const hands = new Map<Output, TokenBucket>();
  const notedAt = new Map<Output, number>();
  /** Outputs with something to look at: most never have. */
  const suspects = new Set<Output>();
  const drifters = new Set<Output>();
  let localTurns = 0;
  let putBacks = 0;

  const suspect = (output: Output, value: Value, wait: number) => {
    if (output.contrary !== null && isSameValue(output, output.contrary.value, value)) return;
    output.contrary = { value, due: clock.monotonic() + wait };
    suspects.add(output);
  };
  const hear = (output: Output, { value, quality }: Reading) => {
    if (quality !== 'good' || value === null) {
      output.heard = null;
      output.contrary = null;
      return;
    }
    output.heard = value;
    if (output.flight !== null) return;
    const { moved } = output;
    if (moved.doubt !== null || moved.value === null) {
      if (learn(output, value, clock.monotonic()) && hasLimits(output)) recorder.moved(output.ref);
      output.contrary = null;
    } else if (isSameValue(output, moved.value, value)) output.contrary = null;
    else
      suspect(
        output,
        value,
        output.lastSent + output.rule.verifyWithin + lag > clock.monotonic() ? nextWord(output) : debounce,
      );
  };
  /** By then the device has been read anew, or its value is stale and believed no more. */
  const nextWord = ({ place }: Output) => (place.point.staleAfter === 0 ? debounce : place.point.staleAfter + lag);
  const moveTo = (output: Output, value: Value) => {
    if (move(output, value, clock.monotonic()) && hasLimits(output)) recorder.moved(output.ref);
    output.contrary = null;
  };
  const audit = (output: Output, who: string, what: string, why: string, result: string) =>
    recorder.audit({ time: clock.now(), who, from: output.place.device.id, what, why, result });

  /** Nobody wants anything of it: that is all there is to say. */
  const note = (output: Output, value: Value) => {
    moveTo(output, value);
    output.noted = { value, since: clock.now() };
    const now = clock.monotonic();
    if (now - (notedAt.get(output) ?? Number.NEGATIVE_INFINITY) < noteEvery) return;
    notedAt.set(output, now);
    audit(output, localOwner, `turn ${output.ref}=${JSON.stringify(value)}`, turnedByHand, 'noted: nobody holds it');
  };
  const mayTurn = (output: Output): boolean => {
    const bucket = hands.get(output) ?? new TokenBucket(handsPerHour / 3_600, handsAtOnce, clock);
    hands.set(output, bucket);
    if (bucket.available() < 1) return false;
    bucket.spend(1);
    return true;
  };
  const respect = (output: Output, value: Value, lasts: number): boolean => {
    const now = clock.now();
    const until = now + lasts;
    const { ref } = output;
    const hold: Hold = {
      ref,
      priority: priorities.operator,
      owner: localOwner,
      value,
      reason: turnedByHand,
      since: now,
      until,
    };
    const put = putHold(output.holds, hold);
    if (!put.accepted || put.displaced !== null) return false;
    localTurns++;
    output.holds = put.holds;
    recorder.holdsChanged(ref);
    const what = `hold ${ref}=${JSON.stringify(value)} at ${hold.priority} for ${Math.round(lasts / 1000)} s`;
    audit(output, localOwner, what, turnedByHand, 'holding');
    moveTo(output, value);
    output.want = wantedOf(output, now);
    output.since = now;
    // It is so already, and has been read to be.
    output.pending = false;
    output.toldUntil = until;
    output.confirmed = { value, outcome: 'done', time: now };
    return true;
  };
  const putBack = (output: Output, want: Want, value: Value, why: string) => {
    const now = clock.monotonic();
    putBacks++;
    const inARow = now - output.drifts.last < drifting ? output.drifts.count + 1 : 1;
    output.drifts = { count: inARow, last: now };
    drifters.add(output);
    moveTo(output, value);
    output.confirmed = { value, outcome: 'mismatch', time: clock.now() };
    const what = `put back ${output.ref}=${JSON.stringify(want.value)}`;
    audit(output, want.owner ?? 'process:core', what, why, `it was ${JSON.stringify(value)}`);
    // Two masters that fight wear the contact: ever more rarely.
    if (inARow > 1) output.notBefore = Math.max(output.notBefore, now + Math.min(60_000, 1_000 * 2 ** (inARow - 1)));
    output.pending = true;
    if (inARow < maxDrifts) return;
    if (output.alarmed !== true) onAlarm(driftAlarm(output, want, value, inARow));
    output.alarmed = true;
  };
  const decide = (output: Output, value: Value, isReset: boolean) => {
    const { want, rule, forbids, pending } = output;
    if (want === null) return note(output, value);
    // It waits for its time; that it has another value meanwhile is all that counts.
    if (pending || isSameValue(output, want.value, value)) return moveTo(output, value);
    const { localOverride = 0 } = rule;
    const mayHold = localOverride > 0 && strengthOf(want) > priorities.critical && !isReset;
    if (mayHold && barring(forbids, value, priorities.operator) === null && mayTurn(output)) {
      if (respect(output, value, localOverride)) return;
    }
    putBack(output, want, value, isReset ? 'its device dropped several outputs at once' : turnedByHand);
    if (isReset && startsLoad(output, want)) turns.queue(output, clock.monotonic());
  };

  return {
    hear: (readings) => {
      for (const reading of readings) {
        const output = outputs.get(reading.ref);
        if (output !== undefined) hear(output, reading);
      }
    },
    confirmed: (output) => {
      output.contrary = null;
      const { heard, moved, confirmed, place } = output;
      if (heard === null || confirmed?.outcome !== 'done' || output.flight !== null) return;
      // What is only told when it changes may never be said again.
      if (place.point.staleAfter === 0 || moved.value === null || isSameValue(output, moved.value, heard)) return;
      suspect(output, heard, nextWord(output));
    },
    tick: () => {
      const now = clock.monotonic();
      for (const output of drifters) {
        if (now - output.drifts.last < drifting && output.want !== null) continue;
        drifters.delete(output);
        if (output.drifts.count >= maxDrifts && output.alarmed === true && !output.pending) {
          onAlarm(workingAgain(output));
          output.alarmed = false;
        }
        output.drifts = { ...output.drifts, count: 0 };
      }
      if (suspects.size === 0) return;
      const fallen = fallenTogether(suspects);
      for (const output of suspects) {
        const { contrary, flight, confirmed, want } = output;
        if (contrary === null) {
          suspects.delete(output);
          continue;
        }
        if (flight !== null || now < contrary.due) continue;
        suspects.delete(output);
        // Sound has no read-back, and what the device never took is the retries' business.
        if (want !== null && !output.pending && !(confirmed !== null && isReadBack(confirmed))) output.contrary = null;
        else decide(output, contrary.value, fallen.has(output));
        follow.changed(output);
        publish(output);
      }
    },
    get counters() {
      return { localTurns, putBack: putBacks };
    },
  };
}

const turnedByHand = 'turned on the device itself';

function isReadBack({ outcome }: NonNullable<Output['confirmed']>): boolean {
  return succeeded(outcome) && outcome !== 'sent';
}

/** A hand turns one switch; a board whose supply failed drops all its channels. */
function fallenTogether(suspects: ReadonlySet<Output>): ReadonlySet<Output> {
  const fell = [...suspects].filter(({ contrary, moved }) => {
    return contrary !== null && moved.value !== null && isOn(moved.value) && !isOn(contrary.value);
  });
  const byDevice = Map.groupBy(fell, ({ place }) => place.device.id);
  return new Set([...byDevice.values()].filter((together) => together.length > 1).flat());
}
