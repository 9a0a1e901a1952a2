import { join } from 'node:path';
import { activated, addVersion, putRule } from '#edge/processes/core/rule-entry.ts';
import { type RuleOnDisk, readRuleFolder } from '#edge/runtime/rule-folder.ts';
import type { Store } from '#edge/store/store.ts';

const demo = join(import.meta.dirname, '../../../edge/simulators/rules');

/** Puts rules (by default the demo's for safety) into the database as core does when it finds them in the folder: each is active in its first version. */
export async function storeRules(store: Store | null, rules?: readonly RuleOnDisk[]): Promise<void> {
  const given = rules ?? (await readRuleFolder(demo)).rules.filter(({ rule }) => rule.kind === 'safety');
  if (store === null) throw new Error('there is no store');
  const act = { who: 'process:core', from: 'test', why: 'found in the rules folder', time: 1 };
  const documents = given.flatMap(({ body, rule, hash }) => {
    const made = addVersion(rule.id, null, { body, rule, source: 'file', before: null }, act, 'rule.take-in');
    const state = { ...activated(made.state, { version: 1, body, rule, digest: hash }), writing: null };
    return [...made.changes, putRule({ id: rule.id, rev: 0 }, state, act, { verb: 'rule.activate' }).change];
  });
  await store.append({ documents });
}
