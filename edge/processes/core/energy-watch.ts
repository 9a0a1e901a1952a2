import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { Device } from '#edge/domain/device.ts';
import type { EnergyFinding, EnergyPlan } from '#edge/domain/energy.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import { stepFindings } from '#edge/energy/findings.ts';
import { dayAt, daysOf, type LocalClock, type LocalDay, minuteOfDay, remembering } from '#edge/energy/local-days.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay, Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { judgeInThread } from './energy-watch-judge.ts';
import { type EnergyWatchMemory, energyWatchState, findingSource, readMemory } from './energy-watch-memory.ts';
import type { EnergyWatchDone } from './energy-watch-thread.ts';
import { findingAlarm } from './energy-watch-words.ts';

/*
 * Looks at every meter of the plan day by day and tells people what is odd (energy/findings.ts). A day is looked at when it is over, and
 * again every hour until the next one is: samples come late, and people decide about counters. What was missed is made up for.
 */

export interface EnergyWatchOptions {
  readonly plan: EnergyPlan;
  readonly devices: readonly Device[];
  /** Of the database. */
  readonly data: string;
  readonly timeZone: string;
  readonly openingHours: OpeningHours;
  /** What was stored under `energyWatchState`. */
  readonly stored: unknown;
  /** Modes that are on. */
  readonly modes: () => ReadonlySet<string>;
  readonly healths: () => readonly DeviceHealth[];
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** Owed to the disk when it refuses. */
  readonly commit: (batch: Batch) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Until the first look and between two, ms; default a quarter of an hour and an hour. */
  readonly times?: { readonly first: number; readonly every: number };
  readonly judge?: typeof judgeInThread;
}

const usualTimes = { first: 15 * 60_000, every: 3_600_000 };
const minute = 60_000;
const dayMs = 86_400_000;
/** Further back than the memory of findings reaches nothing is made up for. */
const mostDays = 7;
/** The mode of the site file that makes any day one without lessons, when it is on between these minutes of the day. */
const holiday = 'holiday';
const lessons = { from: 8 * 60, to: 16 * 60 };
const keptHolidays = 100;
/** In these states of a device its own alarm says what is wrong with its meter. */
const silent: ReadonlySet<DeviceHealth['state']> = new Set(['offline', 'held', 'misconfigured']);

export class EnergyWatch implements AsyncDisposable {
  readonly #options: EnergyWatchOptions;
  readonly #local: LocalClock;
  readonly #ending = new AbortController();
  readonly #ticker: Ticker;
  #memory: EnergyWatchMemory;
  #findings: readonly EnergyFinding[];
  /** By source: the end of the stretch that was told last. */
  readonly #told = new Map<string, number>();
  #looking: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: EnergyWatchOptions) {
    const { plan, timeZone, stored, clock } = options;
    this.#options = options;
    this.#local = remembering(createLocalTime(timeZone));
    this.#memory = readMemory(stored);
    const meters = new Set(plan.meters.map(({ id }) => id));
    this.#findings = stepFindings(this.#memory.findings, [], clock.now(), meters).findings;
    this.#ticker = new Ticker(minute, () => this.tick());
    if (plan.meters.length > 0) this.#looking = this.#keepLooking();
  }

  /** What stands, dearest first. */
  findings(): readonly EnergyFinding[] {
    return this.#findings;
  }

  /** Local dates without lessons, by the mode that people set; ascending. */
  holidays(): readonly string[] {
    return this.#memory.holidays;
  }

  /** About once a minute: takes down holidays, and tells what could not be told while a meter was silent. */
  tick(): void {
    if (this.#options.modes().has(holiday)) this.#noteHoliday();
    this.#tell();
  }

  /** Looks at the days that are over and were not looked at, and at the last one anyway. Never rejects. */
  async look(): Promise<void> {
    const { judge = judgeInThread, plan, data, timeZone, openingHours, clock, log } = this.#options;
    const now = clock.now();
    const days = this.#daysToJudge(now);
    const { holidays, findings: memory } = this.#memory;
    try {
      const work = { plan, folder: data, timeZone, openingHours, holidays, memory, days, now };
      const done = await judge(work, this.#ending.signal);
      if (this.#isFailing) log.info({}, 'energy is looked at again');
      this.#isFailing = false;
      this.#take(done, days.at(-1)?.to ?? 0);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      // A bulkhead: reading history may fail for reasons that have alarms of their own (the store's). The next look makes up for it.
      if (!this.#isFailing) log.error({ error: messageOf(error) }, 'energy could not be looked at');
      this.#isFailing = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticker[Symbol.dispose]();
    this.#ending.abort();
    await this.#looking;
  }

  async #keepLooking(): Promise<void> {
    const { first, every } = this.#options.times ?? usualTimes;
    const { signal } = this.#ending;
    await delay(first, signal);
    while (!signal.aborted) {
      await this.look();
      await delay(every, signal);
    }
  }

  #daysToJudge(now: number): readonly LocalDay[] {
    const today = dayAt(this.#local, now);
    const earliest = this.#local.dayStart(today.from - mostDays * dayMs + dayMs / 2);
    const { judged } = this.#memory;
    // A clock that was put back: what was judged lies ahead, and says nothing about what is over now.
    const from = judged > today.from ? earliest : Math.max(judged, earliest);
    const missed = daysOf(this.#local, { from, to: today.from });
    return missed.length > 0 ? missed : [dayAt(this.#local, today.from - dayMs / 2)];
  }

  #take({ memory, findings, ended }: EnergyWatchDone, judged: number): void {
    const { decide, commit } = this.#options;
    this.#memory = { ...this.#memory, findings: memory, judged };
    this.#findings = findings;
    const sources = ended.map(findingSource);
    for (const source of sources) this.#told.delete(source);
    const reason = 'it has been as usual, or nobody could say for a week';
    if (sources.length > 0) decide(sources.map((source) => ({ kind: 'return', source, reason })));
    commit({ state: { [energyWatchState]: this.#memory } });
    this.#tell();
  }

  /** Raises what stands, with its newest figures; nothing new about a meter that is silent itself. */
  #tell(): void {
    const { plan, devices, healths, decide } = this.#options;
    const news = this.#findings.filter((one) => this.#told.get(findingSource(one)) !== one.to);
    if (news.length === 0) return;
    const down = new Set<string>(healths().flatMap(({ device, state }) => (silent.has(state) ? [device] : [])));
    const alarms = news.flatMap((finding): AlarmDecision[] => {
      const meter = plan.meters.find(({ id }) => id === finding.meter);
      if (meter === undefined) return [];
      const id = meter.source.kind === 'real' ? meter.source.device : null;
      if (id !== null && down.has(id)) return [];
      this.#told.set(findingSource(finding), finding.to);
      return [findingAlarm(finding, meter, devices.find((device) => device.id === id)?.zone)];
    });
    if (alarms.length > 0) decide(alarms);
  }

  #noteHoliday(): void {
    const now = this.#options.clock.now();
    const at = minuteOfDay(this.#local, now);
    if (at < lessons.from || at >= lessons.to) return;
    const { date } = this.#local.date(now);
    const { holidays } = this.#memory;
    if (holidays.includes(date)) return;
    this.#memory = { ...this.#memory, holidays: [...holidays, date].sort().slice(-keptHolidays) };
    this.#options.commit({ state: { [energyWatchState]: this.#memory } });
  }
}
