import {
  type Emergency,
  type EmergencyAct,
  type EmergencyCause,
  type EmergencyKind,
  type EmergencyOrigin,
  emergencyKinds,
} from '#edge/domain/emergency.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Batch } from '#edge/store/batch.ts';
import { causeOf, isSameWord, isTwin, reopened, rulesOf, untilOf, withCause } from './emergency-causes.ts';
import { EmergencyEnds } from './emergency-ends.ts';
import { type Interjection, interjected } from './emergency-interjection.ts';
import type { EmergencyPlan } from './emergency-plans.ts';
import { called, type EmergencyRoom, type RollWord, rollOf } from './emergency-roll.ts';
import { EmergencySounds, type EmergencySoundsOptions } from './emergency-sounds.ts';
import { alarmOf, alarmSource, isAlarming, withLine, withLines } from './emergency-words.ts';

/*
 * Emergencies and their exercises: begun by a person, a rule, a warning or a terminal; what sounds goes through the arbiter; who is accounted
 * for, what was done and what was said is a timeline that nobody can change. A machine takes back only what it asked for itself.
 */

export interface EmergencyDeskOptions extends EmergencySoundsOptions {
  readonly zones: readonly ZoneId[];
  /** All rooms of the campus, for the roll-call. */
  readonly rooms: readonly EmergencyRoom[];
  /** Those that had not been ended, as they were stored. */
  readonly stored: readonly Emergency[];
  /** Owed to the disk when it refuses; never refused. */
  readonly commit: (batch: Batch) => void;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** Ends what a rule holds, when its cause is over; a sentence when it is not. */
  readonly resetRule: (rule: string, why: string) => string | null;
  /** What a rule still stands for; '': nothing. */
  readonly standing: (rule: string) => string;
  readonly onChange: (open: number) => void;
  /** One is over. */
  readonly onEnd: (one: Emergency) => void;
}

export interface EmergencyWish {
  readonly kind: EmergencyKind;
  readonly drill: boolean;
  /** null: where the plan of its kind says. */
  readonly zones: 'all' | readonly ZoneId[] | null;
  readonly why: string;
  readonly origin: EmergencyOrigin;
  readonly by: string;
  readonly from: string;
  readonly until?: number | null;
  /** false: it is shown and told, and does not sound (a rule sounds by itself). */
  readonly sounds: boolean;
  /** In place of the plan's. */
  readonly name?: Name;
}

export interface EmergencyActor {
  readonly who: string;
  readonly from: string;
}

type AuditLine = NonNullable<Batch['audit']>[number];

const mostOpen = 20;

export class EmergencyDesk implements Disposable {
  readonly #options: EmergencyDeskOptions;
  readonly #open = new Map<HappeningId, Emergency>();
  readonly #sounds: EmergencySounds;
  readonly #ends: EmergencyEnds;
  readonly #timer: Ticker;
  /** What sounded before the start and is not known to the arbiter has been lost, and sounds again. */
  #isFirstLook = true;
  readonly #failed = new Set<HappeningId>();

