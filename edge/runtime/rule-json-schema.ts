import { ruleFileSchema } from './rule-schema.ts';
import { schemaFileText } from './schema-text.ts';

/** `edge/rules/rule.schema.json` as text: editors check and complete rule files with it. */
export function ruleSchemaText(): string {
  return schemaFileText('Campus Edge rule', ruleFileSchema);
}
