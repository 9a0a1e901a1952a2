import type { Calendar } from '#edge/domain/calendar.ts';
import type { Rule } from '#edge/domain/rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import { isCircumstantial, leavesIn, placesIn } from './reference-campus.ts';
import { judgeLeaf, judgeTree, type Look, type Verdict } from './reference-judge.ts';
import {
  forget,
  type Life,
  type Moment,
  newLife,
  ownerOf,
  type Remembered,
  recall,
  reclaim,
  rememberedOf,
  takeOver,
  type World,
} from './reference-life.ts';
import { sayAlarm, sayBlind, sayHolds, sayOnce } from './reference-say.ts';

/*
 * The rules once more, slow and obvious, sharing no code with the engine: at every step the whole history since the start is gone
 * through again from its beginning. Nothing is incremental, no time is waited for, every window is counted by looking at everything
 * that was ever heard. What it decides at the last step is what the engine must have decided.
 */
type Entry =
  | { readonly kind: 'put'; readonly rule: Rule; readonly version: number; readonly isStart: boolean }
  | { readonly kind: 'remove'; readonly rule: string }
  | { readonly kind: 'reset'; readonly instance: string }
  | { readonly kind: 'step'; readonly moment: Moment };

/** What is compared: everything but the words. */
export interface Answer {
  readonly decisions: readonly string[];
  readonly journal: readonly string[];
  readonly views: readonly string[];
}

interface Outcome extends Omit<Answer, 'views'> {
  readonly views: () => readonly string[];
}

export class Reference {
  readonly #campus: RuleCampus;
  readonly #calendar: Calendar;
  readonly #startedAt: number;
  readonly #remembered: ReadonlyMap<string, Remembered>;
  readonly #history: Entry[] = [];

  constructor(
    campus: RuleCampus,
    calendar: Calendar,
    startedAt: number,
    remembered: ReadonlyMap<string, Remembered> = new Map(),
  ) {
    this.#campus = campus;
    this.#calendar = calendar;
    this.#startedAt = startedAt;
    this.#remembered = remembered;
  }

  /** `isStart`: with what is remembered from before. */
  put(rule: Rule, version: number, isStart: boolean): void {
    this.#history.push({ kind: 'put', rule, version, isStart });
  }

  remove(rule: string): void {
    this.#history.push({ kind: 'remove', rule });
  }

  /** Whether it may be reset. */
  reset(instance: string): boolean {
    const { lives } = this.#replay();
    const life = lives.get(instance);
    this.#history.push({ kind: 'reset', instance });
    return life?.fired === true && !life.standing;
  }

  step(moment: Moment): Answer {
    this.#history.push({ kind: 'step', moment });
    const { decisions, journal, views } = this.#replay().answer;
    return { decisions, journal, views: views() };
  }

