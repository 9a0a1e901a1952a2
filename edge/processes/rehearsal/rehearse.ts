import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Condition, Rule, RuleVersion } from '#edge/domain/rule.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import { applyAlarmDecisions, type OpenAlarms } from '#edge/rules/alarm-machine.ts';
import { createCampusIndex } from '#edge/rules/campus-index.ts';
import { compileRule } from '#edge/rules/compile-rule.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import { isAlarmDecision } from '#edge/rules/decision.ts';
import type { Engine, RuleCampus } from '#edge/rules/engine.ts';
import { openReplay, type ReplayPoint } from '#edge/store/replay.ts';
import { type Happenings, readHappenings } from '#edge/store/replay-happenings.ts';
import { type Difference, differencesOf } from './differences.ts';
import { interestsOf } from './interest.ts';
import { CircumstancesThen, LatestThen, type Moment, momentsOf } from './past.ts';
import { Side, type SideReport } from './side.ts';

export interface RehearsalJob {
  /** The data folder. */
  readonly folder: string;
  readonly campus: RuleCampus;
  readonly calendar: Calendar;
  readonly draft: RuleVersion;
  /** What it is compared with; null: nothing. */
  readonly live: RuleVersion | null;
  /** ms since epoch; from <= t < to. */
  readonly from: number;
  readonly to: number;
  /** Looks at every sample, also at those that can change nothing: for the proof that they do not. */
  readonly everySample?: boolean;
  readonly onProgress?: (share: number) => void;
}

export interface RehearsalResult {
  /** Samples of the points that the rules look at; those that could change nothing were passed over. */
  readonly samples: number;
  readonly looked: number;
  readonly draft: SideReport;
  readonly live: SideReport | null;
  readonly differences: readonly Difference[];
  readonly gaps: readonly string[];
}

/** An alarm raised by one turn may be what the rule waits for; as many rounds as core makes. */
const maxRounds = 4;
const hourMs = 3_600_000;
const mostGaps = 50;

/**
 * What a rule would have done in a stretch of the past, told by the very engine that runs rules, from the readings, events, alarms
 * and modes that were stored. Nothing is acted on. The same past gives the same bytes. Throws what the store throws.
 */
export function rehearse(job: RehearsalJob): RehearsalResult {
  const versions = job.live === null ? [job.draft] : [job.draft, job.live];
  // A rule that had stood for an hour at the start of the window must find it standing.
  const begin = job.from - Math.max(hourMs, ...versions.map(({ rule }) => 2 * memoryOf(rule)));
  const points = pointsOf(job, versions);
  const past = readHappenings(job.folder, begin, job.to);
  using replay = openReplay(job.folder, points);
  const latest = new LatestThen(points);
  const actors = versions.map((version) => new Actor(job, version, begin, past, latest));
  let [samples, looked, next] = [0, 0, 0];
  for (const hour of replay.hours(begin, job.to)) {
    if (hour.to > job.from) samples += hour.samples;
    looked += hour.count;
    const first = next;
    while ((past.events[next]?.time ?? Number.POSITIVE_INFINITY) < hour.to) next++;
    const events = past.events.slice(first, next).filter(({ time }) => time >= hour.from);
    latest.moveTo(hour, hour.from);
    for (const moment of momentsOf(hour, points, events)) {
      for (const actor of actors) actor.live(moment, hour);
    }
    for (const actor of actors) actor.passTo(hour.to, hour);
    job.onProgress?.((hour.to - begin) / (job.to - begin));
  }
  const [draft, live = null] = actors.map(({ side }) => side);
  if (draft === undefined) throw new Error('a rehearsal has a draft');
  return {
    samples,
    looked,
    draft: draft.report(),
    live: live?.report() ?? null,
    differences: differencesOf(draft, live, past.commands, job),
    gaps: gapsOf(job, past, replay).slice(0, mostGaps),
  };
}

function pointsOf({ campus, everySample }: RehearsalJob, versions: readonly RuleVersion[]): readonly ReplayPoint[] {
  const index = createCampusIndex(campus);
  const points = interestsOf(versions.flatMap((version) => compileRule(version, index)));
  return everySample === true ? points.map(({ ref }) => ({ ref, classOf: null })) : points;
}

type Hour = Parameters<LatestThen['moveTo']>[0];

/** One version at work in the past. */
class Actor {
  readonly side: Side;
  readonly #engine: Engine;
  readonly #latest: LatestThen;
  readonly #around: CircumstancesThen;
  readonly #isOwn: (source: string) => boolean;
  #open: OpenAlarms = new Map();
  #wakeAt: number | null;
  #ids = 0;

