import { stat } from 'node:fs/promises';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { readRuleFolder, removeRuleFile, writeRuleFile } from '#edge/runtime/rule-folder.ts';
import type { RuleFolderNow } from './rule-reconcile.ts';

/** The rules folder, as the life of rules needs it. Nothing here rejects: what cannot be done is said. */
export interface RuleFiles {
  read(): Promise<RuleFolderNow>;
  /** Whole or not at all, also when the power goes; body null takes the file away. Answers what is in the way, null: it is done. */
  write(id: string, body: RuleBody | null): Promise<string | null>;
}

export function createRuleFiles(folder: string): RuleFiles {
  return {
    read: async () => {
      try {
        const { rules, broken } = await readRuleFolder(folder);
        return {
          isThere: rules.length + broken.length > 0 || (await isThere(folder)),
          files: rules.map(({ body, rule, hash }) => ({ id: rule.id, body, rule, digest: hash })),
          broken: broken.map(({ file, message }) => ({ file, id: file.replace(/\.yaml$/, ''), message })),
        };
      } catch (error) {
        return { isThere: false, files: [], broken: [{ file: folder, id: '', message: messageOf(error) }] };
      }
    },
    write: async (id, body) => {
      try {
        await (body === null ? removeRuleFile(folder, id) : writeRuleFile(folder, id, body));
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
  };
}

async function isThere(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    return codeOf(error) !== 'ENOENT';
  }
}
