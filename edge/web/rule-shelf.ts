import { type Rule, ruleOfInstance } from '#edge/domain/rule.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { type DocumentBody, ruleVersionId, type StoredDocument } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { type Placed, type Reach, reachOf } from './rule-reach.ts';

export type StoredRule = StoredDocument<'rule'>;
export type StoredVersion = DocumentBody<'ruleVersion'>;

/** Parsed versions that are kept: a version never changes. */
const mostParsed = 2_000;

/** Rules as they are stored, read by whoever looks; core alone changes them. */
export class RuleShelf {
  readonly #reader: Pick<Reader, 'document' | 'documents'>;
  readonly #devices: readonly Placed[];
  readonly #parsed = new Map<string, Rule | null>();

  constructor(reader: Pick<Reader, 'document' | 'documents'>, devices: readonly Placed[]) {
    this.#reader = reader;
    this.#devices = devices;
  }

  /** Throws what the reader throws: STORE_NOT_READY while core has made no database. */
  all(): readonly StoredRule[] {
    return this.#reader.documents('rule');
  }

  find(id: string): StoredRule | null {
    return this.#reader.document('rule', id);
  }

  version(rule: string, version: number): StoredVersion | null {
    return this.#reader.document('ruleVersion', ruleVersionId(rule, version))?.body ?? null;
  }

  /** What a stored rule says: its active version, else the newest. null: that cannot be understood. */
  shown({ id, body }: StoredRule): Rule | null {
    return this.rule(this.version(id, body.active ?? body.latest));
  }

  rule(version: StoredVersion | null): Rule | null {
    if (version === null) return null;
    const key = `${version.rule} ${version.version} ${version.time}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const parsed = parseRule(version.body);
    const rule = parsed.ok ? parsed.rule : null;
    if (this.#parsed.size >= mostParsed) this.#parsed.clear();
    this.#parsed.set(key, rule);
    return rule;
  }

  /** Safety rules that run, with how far they reach; none while there is no store to ask. */
  safety(): readonly { readonly rule: Rule; readonly reach: Reach }[] {
    const running = this.#running();
    const byId = new Map(running.map((rule) => [rule.id, rule]));
    const safety = running.filter(({ kind }) => kind === 'safety');
    return safety.map((rule) => ({ rule, reach: reachOf(rule, null, this.#devices, byId) }));
  }

  /** Who may see an instance is who sees a zone in which it looks or acts. undefined: no such rule. */
  reach(): (instance: string) => Reach | undefined {
    const shown = new Map(this.all().map((stored) => [stored.id, this.shown(stored)]));
    const byId = new Map([...shown].flatMap(([id, rule]) => (rule === null ? [] : [[id, rule] as const])));
    const known = new Map<string, Reach>();
    return (instance) => {
      const found = known.get(instance);
      if (found !== undefined) return found;
      const id = ruleOfInstance(instance);
      const rule = byId.get(id);
      if (rule === undefined) return undefined;
      const place = instance.length === id.length ? null : instance.slice(id.length + 1);
      const reach = reachOf(rule, place, this.#devices, byId);
      known.set(instance, reach);
      return reach;
    };
  }

  #running(): readonly Rule[] {
    try {
      return this.all().flatMap((stored) => {
        const rule = stored.body.active === null ? null : this.shown(stored);
        return rule === null ? [] : [rule];
      });
    } catch (error) {
      if (codeOf(error) === 'STORE_NOT_READY') return [];
      throw error;
    }
  }
}
