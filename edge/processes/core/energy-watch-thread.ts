import { setTimeout as pause } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { EnergyFinding, EnergyPlan } from '#edge/domain/energy.ts';
import { type FindingMemory, findingKey, stepFindings, type Verdict } from '#edge/energy/findings.ts';
import { judgeDay } from '#edge/energy/judge-day.ts';
import { type LocalDay, remembering } from '#edge/energy/local-days.ts';
import { stepFrom } from '#edge/energy/rises.ts';
import { treeOf } from '#edge/energy/tree.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { dayTypeOf } from '#edge/web/energy-context.ts';
import { measuredOf, risesOf } from '#edge/web/energy-rises.ts';
import { createLocalTime } from '#edge/web/local-time.ts';

/*
 * Judges days of all meters, in a thread of its own with its own connection to the store: eight weeks of hours of one meter are some
 * milliseconds of look-ups, and core's loop has none to give. It rests as long as it works: core shares the machine with it.
 */

export interface EnergyWatchWork {
  /** Of the database. */
  readonly folder: string;
  readonly plan: EnergyPlan;
  readonly timeZone: string;
  readonly openingHours: OpeningHours;
  /** Local dates on which people said that it is a holiday. */
  readonly holidays: readonly string[];
  /** Days that are over, ascending. */
  readonly days: readonly LocalDay[];
  /** What is remembered of the days before. */
  readonly memory: FindingMemory;
  /** ms since epoch: nobody knows more than that. */
  readonly now: number;
}

export interface EnergyWatchDone {
  readonly memory: FindingMemory;
  /** Those that stand, dearest first. */
  readonly findings: readonly EnergyFinding[];
  /** Those that stood before and do not any more. */
  readonly ended: readonly EnergyFinding[];
}

/** What is read of so many meters is kept at once: a site may have thousands. */
const metersAtOnce = 8;
/** As far as judging a day looks back, ms. */
const lookBack = 56 * 86_400_000;
const longestRest = 1_000;

/** What each day says of some meters, a slice at a time; days in their order. */
function* judgeSlices(
  work: EnergyWatchWork,
  reader: Pick<Reader, 'history'>,
): Generator<readonly (readonly Verdict[])[]> {
  const { plan, days } = work;
  const [first] = days;
  const last = days.at(-1);
  if (first === undefined || last === undefined) return;
  const tree = treeOf(plan);
  const clock = remembering(createLocalTime(work.timeZone));
  const dayType = dayTypeOf(work.openingHours, work.holidays);
  for (let i = 0; i < plan.meters.length; i += metersAtOnce) {
    const meters = plan.meters.slice(i, i + metersAtOnce);
    const rises = risesOf(reader, plan);
    // Read at once for all days: each of them asks for nearly the same weeks.
    if (days.length > 1) {
      for (const { id } of meters) rises(id, { from: first.from - lookBack, to: last.to }, stepFrom(first.from));
    }
    const about = { rises, clock, dayType, measured: measuredOf(reader, plan, rises) };
    yield days.map((day) => judgeDay({ ...about, day, tree: { ...tree, plan: { ...plan, meters } } }));
  }
}

function stepDays({ plan, memory, now }: EnergyWatchWork, days: readonly (readonly Verdict[])[]): EnergyWatchDone {
  const meters = new Set(plan.meters.map(({ id }) => id));
  const ended = new Map<string, EnergyFinding>();
  let step = stepFindings(memory, [], now, meters);
  for (const one of step.ended) ended.set(findingKey(one), one);
  for (const verdicts of days) {
    // What nobody can say yet may be known with the next look: it is not held against the day.
    const said = verdicts.filter(({ says }) => says !== 'unknown');
    step = stepFindings(step.memory, said, now, meters);
    for (const one of step.ended) ended.set(findingKey(one), one);
    for (const one of step.began) ended.delete(findingKey(one));
  }
  return { memory: step.memory, findings: step.findings, ended: [...ended.values()] };
}

async function serve(port: MessagePort, work: EnergyWatchWork): Promise<void> {
  using reader = openReader(work.folder, new ManualClock(work.now));
  const days: Verdict[][] = work.days.map(() => []);
  let begun = performance.now();
  for (const slice of judgeSlices(work, reader)) {
    for (const [i, verdicts] of slice.entries()) days[i]?.push(...verdicts);
    await pause(Math.min(longestRest, performance.now() - begun));
    begun = performance.now();
  }
  port.postMessage(stepDays(work, days));
}

if (parentPort !== null) await serve(parentPort, workerData as EnergyWatchWork);
