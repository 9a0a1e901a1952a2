import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { profileSchema } from './profile.ts';

/** `device-profiles/schema.json` as text: editors check and complete profiles with it. */
export function schemaText(): string {
  const schema = z.toJSONSchema(profileSchema, { io: 'input', target: 'draft-7' });
  return `${layOut({ title: 'Campus Edge device profile', ...schema }, '', '')}\n`;
}

/** JSON as the project's formatter writes it: a list of plain values on one line where it fits 120 columns. */
function layOut(value: unknown, indent: string, lead: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const plain = value.every((item) => typeof item !== 'object');
    if (plain && indent.length + lead.length + line.length < 120) return line;
    return `[\n${value.map((item) => inner + layOut(item, inner, '')).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return inner + name + layOut(item, inner, name);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** Writes schema.json into the folder of profiles; resolves with its path. */
export async function writeSchema(folder: string): Promise<string> {
  const file = join(folder, 'schema.json');
  await writeFile(file, schemaText());
  return file;
}
