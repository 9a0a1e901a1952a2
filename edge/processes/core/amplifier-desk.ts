import type { Commands } from '#edge/commands/commands.ts';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { type AmplifierStep, amplifierAtFirst, amplifierRestored, stepAmplifier } from '#edge/rules/amplifier.ts';
import { amplifierOwner, keepsBack, type LineWish, lineWish } from '#edge/rules/amplifier-line.ts';
import type { AlarmDecision, HoldDecision } from '#edge/rules/decision.ts';
import { arbitrate } from '#edge/rules/priorities.ts';
import type { OutsideClaim } from '#edge/rules/sound.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { type Amplifier, relayAlarm, relaySource, words } from './amplifier-plans.ts';
import type { BroadcastDesk } from './broadcast-desk.ts';
import type { SoundGate } from './broadcast-port.ts';

/*
 * Amplifiers, carried out: before a sound their power, their warm-up and the relays of its zones; after it all of that off again. What is not
 * ready is kept back as a claim on its loudspeakers, so that the arbiter lets a sound wait as it waits for anything else, and begins it at its
 * beginning. A safety rule speaks past the arbiter: its sound is sent at once, and the amplifier follows as fast as it can.
 */

export interface AmplifierDeskOptions {
  readonly amplifiers: readonly Amplifier[];
  readonly commands: () => Pick<Commands, 'setInterlockHolds' | 'holdsOn' | 'toldOn'>;
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  /** When the next planned sound in one of these zones begins, ms since epoch; null: none is known. */
  readonly planned: (zones: ReadonlySet<ZoneId>) => number | null;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly clock: Clock;
  /** Tests tick by themselves. */
  readonly isDriven?: boolean;
}

interface Kept {
  readonly amplifier: Amplifier;
  readonly zones: ReadonlySet<ZoneId>;
  state: AmplifierStep['state'];
  /** What each relay is held at by us, with its priority; of before a restart too. */
  readonly held: Map<PointRef, { readonly on: boolean; readonly priority: number }>;
  /** Outputs that are kept back, and why. */
  back: ReadonlyMap<PointRef, string>;
  /** What a relay that did not switch keeps from being heard, by relay. */
  troubles: ReadonlyMap<PointRef, string>;
  next: number | null;
}

/** Hands on switches and planned bells are looked for so often, ms. */
const tickEvery = 1_000;
/** A relay of before a restart is believed to be as it was told for so long, ms, unless it says otherwise. */
const restartPatience = 20_000;
/** Weaker than every safety hold: what a safety rule switches off stays off. */
const urgent = priorities.critical;
const ordinary = priorities.automation;

export class AmplifierDesk implements SoundGate, Disposable {
  readonly #options: AmplifierDeskOptions;
  readonly #kept: readonly Kept[];
  readonly #byOutput: ReadonlyMap<PointRef, Kept>;
  readonly #relays: ReadonlySet<PointRef>;
  readonly #raised = new Set<string>();
  #desk: Pick<BroadcastDesk, 'why' | 'claims' | 'onGate'> | null = null;
  #begunAt = Number.NEGATIVE_INFINITY;
  #ticker: Ticker | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isAwaited = false;
  #isLooking = false;