  constructor(options: EmergencyDeskOptions) {
    this.#options = options;
    this.#sounds = new EmergencySounds(options);
    this.#ends = new EmergencyEnds(options.clock);
    for (const one of options.stored) if (one.cleared === null) this.#open.set(one.id, reopened(one));
    for (const one of this.#open.values()) this.#ends.hear(one);
    this.#timer = new Ticker(1_000, () => this.tick());
  }

  get open(): readonly Emergency[] {
    return [...this.#open.values()].toSorted((a, b) => b.since - a.since);
  }

  isSource(source: string): boolean {
    const prefix = alarmSource('');
    return source.startsWith(prefix) && this.#open.has(source.slice(prefix.length) as HappeningId);
  }

  /** Once, when alarms stand again: `active` are those of emergencies. What one has the other has, too. */
  restored(active: readonly string[]): void {
    const standing = new Set(active);
    const missing = this.open.filter((one) => isAlarming(one) && !standing.has(alarmSource(one.id)));
    const over = active.filter((source) => !this.isSource(source));
    const decisions: AlarmDecision[] = [
      ...missing.map(alarmOf),
      ...over.map((source) => ({ kind: 'return' as const, source, reason: 'it had been ended' })),
    ];
    if (decisions.length > 0) this.#options.decide(decisions);
    this.#sounds.restored(this.open);
    this.tick();
  }

  plans(): readonly (EmergencyPlan & { readonly problem: string | null; readonly mayDrill: boolean })[] {
    const { sound, drillWord } = this.#options;
    const plans = this.#sounds.plans();
    return emergencyKinds.map((kind) => {
      const plan = plans[kind];
      const missing = plan.clips.find((clip) => !sound.hasClip(clip));
      const problem = plan.clips.length === 0 ? 'no clip is set up for it' : (missing ?? null);
      return { ...plan, problem, mayDrill: drillWord !== null || plan.clips.length === 0 };
    });
  }

  /** What rules still stand for; '': nothing is in the way of the all clear. */
  standingOf({ causes }: Emergency): string {
    return rulesOf(causes)
      .map((rule) => this.#options.standing(rule))
      .filter((words) => words !== '')
      .join('; ');
  }

  /** Acts in this turn. Throws EMERGENCY_SILENT: an exercise cannot say that it is one. */
  begin(wish: EmergencyWish): { readonly emergency: Emergency; readonly joined: boolean } {
    const plan = this.#sounds.plans()[wish.kind];
    if (wish.drill && this.#options.drillWord === null && plan.clips.length > 0)
      throw new CodedError('EMERGENCY_SILENT', 'there is no clip that says that it is an exercise');
    if (wish.drill) this.#refuseBesideReal();
    const where = wish.zones ?? plan.zones;
    const zones = where === 'all' ? this.#options.zones : [...new Set(where)];
    const twin = this.open.find((one) => isTwin(one, wish));
    if (twin !== undefined) return { emergency: this.#join(twin, wish, zones, plan), joined: true };
    this.#refuseFlood(wish);
    if (!wish.drill) this.#silenceDrills(wish);
    const now = this.#options.clock.now();
    const cause: EmergencyCause = { origin: wish.origin, by: wish.by, until: wish.until ?? null };
    const emergency: Emergency = {
      ...{ id: newHappeningId(this.#options.clock), kind: wish.kind, name: wish.name ?? plan.name, drill: wish.drill },
      ...{ origin: wish.origin, causes: [cause], zones, since: now, cleared: null, by: wish.by, why: wish.why },
      ...{ items: [], silent: [] },
      steps: plan.steps.map((text) => ({ text, done: null })),
      roll: rollOf(this.#options.rooms, zones),
      timeline: [{ time: now, act: 'began', who: wish.by, text: wish.why }],
      until: cause.until,
    };
    const begun = wish.sounds ? this.#sounds.begun(emergency, zones, plan, wish.by) : emergency;
    const what = `crisis.begin ${wish.kind}${wish.drill ? ' drill' : ''}`;
    this.#keep(begun, { time: now, who: wish.by, from: wish.from, what, why: wish.why, result: begun.id });
    if (isAlarming(begun)) this.#options.decide([alarmOf(begun)]);
    return { emergency: begun, joined: false };
  }

  /** A person ends it, whoever asked for it. `message`: what still stands. Throws EMERGENCY_NOT_FOUND. */
  clear(
    id: string,
    why: string,
    { who, from }: EmergencyActor,
  ): { readonly cleared: boolean; readonly message: string } {
    const one = this.#find(id);
    const refused = new Map(
      rulesOf(one.causes).flatMap((rule): [string, string][] => {
        const words = this.#options.resetRule(rule, why);
        return words === null ? [] : [[rule, words]];
      }),
    );
    if (refused.size > 0) {
      const message = [...refused.values()].join('; ');
      // Rules that could be reset ask for it no more, and begin anew when they fire again.
      const causes = one.causes.filter(({ origin }) => origin.kind !== 'rule' || refused.has(origin.rule));
      this.#keep(
        this.#told({ ...one, causes, until: untilOf(causes) }, 'goes-on', who, message),
        auditOf({ who, from }, this.#options.clock.now(), `crisis.clear ${one.id} refused`, why, message.slice(0, 300)),
      );
      return { cleared: false, message };
    }
    this.#end(one, who, from, why, true);
    return { cleared: true, message: '' };
  }

  /**
   * Who had asked for it does not any more: a warning was cancelled, its time is over, the terminal took it back. It ends when nobody
   * else asks for it. `isSaid`: with an all clear aloud. Answers how many ended.
   */
  endOf(matches: (origin: EmergencyOrigin) => boolean, who: string, why: string, isSaid = false): number {
    const found = this.open.filter(({ causes }) => causes.some(({ origin }) => matches(origin)));
    return found.filter((one) => this.#lose(one, ({ origin }) => matches(origin), who, why, isSaid)).length;
  }

  /** Silence for a moment of listening, or sound again; it stays an emergency. Throws EMERGENCY_NOT_FOUND, EMERGENCY_HELD. */
  sounds(id: string, isOn: boolean, why: string, { who, from }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const standing = this.standingOf(one);
    if (!isOn && standing !== '') throw new CodedError('EMERGENCY_HELD', `it cannot be silenced here: ${standing}`);
    const what = `crisis.sounds ${id} ${isOn ? 'on' : 'off'}`;
    const line = { time: this.#options.clock.now(), who, from, what, why };
    const mute = one.items.length === 0 ? one.zones : one.silent;
    if (isOn && mute.length === 0) return one;
    if (isOn && one.drill) this.#refuseBesideReal();
    const next = isOn
      ? this.#sounds.begun(one, mute, this.#sounds.plans()[one.kind], who)
      : this.#told(this.#sounds.silenced(one, who, why), 'sounds-stopped', who, why);
    return this.#keep(next, { ...line, result: next.items.join(' ') });
  }

  /** Clips once in the midst of it. false: it is over or silent, or another one of its strength sounds, whose place it must not lose. */
  interject(id: string, clips: readonly string[], said: Interjection): boolean {
    const one = this.#open.get(id as HappeningId);
    if (one === undefined || one.drill) return false;
    const plans = this.#sounds.plans();
    const isEqual = (each: Emergency) => each.id !== id && plans[each.kind].class === plans[one.kind].class;
    if (this.open.some((each) => isEqual(each) && each.items.length > 0)) return false;
    const items = interjected(one, clips, said, plans[one.kind], this.#options);
    if (items !== null) this.#keep(this.#told({ ...one, items }, 'said', 'core', said.text));
    return items !== null;
  }

  roll(id: string, words: readonly RollWord[], { who, from }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const time = this.#options.clock.now();
    const { roll, lines } = called(one, words, { who, time });
    const result = lines.map(({ text }) => text).join(' | ');
    return this.#keep(
      withLines({ ...one, roll }, lines),
      auditOf({ who, from }, time, `crisis.roll ${id}`, '', result.slice(0, 300)),
    );
  }

  step(id: string, index: number, isDone: boolean, { who, from }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const step = one.steps[index];
    if (step === undefined) throw new CodedError('STEP_NOT_FOUND', `it has no step ${index}`);
    const time = this.#options.clock.now();
    const done = isDone ? { by: who, time } : null;
    const steps = one.steps.map((each, i) => (i === index ? { ...each, done } : each));
    const text = `${isDone ? '' : '(taken back) '}${step.text.zh} / ${step.text.en}`;
    const what = `crisis.step ${id} ${index} ${isDone ? 'done' : 'taken back'}`;
    return this.#keep(this.#told({ ...one, steps }, 'step', who, text), auditOf({ who, from }, time, what, '', text));
  }

  note(id: string, text: string, { who, from }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const line = auditOf({ who, from }, this.#options.clock.now(), `crisis.note ${id}`, text, '');
    return this.#keep(this.#told(one, 'note', who, text), line);
  }

  /** What became of its sounds, and whether its time is over. What fails with one of them is no matter of the others. */
  tick(): void {
    const isFirst = this.#isFirstLook;
    this.#isFirstLook = false;
    for (const { id } of this.open) {
      try {
        this.#look(id, isFirst);
        this.#failed.delete(id);
      } catch (error) {
        if (!this.#failed.has(id))
          this.#options.log.error({ error, emergency: id }, 'an emergency cannot be looked at');
        this.#failed.add(id);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #look(id: HappeningId, isFirst: boolean): void {
    const one = this.#open.get(id);
    if (one === undefined) return;
    const isOver = (cause: EmergencyCause) => this.#ends.isOver(one, cause);
    if (one.causes.some(isOver)) {
      this.#lose(one, isOver, 'core', 'its time is over', false);
      return;
    }
    const items = one.items.filter((item) => this.#sounds.isAlive(item));
    if (items.length === one.items.length) return;
    const quiet = this.#sounds.lostZones(one, items);
    if (quiet.length === 0) this.#keep({ ...one, items });
    // Whoever silenced it elsewhere meant it; what the end of the process took away was meant by nobody.
    else if (isFirst) this.#keep(this.#sounds.begun({ ...one, items }, quiet, this.#sounds.plans()[one.kind], 'core'));
    else {
      const silent = [...one.silent, ...quiet];
      this.#keep(this.#told({ ...one, items, silent }, 'sounds-stopped', 'core', 'its sound is over'));
    }
  }

  /** Nobody may hear an exercise while there is danger. */
  #refuseBesideReal(): void {
    if (this.open.some(({ drill }) => !drill))
      throw new CodedError('EMERGENCY_REAL', 'a real emergency goes on: there are no exercises now');
  }

  /** Warnings have a bound; a person, a rule or a terminal, of whom there is one of each kind at most, is never kept waiting by them. */
  #refuseFlood({ origin }: EmergencyWish): void {
    if (origin.kind !== 'warning') return;
    if (this.open.filter((one) => one.origin.kind === 'warning').length < mostOpen) return;
    throw new CodedError('EMERGENCY_FULL', `${mostOpen} warnings go on already`);
  }

  #find(id: string): Emergency {
    const one = this.#open.get(id as HappeningId);
    if (one === undefined) throw new CodedError('EMERGENCY_NOT_FOUND', `no emergency "${id}" goes on`);
    return one;
  }

  /** The same from elsewhere: one emergency, in more places perhaps. Nothing new is no word of it. */
  #join(one: Emergency, wish: EmergencyWish, zones: readonly ZoneId[], plan: EmergencyPlan): Emergency {
    const isPerson = wish.origin.kind === 'person';
    const before = causeOf(one.causes, wish.origin);
    const cause: EmergencyCause = { origin: wish.origin, by: wish.by, until: wish.until ?? null };
    const more = zones.filter((zone) => !one.zones.includes(zone));
    if (before !== undefined && isSameWord(before, cause) && more.length === 0 && !isPerson) return one;
    const causes = withCause(one.causes, cause);
    const wider: Emergency = {
      ...{ ...one, causes, until: untilOf(causes) },
      // The newest word of the same earthquake moves its arrival.
      origin: causeOf(causes, one.origin)?.origin ?? one.origin,
      zones: [...one.zones, ...more],
      roll: [...one.roll, ...rollOf(this.#options.rooms, more)],
    };
    const told = this.#told(wider, 'update', wish.by, wish.why);
    const loud = one.items.length === 0 ? [] : one.zones.filter((zone) => !one.silent.includes(zone));
    // Whoever silenced it had not heard of this one yet; of what he had heard he need not hear again.
    const isNews = before === undefined || isPerson;
    const where = zones.filter((zone) => !loud.includes(zone) && (isNews || !one.silent.includes(zone)));
    const next = wish.sounds && where.length > 0 ? this.#sounds.begun(told, where, plan, wish.by) : told;
    const { who, from } = { who: wish.by, from: wish.from };
    return this.#keep(next, auditOf({ who, from }, this.#options.clock.now(), `crisis.join ${one.id}`, wish.why, ''));
  }

  /** Nobody may take the real one for the exercise. */
  #silenceDrills({ kind, by }: EmergencyWish): void {
    for (const one of this.open.filter(({ drill, items }) => drill && items.length > 0)) {
      const why = `a real emergency began: ${kind}`;
      this.#keep(this.#told(this.#sounds.silenced(one, by, why), 'sounds-stopped', 'core', why));
    }
  }

  /** Answers whether it ended. */
  #lose(
    one: Emergency,
    isLost: (cause: EmergencyCause) => boolean,
    who: string,
    why: string,
    isSaid: boolean,
  ): boolean {
    const causes = one.causes.filter((cause) => !isLost(cause));
    if (causes.length === 0) {
      this.#end(one, who, 'core', why, isSaid);
      return true;
    }
    const told = this.#told({ ...one, causes, until: untilOf(causes) }, 'goes-on', who, why);
    this.#keep(told, auditOf({ who, from: 'core' }, this.#options.clock.now(), `crisis.leave ${one.id}`, why, ''));
    return false;
  }

  #end(one: Emergency, who: string, from: string, why: string, isSaid: boolean): void {
    const now = this.#options.clock.now();
    const wasHeard = one.items.length > 0 || one.silent.length > 0 || rulesOf(one.causes).length > 0;
    const cleared = { ...this.#told(this.#sounds.silenced(one, who, why), 'cleared', who, why), cleared: now };
    this.#keep(cleared, auditOf({ who, from }, now, `crisis.clear ${one.id}`, why, one.kind));
    if (isAlarming(one))
      this.#options.decide([{ kind: 'return', source: alarmSource(one.id), reason: `all clear by ${who}: ${why}` }]);
    if (isSaid && wasHeard) this.#sounds.sayAllClear(one, this.open);
    this.#options.onEnd(one);
  }

  #told(one: Emergency, act: EmergencyAct, who: string, text: string): Emergency {
    return withLine(one, this.#options.clock.now(), act, who, text);
  }

  #keep(one: Emergency, audit?: AuditLine): Emergency {
    if (one.cleared === null) this.#open.set(one.id, one);
    else this.#open.delete(one.id);
    this.#ends.hear(one);
    this.#sounds.takeBackAllClears(this.open);
    this.#options.commit({ emergencies: [one], ...(audit === undefined ? {} : { audit: [audit] }) });
    this.#options.onChange(this.open.filter(({ drill }) => !drill).length);
    return one;
  }
}

function auditOf({ who, from }: EmergencyActor, time: number, what: string, why: string, result: string): AuditLine {
  return { time, who, from, what, why, result };
}
