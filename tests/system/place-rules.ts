import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { formatRuleFile } from '#edge/runtime/rule-file.ts';
import type { Site } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';

/** What a test wants to run. */
export interface PlacedRules {
  /** By id, as a rule file holds them; they stand beside the demo's, or in place of those of the same id. */
  readonly rules?: Readonly<Record<string, RuleBody>>;
  /** Only these, none of the demo's: its devices are gone. */
  readonly onlyRules?: Readonly<Record<string, RuleBody>>;
}

/** The demo's rules, where a test may change them, and the test's own. Returns the folder. A second start finds it as the first left it. */
export function placeRules(demo: Site, data: string, { rules = {}, onlyRules }: PlacedRules = {}): string {
  const folder = join(data, 'rules');
  if (existsSync(folder)) return folder;
  mkdirSync(folder, { recursive: true });
  const own = Object.entries(onlyRules ?? rules);
  for (const [id, body] of own) writeFileSync(join(folder, `${id}.yaml`), formatRuleFile(body));
  if (onlyRules === undefined) cpSync(rulesFolder(demo), folder, { recursive: true, force: false });
  return folder;
}
