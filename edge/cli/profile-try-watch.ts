import type { Device } from '#edge/domain/device.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Session } from '#edge/drivers/driver.ts';
import {
  type CounterFace,
  type EnergyVerdict,
  judgeEnergy,
  type PowerSample,
} from '#edge/profiles/plausibility-energy.ts';
import { slotOf, toPlain } from '#edge/profiles/plausibility-snapshot.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';

/* Goes on reading a tried meter for some minutes and compares what its counters count with what flows. */

export interface WatchOptions {
  readonly ms: number;
  readonly interval: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, samples: number) => void;
}

const readPatience = 15_000;
/** A day every five seconds. */
const mostSamples = 20_000;

/** Ends early, with what there is, when the signal is aborted. */
export async function watchEnergy(
  session: Session,
  device: Device,
  options: WatchOptions,
): Promise<readonly EnergyVerdict[]> {
  const wanted = device.points.filter((point) => ['power', 'imported', 'exported'].includes(slotOf(point)?.slot ?? ''));
  const samples: PowerSample[] = [];
  const started = systemClock.monotonic();
  const digits = new Map<string, number>();
  while (!options.signal.aborted && samples.length < mostSamples) {
    const before = systemClock.monotonic();
    const said = await within(readPatience, 'reading the device', session.read(wanted, options.signal));
    const after = systemClock.monotonic();
    const sample = powerSample(device, said, (before + after) / 2, digits);
    if (sample !== null) samples.push(sample);
    options.progress(after - started, samples.length);
    if (after - started >= options.ms) break;
    await delay(Math.min(options.interval, options.ms - (after - started)), options.signal);
  }
  return judgeEnergy(samples, facesOf(device, digits));
}

function powerSample(
  { points }: Device,
  said: readonly Sample[],
  time: number,
  digits: Map<string, number>,
): PowerSample | null {
  const numbers = new Map(said.flatMap(({ point, value }) => (typeof value === 'number' ? [[point, value]] : [])));
  const counters = new Map<string, number>();
  const phases: number[] = [];
  let total: number | null = null;
  for (const point of points) {
    const value = numbers.get(point.name);
    const where = slotOf(point);
    if (value === undefined || where === null) continue;
    const plain = value * toPlain(point.unit);
    if (where.slot === 'power' && where.phase === 0) total = plain;
    else if (where.slot === 'power') phases.push(plain);
    else if (where.slot === 'imported' || where.slot === 'exported') {
      counters.set(point.name, plain);
      const [, fraction = ''] = String(value).split('.');
      digits.set(point.name, Math.max(digits.get(point.name) ?? 0, Math.min(6, fraction.length)));
    }
  }
  const watts = total ?? (phases.length === 3 ? phases.reduce((sum, one) => sum + one, 0) : null);
  return watts === null ? null : { time, watts, counters };
}

/** What a counter shows last is the smallest digit that it ever showed. */
function facesOf({ points }: Device, digits: ReadonlyMap<string, number>): CounterFace[] {
  return points.flatMap((point): CounterFace[] => {
    const where = slotOf(point);
    const shownDigits = digits.get(point.name);
    if (where === null || shownDigits === undefined) return [];
    const counts = where.slot === 'exported' ? 'export' : point.name.includes('total') ? 'both' : 'import';
    return [{ point: point.name, counts, step: 10 ** -shownDigits * toPlain(point.unit) }];
  });
}
