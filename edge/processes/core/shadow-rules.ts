import type { RuleDecision, RuleVersion } from '#edge/domain/rule.ts';
import type { Engine, EngineInput, InstanceView } from '#edge/rules/engine.ts';
import type { Log } from '#edge/runtime/log.ts';

/** What versions in shadow came to: nothing that anybody acts on. */
export interface ShadowOutcome {
  readonly journal: readonly RuleDecision[];
  readonly wakeIn: number | null;
  readonly durable: Readonly<Record<string, unknown>>;
}

const nothing: ShadowOutcome = { journal: [], wakeIn: null, durable: {} };
const prefix = 'shadow:';

/**
 * Versions that run beside the active ones and act on nothing, behind a bulkhead: one that throws takes all of them out until
 * the next change of one, and never the rules that act.
 */
export class ShadowRules {
  readonly #create: () => Engine;
  readonly #log: Log;
  readonly #versions = new Map<string, RuleVersion>();
  #engine: Engine | null = null;

  /** `create` makes an engine with `shadow: true`. */
  constructor(create: () => Engine, log: Log) {
    this.#create = create;
    this.#log = log;
  }

  /** What the start finds: `stored` is all that core remembers. */
  restore(versions: readonly RuleVersion[], stored: Readonly<Record<string, unknown>>): void {
    const own = Object.fromEntries(
      Object.entries(stored).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
    for (const version of versions) this.#versions.set(version.rule.id, version);
    this.#build(own);
  }

  put(version: RuleVersion): void {
    this.#versions.set(version.rule.id, version);
    const engine = this.#engine;
    if (engine === null) this.#build({});
    else this.#guard('put', () => engine.put(version), undefined);
  }

  remove(rule: string): void {
    this.#versions.delete(rule);
    const engine = this.#engine;
    if (engine === null) this.#build({});
    else this.#guard('remove', () => engine.remove(rule), undefined);
  }

  step(input: EngineInput): ShadowOutcome {
    const engine = this.#engine;
    if (engine === null) return nothing;
    return this.#guard(
      'step',
      () => {
        const { journal, wakeIn, durable } = engine.step(input);
        return { journal, wakeIn, durable: withPrefix(durable) };
      },
      nothing,
    );
  }

  instances(): readonly InstanceView[] {
    const engine = this.#engine;
    return engine === null ? [] : this.#guard('instances', () => engine.instances(), []);
  }

  get versions(): ReadonlyMap<string, RuleVersion> {
    return this.#versions;
  }

  #build(stored: Readonly<Record<string, unknown>>): void {
    if (this.#versions.size === 0) return;
    const engine = this.#create();
    this.#engine = engine;
    for (const version of this.#versions.values()) this.#guard('put', () => engine.put(version, stored), undefined);
  }

  /** The bulkhead: what throws here is a bug of a version that acts on nothing. */
  #guard<T>(what: string, work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      this.#engine = null;
      this.#log.error({ error, what }, 'the rules in shadow failed and stand still');
      return otherwise;
    }
  }
}

function withPrefix(durable: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const names = Object.keys(durable);
  return names.length === 0 ? durable : Object.fromEntries(names.map((name) => [`${prefix}${name}`, durable[name]]));
}
