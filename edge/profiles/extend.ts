import { z } from 'zod';
import { header, name, slug } from './profile-fields.ts';

/* A profile that says only how it differs from another one: `extends: meter/eastron-sdm630`. */

const partial = z.record(z.string(), z.unknown());

export const extensionSchema = z
  .strictObject({
    extends: z
      .string()
      .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'must be such as meter/eastron-sdm630')
      .describe('The profile it is like: everything that is not said here is as there'),
    profile: header.profile,
    name,
    kind: header.kind.optional(),
    source: z.array(z.string().min(1)).optional().describe("In addition to the other's"),
    bus: partial.optional().describe('Keys that differ'),
    factors: z.record(slug, partial.nullable()).optional().describe('Keys that differ; null: it does not have it'),
    check: z.array(z.unknown()).optional().describe("Instead of the other's"),
    variants: z.array(z.unknown()).nullable().optional().describe("Instead of the other's; null: it has none"),
    values: z
      .record(slug, partial.nullable())
      .optional()
      .describe('More values, and keys of values that differ; null: it does not have it'),
    test: z
      .array(z.unknown())
      .optional()
      .describe("More vectors; the other's stay for values that are not named in `values`"),
  })
  .describe('A profile that differs from another one');

export type Extension = z.infer<typeof extensionSchema>;
type Raw = Readonly<Record<string, unknown>>;

export function isRecord(body: unknown): body is Raw {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

/** The whole profile as if it had been written out. `parent` is whole already. */
export function extendProfile(parent: Raw, own: Extension): Raw {
  const { extends: _, bus, factors, values, test, source, variants, ...rest } = own;
  const changed = Object.keys(values ?? {});
  const { variants: inherited, ...plain } = parent;
  const kept = variants === undefined ? inherited : variants;
  // Profiles without registers have neither a line nor vectors.
  const hasBus = parent.bus !== undefined || bus !== undefined;
  const hasTest = parent.test !== undefined || test !== undefined;
  return {
    ...plain,
    ...rest,
    ...(kept === undefined || kept === null ? {} : { variants: kept }),
    ...(hasBus ? { bus: { ...recordOf(parent.bus), ...bus } } : {}),
    ...(parent.factors === undefined && factors === undefined ? {} : { factors: mergeEach(parent.factors, factors) }),
    values: mergeEach(parent.values, values),
    // Its own first: the place of a mistake in them is then the place in its file.
    ...(hasTest
      ? { test: [...(test ?? []), ...listOf(parent.test).filter((vector) => !isAbout(vector, changed))] }
      : {}),
    source: [...(source ?? []), ...listOf(parent.source)],
  };
}

const recordOf = (value: unknown): Raw => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function mergeEach(parent: unknown, own: Extension['values']): Raw {
  const merged = new Map<string, unknown>(Object.entries(recordOf(parent)));
  for (const [key, value] of Object.entries(own ?? {})) {
    if (value === null) merged.delete(key);
    else merged.set(key, withoutNulls({ ...recordOf(merged.get(key)), ...value }));
  }
  return Object.fromEntries(merged);
}

const withoutNulls = (record: Raw): Raw => Object.fromEntries(Object.entries(record).filter(([, one]) => one !== null));

/** `voltage_l1` is about `voltage`, `power_l2` about `power_l`; `power_factor` is not about `power`. */
function isAbout(vector: unknown, names: readonly string[]): boolean {
  const { value } = recordOf(vector);
  if (typeof value !== 'string') return false;
  return names.some((one) => value === one || value.replace(/_(l[123]|\d+)$/, '') === one.replace(/_l$/, ''));
}
