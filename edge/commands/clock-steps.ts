import type { Hold } from '#edge/domain/output.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { hasLimits } from './movement.ts';
import type { Output } from './output.ts';
import type { Recorder } from './recorder.ts';

/** A smaller difference is the usual discipline of a clock, ms. */
const smallest = 1_000;

export interface ClockStepsOptions {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly publish: (output: Output) => void;
}

/**
 * Holds last for a time; `until` is only how that is said. When the wall clock is set (a dead battery, the first NTP answer) what
 * is held moves with it: else an evacuation would fall silent, and a lamp burn for a day.
 */
export function createClockSteps({ clock, recorder, outputs, publish }: ClockStepsOptions): { follow(): void } {
  const offset = () => clock.now() - clock.monotonic();
  let known = offset();
  return {
    follow: () => {
      const step = offset() - known;
      if (Math.abs(step) < smallest) return;
      known += step;
      for (const output of outputs.values()) {
        shift(output, step);
        if (output.holds.length > 0) recorder.holdsChanged(output.ref);
        // Times on disk are of the old clock.
        if (hasLimits(output)) recorder.moved(output.ref);
        publish(output);
      }
      const what = `clock.step ${Math.round(step / 1000)} s`;
      const why = 'the wall clock was set';
      recorder.audit({
        time: clock.now(),
        who: 'process:core',
        from: 'core',
        what,
        why,
        result: 'holds go on as long',
      });
      recorder.commit();
    },
  };
}

function shift(output: Output, step: number): void {
  const moved = (hold: Hold): Hold => ({
    ...hold,
    since: hold.since + step,
    until: hold.until === null ? null : hold.until + step,
  });
  output.holds = output.holds.map(moved);
  if (output.staged !== null) output.staged = moved(output.staged);
  output.forbids = output.forbids.map((forbid) => ({ ...forbid, since: forbid.since + step }));
  output.since += step;
  if (output.want !== null && output.want.until !== null)
    output.want = { ...output.want, until: output.want.until + step };
  if (output.noted !== null) output.noted = { ...output.noted, since: output.noted.since + step };
}
