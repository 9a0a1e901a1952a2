import type { SoundClass } from '#edge/domain/broadcast.ts';
import {
  type Emergency,
  type EmergencyAct,
  type EmergencyKind,
  type EmergencyLine,
  type EmergencyOrigin,
  emergencyKinds,
  type RollCall,
  type RollState,
} from '#edge/domain/emergency.ts';
import type { HappeningId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { SiteEmergency } from '#edge/runtime/site-emergency.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { BroadcastDeskPort } from './broadcast-port.ts';
import { type EmergencyPlan, emergencyPlans } from './emergency-plans.ts';

/*
 * Emergencies and their exercises: begun by a person, a rule, a warning or a terminal; what sounds goes through the arbiter; who is accounted
 * for, what was done and what was said is a timeline that nobody can change. All clear is a person's word alone.
 */

export interface EmergencyRoom {
  readonly room: string;
  readonly zone: ZoneId;
  readonly name: Name;
}

export interface EmergencyDeskOptions {
  readonly site: SiteEmergency;
  readonly zones: readonly ZoneId[];
  /** All rooms of the campus, for the roll-call. */
  readonly rooms: readonly EmergencyRoom[];
  readonly sound: Pick<BroadcastDeskPort, 'play' | 'stop' | 'hasClip' | 'whyItem'>;
  /** There is a clip that says that it is an exercise. */
  readonly mayDrill: boolean;
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
  readonly clock: Clock;
}

export interface EmergencyWish {
  readonly kind: EmergencyKind;
  readonly drill: boolean;
  readonly zones: 'all' | readonly ZoneId[];
  readonly why: string;
  readonly origin: EmergencyOrigin;
  readonly by: string;
  readonly from: string;
  readonly until?: number | null;
  /** false: it is shown and told, and does not sound (a rule sounds by itself). */
  readonly sounds: boolean;
  /** In place of the plan's. */
  readonly name?: Name;
  readonly class?: SoundClass;
}

export interface EmergencyActor {
  readonly who: string;
  readonly from: string;
}

const mostLines = 1_000;
const mostOpen = 20;
const allClearName: Name = { zh: '警报解除', en: 'All clear' };

export class EmergencyDesk implements Disposable {
  readonly #options: EmergencyDeskOptions;
  readonly #open = new Map<HappeningId, Emergency>();
  readonly #timer: Ticker;

  constructor(options: EmergencyDeskOptions) {
    this.#options = options;
    for (const one of options.stored) if (one.cleared === null) this.#open.set(one.id, one);
    this.#timer = new Ticker(1_000, () => this.tick());
  }

  get open(): readonly Emergency[] {
    return [...this.#open.values()].toSorted((a, b) => b.since - a.since);
  }

  isSource(source: string): boolean {
    return source.startsWith('emergency:') && this.#open.has(source.slice('emergency:'.length) as HappeningId);
  }

  plans(): readonly (EmergencyPlan & { readonly problem: string | null; readonly mayDrill: boolean })[] {
    const { site, sound, mayDrill } = this.#options;
    const plans = emergencyPlans(site, (clip) => sound.hasClip(clip));
    return emergencyKinds.map((kind) => {
      const plan = plans[kind];
      const missing = plan.clips.find((clip) => !sound.hasClip(clip));
      const problem = plan.clips.length === 0 ? 'no clip is set up for it' : (missing ?? null);
      return { ...plan, problem, mayDrill: mayDrill || plan.clips.length === 0 };
    });
  }

  standingOf({ origin }: Emergency): string {
    return origin.kind === 'rule' ? this.#options.standing(origin.rule) : '';
  }

  /** Acts in this turn. Throws EMERGENCY_SILENT: an exercise cannot say that it is one. */
  begin(wish: EmergencyWish): { readonly emergency: Emergency; readonly joined: boolean } {
    const usual = this.#planOf(wish.kind);
    const plan = wish.class === undefined ? usual : { ...usual, class: wish.class };
    if (wish.drill && !this.#options.mayDrill && plan.clips.length > 0)
      throw new CodedError('EMERGENCY_SILENT', 'there is no clip that says that it is an exercise');
    if (wish.drill) this.#refuseBesideReal();
    else this.#silenceDrills(wish);
    const zones = wish.zones === 'all' ? this.#options.zones : wish.zones;
    const twin = this.open.find((one) => isTwin(one, wish));
    if (twin !== undefined) return { emergency: this.#grow(twin, wish, zones, plan), joined: true };
    this.#refuseFlood(wish);
    const now = this.#options.clock.now();
    const emergency: Emergency = {
      ...{ id: newHappeningId(this.#options.clock), kind: wish.kind, name: wish.name ?? plan.name, drill: wish.drill },
      ...{ origin: wish.origin, zones, since: now, cleared: null, by: wish.by, why: wish.why, items: [] },
      steps: plan.steps.map((text) => ({ text, done: null })),
      roll: this.#rollOf(zones),
      timeline: [{ time: now, act: 'began', who: wish.by, text: wish.why }],
      until: wish.until ?? null,
    };
    const begun = wish.sounds ? this.#sound(emergency, zones, plan, wish.by) : emergency;
    const what = `crisis.begin ${wish.kind}${wish.drill ? ' drill' : ''}`;
    this.#keep(begun, { time: now, who: wish.by, from: wish.from, what, why: wish.why, result: begun.id });
    if (isAlarming(begun)) this.#options.decide([alarmOf(begun)]);
    return { emergency: begun, joined: false };
  }

  /** A person ends it. `message`: what still stands. Throws EMERGENCY_NOT_FOUND. */
  clear(
    id: string,
    why: string,
    { who, from }: EmergencyActor,
  ): { readonly cleared: boolean; readonly message: string } {
    const one = this.#find(id);
    if (one.origin.kind === 'rule') {
      const stands = this.#options.resetRule(one.origin.rule, why);
      if (stands !== null) {
        this.#keep(this.#told(one, 'goes-on', who, stands));
        return { cleared: false, message: stands };
      }
    }
    this.#end(one, who, from, why);
    return { cleared: true, message: '' };
  }

  /** Nobody may ask for it any more: a warning was cancelled, its time is over, the terminal took it back. */
  endOf(matches: (one: Emergency) => boolean, who: string, why: string): number {
    const found = this.open.filter(matches);
    for (const one of found) this.#end(one, who, 'core', why);
    return found.length;
  }

  /** Silence for a moment of listening, or sound again; it stays an emergency. Throws EMERGENCY_NOT_FOUND. */
  sounds(id: string, isOn: boolean, why: string, { who, from }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const line = {
      time: this.#options.clock.now(),
      who,
      from,
      what: `crisis.sounds ${id} ${isOn ? 'on' : 'off'}`,
      why,
    };
    if (isOn && one.items.length > 0) return one;
    if (isOn && one.drill) this.#refuseBesideReal();
    const next = isOn
      ? this.#sound(one, one.zones, this.#planOf(one.kind), who)
      : this.#told(this.#silenced(one, who, why), 'sounds-stopped', who, why);
    return this.#keep(next, { ...line, result: next.items.join(' ') });
  }

  roll(
    id: string,
    words: readonly Omit<RollCall, 'zone' | 'name' | 'by' | 'time'>[],
    { who }: EmergencyActor,
  ): Emergency {
    const one = this.#find(id);
    const time = this.#options.clock.now();
    const said = new Map(words.map((word) => [word.room, word]));
    const unknown = words.find(({ room }) => !one.roll.some((each) => each.room === room));
    if (unknown !== undefined) throw new CodedError('ROOM_NOT_FOUND', `no room "${unknown.room}" is called in it`);
    const roll = one.roll.map((each) => {
      const word = said.get(each.room);
      return word === undefined ? each : { ...each, ...word, by: who, time };
    });
    return this.#keep(this.#told({ ...one, roll }, 'roll', who, rollText(one, words)));
  }

  step(id: string, index: number, isDone: boolean, { who }: EmergencyActor): Emergency {
    const one = this.#find(id);
    const step = one.steps[index];
    if (step === undefined) throw new CodedError('STEP_NOT_FOUND', `it has no step ${index}`);
    const done = isDone ? { by: who, time: this.#options.clock.now() } : null;
    const steps = one.steps.map((each, i) => (i === index ? { ...each, done } : each));
    const text = `${isDone ? '' : '(taken back) '}${step.text.zh} / ${step.text.en}`;
    return this.#keep(this.#told({ ...one, steps }, 'step', who, text));
  }

  note(id: string, text: string, { who }: EmergencyActor): Emergency {
    return this.#keep(this.#told(this.#find(id), 'note', who, text));
  }

  /** What became of its sounds, and whether its time is over. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const one of this.open) {
      if (one.until !== null && one.until <= now) {
        this.#end(one, 'core', 'core', 'its time is over');
        continue;
      }
      const items = one.items.filter((item) => this.#options.sound.whyItem(item)?.state !== undefined);
      if (items.length !== one.items.length)
        this.#keep(this.#told({ ...one, items }, 'sounds-stopped', 'core', 'its sound is over'));
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /** Nobody may hear an exercise while there is danger. */
  #refuseBesideReal(): void {
    if (this.open.some(({ drill }) => !drill))
      throw new CodedError('EMERGENCY_REAL', 'a real emergency goes on: there are no exercises now');
  }

  /** Warnings and exercises have a bound; a person, a rule or a terminal is never kept waiting by them. */
  #refuseFlood({ drill, origin }: EmergencyWish): void {
    const isBounded = (one: Pick<Emergency, 'drill' | 'origin'>) => one.drill || one.origin.kind === 'warning';
    if (!isBounded({ drill, origin }) || this.open.filter(isBounded).length < mostOpen) return;
    throw new CodedError('EMERGENCY_FULL', `${mostOpen} warnings and exercises go on already`);
  }

  #find(id: string): Emergency {
    const one = this.#open.get(id as HappeningId);
    if (one === undefined) throw new CodedError('EMERGENCY_NOT_FOUND', `no emergency "${id}" goes on`);
    return one;
  }

  #planOf(kind: EmergencyKind): EmergencyPlan {
    return emergencyPlans(this.#options.site, (clip) => this.#options.sound.hasClip(clip))[kind];
  }

  #rollOf(zones: readonly ZoneId[]): RollCall[] {
    const unsaid = { state: 'unknown', present: null, missing: null, note: '', by: '', time: null } as const;
    return this.#options.rooms.filter(({ zone }) => zones.includes(zone)).map((room) => ({ ...room, ...unsaid }));
  }

  /** The same from elsewhere: one emergency, in more places perhaps. */
  #grow(one: Emergency, wish: EmergencyWish, zones: readonly ZoneId[], plan: EmergencyPlan): Emergency {
    const more = zones.filter((zone) => !one.zones.includes(zone));
    // The newest word of the same earthquake moves its arrival.
    const origin = isSameEvent(one.origin, wish.origin) ? wish.origin : one.origin;
    const wider = { ...one, origin, zones: [...one.zones, ...more], roll: [...one.roll, ...this.#rollOf(more)] };
    const told = this.#told(wider, 'update', wish.by, wish.why);
    const where = one.items.length === 0 ? wider.zones : more;
    const next = wish.sounds && where.length > 0 ? this.#sound(told, where, plan, wish.by) : told;
    const what = `crisis.join ${one.id}`;
    const line = { time: this.#options.clock.now(), who: wish.by, from: wish.from, what, why: wish.why, result: '' };
    return this.#keep(next, line);
  }

  #sound(one: Emergency, zones: readonly ZoneId[], plan: EmergencyPlan, who: string): Emergency {
    if (plan.clips.length === 0)
      return this.#told(one, 'trouble', 'core', 'no clip is set up for it: nothing is heard');
    try {
      const { item, outcome, refusal } = this.#options.sound.play({
        ...{ class: plan.class, name: one.name, zones, drill: one.drill, by: `emergency:${one.id}` },
        ...{ source: { kind: 'clips', clips: plan.clips, loop: true }, length: null, until: one.until },
        why: one.why === '' ? one.name.en : one.why,
      });
      if (item === null) return this.#told(one, 'trouble', 'core', `it does not sound: ${refusal?.code ?? outcome}`);
      const items = one.items.includes(item) ? one.items : [...one.items, item];
      return this.#told({ ...one, items }, 'sound', who, `${plan.words.zh} / ${plan.words.en}`);
    } catch (error) {
      // Without sound it is an emergency all the same.
      return this.#told(one, 'trouble', 'core', `it does not sound: ${messageOf(error)}`);
    }
  }

  #silenced(one: Emergency, by: string, why: string): Emergency {
    for (const item of one.items) this.#options.sound.stop(item, { by, why });
    return { ...one, items: [] };
  }

  /** Nobody may take the real one for the exercise. */
  #silenceDrills({ kind, by }: EmergencyWish): void {
    for (const one of this.open.filter(({ drill }) => drill)) {
      const why = `a real emergency began: ${kind}`;
      this.#keep(this.#told(this.#silenced(one, by, why), 'sounds-stopped', 'core', why));
    }
  }

  #end(one: Emergency, who: string, from: string, why: string): void {
    const now = this.#options.clock.now();
    const hadSound = one.items.length > 0 || one.origin.kind === 'rule';
    const cleared = { ...this.#told(this.#silenced(one, who, why), 'cleared', who, why), cleared: now };
    this.#keep(cleared, { time: now, who, from, what: `crisis.clear ${one.id}`, why, result: one.kind });
    if (isAlarming(one))
      this.#options.decide([{ kind: 'return', source: `emergency:${one.id}`, reason: `all clear by ${who}: ${why}` }]);
    if (hadSound) this.#sayAllClear(one);
  }

  /** Once, and only where nothing else is to be heard. */
  #sayAllClear(one: Emergency): void {
    const { site, sound } = this.#options;
    if (site.allClear === null || !sound.hasClip(site.allClear)) return;
    try {
      sound.play({
        ...{ class: 'page', name: allClearName, zones: one.zones, drill: one.drill, by: `emergency:${one.id}` },
        ...{ source: { kind: 'clips', clips: [site.allClear], loop: false }, why: `all clear: ${one.name.en}` },
      });
    } catch {
      // No loudspeaker there: there was nothing to be heard before either.
    }
  }

  #told(one: Emergency, act: EmergencyAct, who: string, text: string): Emergency {
    const line: EmergencyLine = { time: this.#options.clock.now(), act, who, text };
    // How it began stays; of what is too much the middle goes.
    const timeline = [...one.timeline, line];
    return {
      ...one,
      timeline: timeline.length <= mostLines ? timeline : [...timeline.slice(0, 1), ...timeline.slice(2)],
    };
  }

  #keep(one: Emergency, audit?: NonNullable<Batch['audit']>[number]): Emergency {
    if (one.cleared === null) this.#open.set(one.id, one);
    else this.#open.delete(one.id);
    this.#options.commit({ emergencies: [one], ...(audit === undefined ? {} : { audit: [audit] }) });
    this.#options.onChange(this.open.filter(({ drill }) => !drill).length);
    return one;
  }
}