  constructor(options: AmplifierDeskOptions) {
    this.#options = options;
    this.#kept = options.amplifiers.map((amplifier) => ({
      amplifier,
      zones: new Set(amplifier.outputs.map(({ zone }) => zone)),
      state: amplifierAtFirst,
      held: new Map(),
      back: new Map(),
      troubles: new Map(),
      next: null,
    }));
    this.#byOutput = new Map(this.#kept.flatMap((kept) => kept.amplifier.outputs.map(({ ref }) => [ref, kept])));
    this.#relays = new Set(this.#kept.flatMap(({ amplifier }) => relaysOf(amplifier)));
  }

  /** Once, before the broadcast desk begins: relays that the process before this one held are taken up as they are. */
  begin(desk: Pick<BroadcastDesk, 'why' | 'claims' | 'onGate'>, alarmed: readonly string[] = []): void {
    const { clock, isDriven } = this.#options;
    this.#desk = desk;
    this.#begunAt = clock.monotonic();
    for (const source of alarmed) this.#raised.add(source);
    for (const kept of this.#kept) this.#takeUp(kept);
    if (isDriven === true || this.#kept.length === 0) return;
    this.#ticker = new Ticker(tickEvery, () => this.tick());
  }

  claims(): readonly OutsideClaim[] {
    const since = this.#options.clock.now();
    return this.#kept.flatMap(({ amplifier, back }) =>
      [...back].map(([output, reason]) => ({
        ...{ output, owner: amplifierOwner(amplifier.id), reason, since },
        ...{ class: 'background' as const, strength: keepsBack },
      })),
    );
  }

  afterTurn(): void {
    this.#look();
  }

  /** A relay was told something, or answered: looked at when the turn is over. */
  onOutput(ref: PointRef): void {
    if (!this.#relays.has(ref) || this.#isAwaited || this.#desk === null) return;
    this.#isAwaited = true;
    queueMicrotask(() => {
      this.#isAwaited = false;
      this.#look();
    });
  }

  /** Why what this loudspeaker is sent may not be heard; '': nothing is known against it. */
  troubleOf(output: PointRef): string {
    const kept = this.#byOutput.get(output);
    if (kept === undefined) return '';
    const { plan, outputs } = kept.amplifier;
    const zone = outputs.find(({ ref }) => ref === output)?.zone;
    const relay = zone === undefined ? undefined : plan.zones.get(zone);
    return kept.troubles.get(plan.power.point) ?? (relay === undefined ? '' : (kept.troubles.get(relay.point) ?? ''));
  }

  isSource(source: string): boolean {
    return this.#desk === null
      ? this.#kept.some(({ amplifier }) => relaysOf(amplifier).some((ref) => relaySource(amplifier.id, ref) === source))
      : this.#raised.has(source);
  }

  tick(): void {
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#desk = null;
    clearTimeout(this.#timer);
    this.#ticker?.[Symbol.dispose]();
  }

  #takeUp(kept: Kept): void {
    const { clock, commands } = this.#options;
    const { plan, outputs, id } = kept.amplifier;
    const told = new Map<PointRef, { readonly on: boolean; readonly since: number }>();
    for (const ref of relaysOf(kept.amplifier)) {
      const mine = commands()
        .holdsOn(ref)
        .find(({ owner }) => owner === amplifierOwner(id));
      if (mine === undefined) continue;
      const age = Math.max(0, clock.now() - mine.since);
      told.set(ref, { on: mine.value === true, since: clock.monotonic() - age });
      kept.held.set(ref, { on: mine.value === true, priority: mine.priority });
    }
    kept.state = amplifierRestored(told);
    const power = told.get(plan.power.point);
    const isWarm =
      power?.on === true &&
      this.#said(kept).get(plan.power.point) === true &&
      clock.monotonic() - power.since >= plan.warmUp;
    // What sounded before the restart goes on without a gap where the amplifier is as it was.
    kept.back = isWarm ? new Map() : new Map(outputs.map(({ ref }) => [ref, `${words(kept.amplifier.name)}`]));
  }

  /** Looks at all; when something else is kept back the arbiter decides anew, and it is looked at again. */
  #look(): void {
    const desk = this.#desk;
    if (desk === null || this.#isLooking || this.#kept.length === 0) return;
    this.#isLooking = true;
    const decisions: AlarmDecision[] = [];
    try {
      // What is let go begins to play, or what is kept back falls silent; that settles at once, and the bound is for what nobody thought of.
      for (let turn = 0; turn < 4; turn++) {
        const claims = desk.claims();
        const changed = this.#kept.filter((kept) => this.#step(kept, claims, desk, decisions));
        if (changed.length === 0) break;
        desk.onGate();
      }
    } finally {
      this.#isLooking = false;
    }
    if (decisions.length > 0) this.#options.decide(decisions);
    this.#wake();
  }

  /** true: something else is kept back than before. */
  #step(
    kept: Kept,
    claims: readonly OutsideClaim[],
    desk: Pick<BroadcastDesk, 'why'>,
    decisions: AlarmDecision[],
  ): boolean {
    const { clock, planned } = this.#options;
    const { amplifier, zones } = kept;
    const now = clock.monotonic();
    const line = lineWish(amplifier.outputs, (ref) => desk.why(ref), claims);
    const bell = planned(zones);
    const said = this.#said(kept);
    const step = stepAmplifier(amplifier.plan, kept.state, {
      ...{ now, wish: line.wish, said },
      planned: bell === null ? null : now + (bell - clock.now()),
    });
    kept.state = step.state;
    kept.next = step.next;
    this.#switch(kept, step, line);
    this.#judge(kept, step, line, said, decisions);
    const back = this.#keptBack(kept, step, line);
    const isSame = back.size === kept.back.size && [...back].every(([ref, why]) => kept.back.get(ref) === why);
    kept.back = back;
    return !isSame;
  }

  #switch(kept: Kept, { relays, state }: AmplifierStep, { wish, name }: LineWish): void {
    const { clock, commands } = this.#options;
    const changes: HoldDecision[] = [];
    for (const [ref, on] of relays) {
      const before = kept.held.get(ref);
      // What nobody has told anything stays as it was found.
      if (before === undefined && !on) continue;
      const strong = wish?.strength === 'emergency' || (wish === null && before?.priority === urgent && before.on);
      const priority = on && strong ? urgent : ordinary;
      if (before?.on === on && before.priority === priority) continue;
      const reason = on
        ? `${words(kept.amplifier.name)}: ${name === null ? '即将播放 / a sound begins' : words(name)}`
        : `${words(kept.amplifier.name)}: 播放结束 / the sound is over`;
      const since = clock.now() - (clock.monotonic() - (state.relays.get(ref)?.since ?? clock.monotonic()));
      changes.push({
        ...{ kind: 'hold', owner: amplifierOwner(kept.amplifier.id), ref, value: on, priority, reason },
        ...{ lasts: null, since: Math.round(since) },
      });
      kept.held.set(ref, { on, priority });
    }
    if (changes.length > 0) commands().setInterlockHolds(changes);
  }

  /** What a relay is: the newer of what was read and what it answered to its last command. */
  #said({ amplifier, held }: Kept): Map<PointRef, boolean> {
    const { commands, latest } = this.#options;
    const said = new Map<PointRef, boolean>();
    for (const ref of relaysOf(amplifier)) {
      const reading = latest().get(ref);
      const { confirmed } = commands().toldOn(ref);
      const isDone = confirmed !== null && (confirmed.outcome === 'done' || confirmed.outcome === 'sent');
      const isRead = reading?.quality === 'good' && typeof reading.value === 'boolean';
      if (isDone && (!isRead || confirmed.time >= reading.receivedTime)) said.set(ref, confirmed.value === true);
      else if (isRead) said.set(ref, reading.value === true);
      else if (confirmed === null && this.#isOfBefore(ref, amplifier)) said.set(ref, held.get(ref)?.on === true);
    }
    return said;
  }

  /** Our hold on it is older than this process. */
  #isOfBefore(ref: PointRef, { id }: Amplifier): boolean {
    const { clock, commands } = this.#options;
    const age = clock.monotonic() - this.#begunAt;
    const mine = commands()
      .holdsOn(ref)
      .find(({ owner }) => owner === amplifierOwner(id));
    return age < restartPatience && mine !== undefined && mine.since < clock.now() - age;
  }

  #judge(
    kept: Kept,
    { silent, relays }: AmplifierStep,
    { wish }: LineWish,
    said: ReadonlyMap<PointRef, boolean>,
    decisions: AlarmDecision[],
  ): void {
    const { amplifier } = kept;
    const troubles = new Map<PointRef, string>();
    for (const ref of relaysOf(amplifier)) {
      const source = relaySource(amplifier.id, ref);
      const isOn = relays.get(ref) === true;
      const why = silent.includes(ref) ? this.#whySilent(kept, ref, isOn, said.get(ref)) : '';
      if (why !== '' && isOn) troubles.set(ref, `${words(amplifier.name)}: ${why}`);
      if (why !== '' && !this.#raised.has(source)) {
        this.#raised.add(source);
        decisions.push(relayAlarm(amplifier, ref, why, { isUrgent: wish?.strength === 'emergency', isOn }));
      } else if (why === '' && this.#raised.has(source) && said.get(ref) === isOn) {
        this.#raised.delete(source);
        decisions.push({ kind: 'return', source, reason: 'the relay does what it is told again' });
      }
    }
    kept.troubles = troubles;
  }

  /** '': somebody else has it on, or it has to be off and says nothing, which harms nobody. */
  #whySilent({ amplifier }: Kept, ref: PointRef, isOn: boolean, said: boolean | undefined): string {
    const { commands, clock } = this.#options;
    const { winner } = arbitrate(commands().holdsOn(ref), clock.now());
    const isOurs = winner === null || winner.owner === amplifierOwner(amplifier.id) || winner.value === isOn;
    if (!isOn && (!isOurs || said === undefined)) return '';
    if (!isOurs) return `${ref} 被 ${winner.owner} 占用 / ${ref} is held ${String(winner.value)} by ${winner.owner}`;
    const { confirmed } = commands().toldOn(ref);
    const outcome = confirmed === null || ['done', 'sent'].includes(confirmed.outcome) ? '' : ` (${confirmed.outcome})`;
    return `继电器 ${ref} 没有动作${outcome} / relay ${ref} did not switch${outcome}`;
  }

  /** Outputs whose sound is not for now, and why. What plays on the line already is never cut by its own amplifier. */
  #keptBack({ amplifier }: Kept, { sound, silent }: AmplifierStep, line: LineWish): ReadonlyMap<PointRef, string> {
    const own = words(amplifier.name);
    const wait =
      silent.length > 0 ? '等待继电器应答 / waits for its relay' : '功放预热中 / its amplifier is warming up';
    const idle = line.wish === null ? '功放未开 / its amplifier is off' : '线路正在播放 / its line carries';
    const carried = line.wish !== null && line.name !== null ? ` ${words(line.name)}` : '';
    return new Map(
      amplifier.outputs.flatMap(({ ref }): [PointRef, string][] => {
        if (!line.heard.has(ref)) return [[ref, `${own}: ${idle}${carried}`]];
        return sound === 'on' || line.playing.has(ref) ? [] : [[ref, `${own}: ${wait}`]];
      }),
    );
  }

  #wake(): void {
    if (this.#options.isDriven === true) return;
    clearTimeout(this.#timer);
    const nexts = this.#kept.flatMap(({ next }) => next ?? []);
    if (nexts.length === 0) return;
    const left = Math.min(...nexts) - this.#options.clock.monotonic();
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(1, Math.ceil(left)), tickEvery));
  }
}

function relaysOf({ plan }: Amplifier): readonly PointRef[] {
  return [plan.power.point, ...[...plan.zones.values()].map(({ point }) => point)];
}
