import type { Rule } from '#edge/domain/rule.ts';
import type { Log } from '#edge/runtime/log.ts';

export interface RuleLookoutOptions {
  /** What rules that can be read cannot do here (an unknown point ...), a sentence each, beside `others`; away from core's loop. */
  readonly check: (rules: readonly Rule[], others: readonly Rule[]) => Promise<readonly (readonly string[])[]>;
  /** What a person must see to, whenever it changes: files that differ or cannot be read, an active rule that cannot. */
  readonly onTroubles: (troubles: readonly string[]) => void;
  /** What safety rules that run cannot do here, whenever it changes. */
  readonly onFaulty: (problems: readonly string[]) => void;
  readonly log: Log;
}

/** Which rules run, what is wrong with them, and who must know of it. */
export class RuleLookout {
  readonly #options: RuleLookoutOptions;
  readonly #active = new Map<string, Rule>();
  /** By rule; '' for the folder. */
  readonly #troubles = new Map<string, string>();
  /** Of the rules that run: what they cannot do here. */
  readonly #problems = new Map<string, readonly string[]>();
  #faulty = '[]';

  constructor(options: RuleLookoutOptions) {
    this.#options = options;
  }

  /** What the start finds: nobody is told yet. */
  begin(active: readonly Rule[], troubles: ReadonlyMap<string, string>): void {
    for (const rule of active) this.#active.set(rule.id, rule);
    for (const [id, trouble] of troubles) if (!this.#troubles.has(id)) this.#troubles.set(id, trouble);
  }

  /** Tells everything, and looks at every rule that runs. */
  tell(): void {
    this.#tellTroubles();
    this.#lookAt([...this.#active.values()]);
  }

  trouble(id: string, what: string | null): void {
    if (what === null ? !this.#troubles.delete(id) : this.#troubles.get(id) === what) return;
    if (what !== null) this.#troubles.set(id, what);
    this.#tellTroubles();
  }

  runs(rule: Rule): void {
    this.#active.set(rule.id, rule);
    this.#lookAt([rule]);
  }

  stands(id: string): void {
    this.#active.delete(id);
    this.#problems.delete(id);
    this.#tellFaulty();
  }

  /** Every other rule that runs. */
  others(id: string): readonly Rule[] {
    return [...this.#active.values()].filter((rule) => rule.id !== id);
  }

  problemsOf(id: string): readonly string[] {
    const trouble = this.#troubles.get(id);
    return [...(trouble === undefined ? [] : [trouble]), ...(this.#problems.get(id) ?? [])];
  }

  /** Nobody waits for it. */
  #lookAt(rules: readonly Rule[]): void {
    this.#options.check(rules, [...this.#active.values()]).then(
      (found) => {
        rules.forEach((rule, i) => {
          if (this.#active.get(rule.id) === rule) this.#problems.set(rule.id, found[i] ?? []);
        });
        this.#tellFaulty();
      },
      (error: unknown) => this.#options.log.error({ error }, 'rules could not be looked at'),
    );
  }

  #tellTroubles(): void {
    this.#options.onTroubles([...this.#troubles.values()]);
  }

  #tellFaulty(): void {
    const safety = [...this.#active.values()].filter(({ kind }) => kind === 'safety');
    const faulty = safety.flatMap(({ id }) => (this.#problems.get(id) ?? []).map((problem) => `${id}: ${problem}`));
    const text = JSON.stringify(faulty);
    if (text === this.#faulty) return;
    this.#faulty = text;
    this.#options.onFaulty(faulty);
  }
}
