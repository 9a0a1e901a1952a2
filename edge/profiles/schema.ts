import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { schemaFileText } from '#edge/runtime/schema-text.ts';
import { extensionSchema } from './extend.ts';
import { profileSchema } from './profile.ts';

/** `device-profiles/schema.json` as text: editors check and complete profiles with it. */
export function schemaText(): string {
  return schemaFileText('Campus Edge device profile', z.union([extensionSchema, ...profileSchema.options]));
}

/** Writes schema.json into the folder of profiles; resolves with its path. */
export async function writeSchema(folder: string): Promise<string> {
  const file = join(folder, 'schema.json');
  await writeFile(file, schemaText());
  return file;
}
