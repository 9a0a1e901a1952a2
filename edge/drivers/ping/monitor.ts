import type { DeviceId } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Probed, Probes } from './probes.ts';
import type { Target } from './targets.ts';

export interface MonitorOptions {
  readonly hosts: readonly { readonly device: DeviceId; readonly target: Target }[];
  /** Between two rounds of one device, ms. */
  readonly period: number;
  readonly probes: Probes;
  readonly clock: Clock;
  readonly heard: (device: DeviceId, target: Target, probed: Probed) => void;
}

const tick = 250;
/** The first round is over soon after a start, however long the period is, ms. */
const firstWithin = 10_000;

/** Probes every host of the campus again and again, spread over the period. A round that takes longer delays the next. */
export function startMonitor({ hosts, period, probes, clock, heard }: MonitorOptions): Disposable {
  const start = clock.monotonic();
  const turns = hosts.map((host, i) => ({
    ...host,
    // The golden ratio spreads any number of hosts evenly.
    due: start + ((i * 0.618_034) % 1) * Math.min(period, firstWithin),
    place: (i * 0.618_034) % 1,
    isFirst: true,
    isRunning: false,
  }));
  return new Ticker(tick, () => {
    const now = clock.monotonic();
    for (const turn of turns) {
      if (turn.isRunning || turn.due > now) continue;
      turn.isRunning = true;
      turn.due = now + (turn.isFirst ? period * (0.5 + 0.5 * turn.place) : period);
      turn.isFirst = false;
      void probes.probe(turn.target).then((probed) => {
        turn.isRunning = false;
        heard(turn.device, turn.target, probed);
      });
    }
  });
}