/** A public warning is its sender's alone: what it ends must not be anybody else's. */
function isTwin(one: Emergency, { kind, drill, origin }: EmergencyWish): boolean {
  return one.kind === kind && one.drill === drill && origin.kind !== 'warning' && one.origin.kind !== 'warning';
}

/** A rule raises its own; an exercise needs nobody who does not know of it. */
function isAlarming({ drill, origin }: Emergency): boolean {
  return !drill && origin.kind !== 'rule';
}

function isSameEvent(a: EmergencyOrigin, b: EmergencyOrigin): boolean {
  return a.kind === 'terminal' && b.kind === 'terminal' && a.event === b.event;
}

const rollWords: Readonly<Record<RollState, Name>> = {
  unknown: { zh: '未报', en: 'no word' },
  all: { zh: '到齐', en: 'complete' },
  missing: { zh: '缺人', en: 'missing' },
  help: { zh: '求助', en: 'needs help' },
};
/** Rooms named in a line of the timeline; of more their number. */
const mostNamed = 12;

function rollText({ roll }: Emergency, words: readonly { readonly room: string; readonly state: RollState }[]): string {
  const [first] = words;
  if (words.length > mostNamed && first !== undefined) {
    const said = rollWords[first.state];
    return `${words.length} 间：${said.zh} / ${words.length} rooms: ${said.en}`;
  }
  const named = words.map(({ room, state }) => {
    const name = roll.find((each) => each.room === room)?.name ?? { zh: room, en: room };
    return { zh: `${name.zh} ${rollWords[state].zh}`, en: `${name.en} ${rollWords[state].en}` };
  });
  return `${named.map(({ zh }) => zh).join('、')} / ${named.map(({ en }) => en).join(', ')}`;
}

/** As it stands again after a restart, too. */
export function alarmOf({ id, name, zones }: Emergency): AlarmDecision {
  const [zone] = zones;
  return {
    ...{ kind: 'raise', source: `emergency:${id}`, class: 'critical' },
    message: { zh: `应急：${name.zh}`, en: `Emergency: ${name.en}` },
    next: { zh: '打开“应急处置”，按步骤处置并点名。', en: 'Open “Emergency”: follow the steps and call the roll.' },
    reason: name.en,
    ...(zones.length === 1 && zone !== undefined ? { zone } : {}),
  };
}
