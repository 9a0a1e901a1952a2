import { messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type RuleBody, ruleHash } from '#edge/runtime/rule-body.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { type DocumentChange, ruleVersionId } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';
import { entryOf, type KnownVersion, type RuleEntry } from './rule-entry.ts';

/** Rules and their versions as the store has them, and versions that are on their way there. What cannot be read is said and left out. */
export class RuleVersions {
  readonly #reader: Pick<Reader, 'document' | 'documents'>;
  readonly #log: Log;
  #waiting: ReadonlyMap<string, RuleBody> = new Map();

  constructor(reader: Pick<Reader, 'document' | 'documents'>, log: Log) {
    this.#reader = reader;
    this.#log = log;
  }

  /** What is still to be stored; nothing any more. */
  expect(documents: readonly DocumentChange[]): void {
    const versions = documents.filter(({ kind, body }) => kind === 'ruleVersion' && body !== null);
    this.#waiting = new Map(versions.map(({ id, body }) => [id, (body as { readonly body: RuleBody }).body]));
  }

  /** null: it is not there, or cannot be understood. */
  get(rule: string, version: number): KnownVersion | null {
    const id = ruleVersionId(rule, version);
    const body = this.#waiting.get(id) ?? this.#read(id);
    const parsed = body === null ? null : parseRule(body);
    if (body === null || parsed === null || !parsed.ok) return null;
    return { version, body, rule: parsed.rule, digest: ruleHash(parsed.rule) };
  }

  /** null: there is no store to ask. */
  entries(): readonly RuleEntry[] | null {
    try {
      return this.#reader.documents('rule').map(entryOf);
    } catch (error) {
      this.#log.error({ problem: messageOf(error) }, 'rules start from their files: nothing stored can be read');
      return null;
    }
  }

  /** null: it is not there. Throws what the reader throws. */
  entry(id: string): RuleEntry | null {
    const stored = this.#reader.document('rule', id);
    return stored === null ? null : entryOf(stored);
  }

  #read(id: string): RuleBody | null {
    try {
      return this.#reader.document('ruleVersion', id)?.body.body ?? null;
    } catch (error) {
      this.#log.error({ error, version: id }, 'a version of a rule cannot be read');
      return null;
    }
  }
}
