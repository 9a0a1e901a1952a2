import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Calendar } from '#edge/domain/calendar.ts';
import { instanceId, type Rule, type RuleVersion, ruleOwner } from '#edge/domain/rule.ts';
import { createCampusIndex } from '#edge/rules/campus-index.ts';
import { createEngine } from '#edge/rules/create-engine.ts';
import type { Engine, RuleCampus } from '#edge/rules/engine.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import { ruleCampus, ruleSurroundings } from '#edge/runtime/rule-surroundings.ts';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Campus } from '../campus.ts';
import { RuleBook, type RuleBookOptions } from './rule-book.ts';
import { createRuleFiles } from './rule-files.ts';
import { begunState } from './rule-keeper.ts';
import { RuleWorkshop } from './rule-workshop.ts';
import { ShadowRules } from './shadow-rules.ts';

export interface RuleDeskOptions extends Pick<RuleBookOptions, 'onTroubles' | 'onFaulty'> {
  readonly site: Site;
  readonly campus: Campus;
  readonly calendar: Calendar;
  readonly reader: Reader;
  readonly append: (batch: Batch) => Promise<void>;
  /** What core remembers, by name. */
  readonly stored: Readonly<Record<string, unknown>>;
  /** Rules that no file has and nobody can change: the one-key alarms. They run before all others. */
  readonly generated?: readonly RuleVersion[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The rules of core, ready for the first look. */
export interface RuleDesk {
  readonly book: RuleBook;
  readonly engine: Engine;
  readonly shadow: ShadowRules;
  readonly active: readonly RuleVersion[];
  /** Names of what is remembered of rules and places that are gone. */
  readonly stale: readonly string[];
  /** The instances that a rule has on this campus. */
  placesOf(rule: Rule): readonly string[];
  /** Whether a rule (still) stands behind the source of an alarm. */
  isSource(source: string): boolean;
}

/** Rules that are compiled between two turns of core's loop: some 10 ms. */
const atOnce = 20;

/** Reads what is stored and what lies in the rules folder, and compiles what is to run with what it remembers. */
export async function openRuleDesk(options: RuleDeskOptions): Promise<RuleDesk> {
  const { site, campus, calendar, reader, append, stored, clock, log, onTroubles, onFaulty, generated = [] } = options;
  const places = ruleCampus(site, campus.devices);
  const workshop = new RuleWorkshop({ campus: places, site, around: ruleSurroundings(site, campus.devices) });
  const engineOf = (more: { readonly shadow?: true }) =>
    createEngine({ campus: places, calendar, monotonic: clock.monotonic(), ...more });
  const engine = engineOf({});
  const book = new RuleBook({
    reader,
    files: createRuleFiles(rulesFolder(site)),
    append,
    check: (rules, others) => workshop.check(rules, others),
    play: (rule, others) => workshop.play(rule, others),
    whyNotFile: (body, rule) => workshop.whyNotFile(body, rule),
    refuses: (rule) => engine.refuses(rule),
    onTroubles,
    onFaulty,
    hasBegun: stored[begunState] !== undefined,
    clock,
    log,
  });
  for (const version of generated) engine.put(version, stored);
  const running = await book.load();
  const active = [...generated, ...running.active];
  for (const [i, version] of running.active.entries()) {
    engine.put(version, stored);
    if (i % atOnce === atOnce - 1) await nextTurn();
  }
  const shadow = new ShadowRules(() => engineOf({ shadow: true }), log);
  shadow.restore(running.shadow, stored);
  return {
    book,
    engine,
    shadow,
    active,
    stale: staleNames(stored, engine, shadow),
    placesOf: createPlaces(places),
    isSource: (source) => sourcesOf(engine, active).has(source),
  };
}

function staleNames(stored: Readonly<Record<string, unknown>>, engine: Engine, shadow: ShadowRules): string[] {
  const known = new Set([
    ...engine.instances().map(({ instance }) => `rule:${instance}`),
    ...shadow.instances().map(({ instance }) => `shadow:rule:${instance}`),
  ]);
  return Object.keys(stored).filter((name) => /^(shadow:)?rule:/.test(name) && !known.has(name));
}

function sourcesOf(engine: Engine, active: readonly RuleVersion[]): ReadonlySet<string> {
  const kinds = new Map(active.map(({ rule }) => [rule.id, rule.kind]));
  return new Set(
    engine
      .instances()
      .flatMap(({ instance, rule }) => [ruleOwner(kinds.get(rule) ?? 'comfort', instance), `blind:${instance}`]),
  );
}

function createPlaces(campus: RuleCampus): RuleDesk['placesOf'] {
  const index = createCampusIndex(campus);
  return ({ id, each }) => (each === null ? [id] : index.placesOf(each).map((place) => instanceId(id, place.id)));
}