  /** What a restart finds: what was so at the last step. What was put or reset since is on no disk. */
  rememberedAtStep(): ReadonlyMap<string, Remembered> {
    const last = this.#history.findLastIndex(({ kind }) => kind === 'step');
    const { lives } = this.#replay(this.#history.slice(0, last + 1));
    const kept = new Map(this.#remembered);
    if (last >= 0) kept.clear();
    for (const [instance, life] of lives) kept.set(instance, rememberedOf(life));
    return kept;
  }

  #replay(history: readonly Entry[] = this.#history): {
    readonly answer: Outcome;
    readonly lives: ReadonlyMap<string, Life>;
  } {
    let lives = new Map<string, Life>();
    let gone: (Life & { goesOn?: 'here' | 'elsewhere' })[] = [];
    let hasStepped = false;
    let answer: Outcome = { decisions: [], journal: [], views: () => [] };
    let before: Moment | null = null;
    const moments: [number, Moment][] = [];
    for (const [at, entry] of history.entries()) {
      switch (entry.kind) {
        case 'put': {
          const next = new Map([...lives].filter(([, life]) => life.rule.id !== entry.rule.id));
          const old = [...lives.values()].filter((life) => life.rule.id === entry.rule.id);
          for (const place of placesIn(this.#campus, entry.rule)) {
            const instance = place === null ? entry.rule.id : `${entry.rule.id}@${place}`;
            const same = old.find((life) => life.instance === instance);
            const life = newLife(entry.rule, entry.version, instance, place, at);
            if (same !== undefined) takeOver(life, same, gone);
            else if (entry.isStart) recall(life, this.#remembered.get(instance));
            reclaim(life, gone);
            next.set(instance, life);
          }
          gone.push(...old.filter((life) => !next.has(life.instance)));
          lives = new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
          break;
        }
        case 'remove': {
          gone.push(...[...lives.values()].filter((life) => life.rule.id === entry.rule));
          lives = new Map([...lives].filter(([, life]) => life.rule.id !== entry.rule));
          break;
        }
        case 'reset': {
          const life = lives.get(entry.instance);
          if (life?.fired === true && !life.standing) forget(life, at);
          break;
        }
        case 'step': {
          moments.push([at, entry.moment]);
          const world: World = {
            campus: this.#campus,
            calendar: this.#calendar,
            moments,
            moment: entry.moment,
            passed: before === null ? 0 : entry.moment.monotonic - before.monotonic,
            at,
            lives,
          };
          const bornAt = hasStepped ? entry.moment.monotonic : this.#startedAt;
          answer = stepAll(world, gone, bornAt);
          gone = [];
          hasStepped = true;
          before = entry.moment;
        }
      }
    }
    return { answer, lives };
  }
}

interface Said {
  readonly priority: number;
  readonly instance: string;
  readonly decisions: readonly string[];
  readonly journal: readonly string[];
}

function stepAll(world: World, gone: readonly (Life & { goesOn?: 'here' | 'elsewhere' })[], bornAt: number): Outcome {
  const said: Said[] = [];
  for (const life of gone) said.push(takeLeave(life, world));
  for (const life of world.lives.values()) said.push(stepOne(life, world, bornAt));
  const words = said
    .filter(({ decisions, journal }) => decisions.length + journal.length > 0)
    .sort((a, b) => a.priority - b.priority || (a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0));
  return {
    decisions: words.flatMap(({ decisions }) => decisions),
    journal: words.flatMap(({ journal }) => journal),
    views: () =>
      [...world.lives.values()].map((life) => {
        const { fired, since, blindFrom, coolEnd } = life;
        const cools = coolEnd === null ? null : Math.round(world.moment.now + coolEnd - world.moment.monotonic);
        return `${life.instance} fired=${fired} since=${since} blind=${blindFrom !== null} cools=${cools}`;
      }),
  };
}

function takeLeave(life: Life & { goesOn?: 'here' | 'elsewhere' }, { moment }: World): Said {
  const owner = ownerOf(life.rule, life.instance);
  const isOpen = (source: string) => moment.alarms.get(source)?.active === true;
  const sources = {
    here: [],
    elsewhere: [owner],
    nowhere: [owner, `blind:${life.instance}`],
  }[life.goesOn ?? 'nowhere'];
  const decisions = [
    ...[...life.held.keys()].map((ref) => `relinquish ${owner} ${ref}`),
    ...[...life.forbidden.keys()].map((ref) => `permit ${owner} ${ref}`),
    ...sources.filter(isOpen).map((source) => `return ${source}`),
  ];
  const journal = life.fired || decisions.length > 0 ? [`ended ${life.instance} v${life.version}`] : [];
  return { priority: life.rule.priority, instance: life.instance, decisions, journal };
}

function stepOne(life: Life, world: World, bornAt: number): Said {
  const { rule } = life;
  const { now, monotonic } = world.moment;
  if (Number.isNaN(life.startedAt)) {
    life.startedAt = bornAt;
    if (life.since !== null) life.firedAt = monotonic - Math.max(0, now - life.since);
    if (life.coolTime !== null) {
      life.coolEnd = monotonic + Math.min(rule.coolDown, Math.max(0, life.coolTime - now));
    }
  }
  const look: Look = { blind: [], heard: [] };
  const verdicts = new Map<string, Verdict>();
  for (const [key, condition] of leavesIn(rule)) {
    const leaf = life.leaves.get(key);
    if (leaf !== undefined) verdicts.set(key, judgeLeaf(condition, leaf, life, world, look));
  }
  const keys = leavesIn(rule).map(([key]) => key);
  const verdict = judgeTree(rule.when, keys, verdicts);
  const whiles = rule.while.map((condition) => judgeTree(condition, keys, verdicts));
  const mayFire = whiles.every(({ trip }) => trip);
  const mayStay = whiles.every(({ stand }) => stand);

  const { wasReset, restored } = life;
  if (wasReset) startCooling(life, world.moment);
  if (life.coolEnd !== null && monotonic >= life.coolEnd) {
    life.coolEnd = null;
    life.coolTime = null;
  }
  let change: 'fired' | 'cleared' | null = null;
  if (!life.fired && verdict.trip && mayFire && life.coolEnd === null) {
    Object.assign(life, { fired: true, since: now, firedAt: monotonic, goneFor: 0, goneRuns: false });
    change = 'fired';
  } else if (life.fired && !rule.latch && (!mayStay || isGone(life, verdict, look, world))) {
    Object.assign(life, { fired: false, since: null, goneFor: 0, goneRuns: false });
    startCooling(life, world.moment);
    change = 'cleared';
  }
  life.live = life.fired && (life.live || verdict.fresh || (isCircumstantial(rule) && verdict.trip));
  life.standing = life.fired && verdict.stand && mayStay && verdict.now;

  const holds = sayHolds(life, verdict.stand && mayStay, world);
  const alarms = sayAlarm(life, world, look, verdicts);
  const blind = sayBlind(life, world, look, mayFire);
  const once = change === 'fired' ? sayOnce(life) : [];
  const journal: string[] = [];
  const line = (what: string) => `${what} ${life.instance} v${life.version}`;
  if (wasReset) journal.push(line('reset'));
  if (change !== null) journal.push(line(change));
  else if (!wasReset && holds.words.length > 0 && !(restored && !life.looked)) {
    journal.push(line(holds.hasEnded ? 'ended' : 'stepped'));
  }
  if (blind.word !== null) journal.push(line(blind.word));
  life.looked = true;
  life.wasReset = false;
  return {
    priority: rule.priority,
    instance: life.instance,
    decisions: [...holds.words, ...alarms, ...blind.words, ...once],
    journal,
  };
}

function startCooling(life: Life, { now, monotonic }: Moment): void {
  if (life.rule.coolDown <= 0) return;
  life.coolEnd = monotonic + life.rule.coolDown;
  life.coolTime = now + life.rule.coolDown;
}

function isGone(life: Life, verdict: Verdict, look: Look, world: World): boolean {
  if (verdict.stand) {
    life.goneFor = 0;
    life.goneRuns = false;
    return false;
  }
  if (life.rule.clearAfter <= 0) return true;
  if (life.goneRuns) life.goneFor += world.passed;
  life.goneRuns = look.blind.length === 0;
  return life.goneRuns && life.goneFor >= life.rule.clearAfter;
}
