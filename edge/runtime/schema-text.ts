import { z } from 'zod';

/** A zod schema as the text of a JSON Schema file, with which editors check and complete what people write. */
export function schemaFileText(title: string, schema: z.ZodType): string {
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return `${layOut({ title, ...made }, '', '')}\n`;
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