  constructor(job: RehearsalJob, version: RuleVersion, begin: number, past: Happenings, latest: LatestThen) {
    this.side = new Side(version.version, job.from, job.to);
    this.#engine = createEngine({ campus: job.campus, calendar: job.calendar, monotonic: begin });
    this.#engine.put(version);
    this.#latest = latest;
    this.#isOwn = (source) => ruleOfInstance(source.slice(source.indexOf(':') + 1)) === version.rule.id;
    this.#around = new CircumstancesThen(past, this.#isOwn);
    this.#wakeAt = begin;
  }

  live({ time, changed, events }: Moment, hour: Hour): void {
    this.passTo(time, hour);
    this.#turn(time, changed, events, hour);
  }

  /** What time alone brings about before `time`. */
  passTo(time: number, hour: Hour): void {
    for (;;) {
      const due = Math.min(this.#wakeAt ?? Number.POSITIVE_INFINITY, this.#around.next ?? Number.POSITIVE_INFINITY);
      if (due >= time) return;
      this.#turn(Math.max(due, hour.from), [], [], hour);
    }
  }

  #turn(time: number, changed: readonly PointRef[], events: readonly CampusEvent[], hour: Hour): void {
    this.#latest.moveTo(hour, time);
    this.#around.moveTo(time);
    for (let round = 0; round < maxRounds; round++) {
      const outcome = this.#engine.step({
        now: time,
        monotonic: time,
        changed: round === 0 ? changed : [],
        latest: this.#latest,
        events: round === 0 ? events : [],
        openAlarms: this.#alarms(),
        modes: this.#around.modes,
      });
      this.#wakeAt = outcome.wakeIn === null ? null : time + Math.max(1, outcome.wakeIn);
      const alarms = this.#apply(outcome.decisions.filter(isAlarmDecision), time);
      this.side.hear(time, outcome.decisions, outcome.journal, alarms);
      if (alarms.length === 0) return;
    }
  }

  #alarms(): OpenAlarms {
    if (this.#around.alarms.size === 0) return this.#open;
    return new Map([...this.#around.alarms, ...this.#open]);
  }

  #apply(decisions: Parameters<typeof applyAlarmDecisions>[1], now: number): readonly Alarm[] {
    if (decisions.length === 0) return [];
    const newId = () => `rehearsal-${++this.#ids}` as HappeningId;
    const { open, changed } = applyAlarmDecisions(this.#open, decisions, { now, newId, causesOf: () => [] });
    this.#open = open;
    return changed;
  }
}

/** The longest time that a rule looks back, ms. */
function memoryOf(rule: Rule): number {
  const own = Math.max(rule.clearAfter, rule.coolDown, ...[rule.when, ...rule.while].map(reachOf));
  return Math.min(own, 7 * 86_400_000);
}

function reachOf(condition: Condition): number {
  if (condition.kind === 'any' || condition.kind === 'all') return Math.max(...condition.conditions.map(reachOf));
  const held = 'for' in condition ? condition.for : 0;
  return Math.max(held, 'within' in condition ? condition.within : 0);
}

function gapsOf(
  { from, campus, draft, live }: RehearsalJob,
  past: Happenings,
  replay: {
    readonly unknown: readonly string[];
    readonly damaged: readonly { readonly ref: string; readonly hour: number }[];
  },
): string[] {
  const hearsEvents = [draft, live].some((version) => version !== null && asksForEvents(version.rule));
  const known = new Set(campus.devices.flatMap(({ id, points }) => points.map(({ name }) => `${id}/${name}`)));
  return [
    ...replay.unknown.map((ref) => `${ref}: ${known.has(ref) ? 'nothing is stored of it' : 'there is no such point'}`),
    ...replay.damaged.map(({ ref, hour }) => `${ref}: the hour from ${hour} cannot be read`),
    ...past.cut,
    ...(hearsEvents && past.firstEvent !== null && past.firstEvent > from
      ? [`events are kept from ${past.firstEvent} on only`]
      : []),
    ...(hearsEvents && past.firstEvent === null ? ['no events are stored'] : []),
  ];
}

function asksForEvents({ when, while: also }: Rule): boolean {
  const asks = (condition: Condition): boolean => {
    if (condition.kind === 'any' || condition.kind === 'all') return condition.conditions.some(asks);
    return condition.kind === 'event' || (condition.kind === 'count' && 'event' in condition.of);
  };
  return [when, ...also].some(asks);
}
