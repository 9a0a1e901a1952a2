import { z } from 'zod';
import type { Value } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { SnmpValue } from './profile.ts';

const schema = z.strictObject({
  /** Of a scalar with its .0, of a column without an index. */
  oid: z.string(),
  /** Which row of the table, from 1 as it is printed on the switch; null: a scalar. */
  row: z.strictObject({ of: z.enum(['interface', 'poe']), number: z.int().min(1) }).nullable(),
  type: z.enum(['number', 'boolean', 'text']),
  map: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])).optional(),
  scale: z.number(),
  offset: z.number(),
  rate: z.boolean(),
});

/** What `Point.address` holds for SNMP: everything the driver needs and nobody else reads. */
export type SnmpAddress = z.infer<typeof schema>;

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parseSnmpAddress(address: unknown): SnmpAddress {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}

export function snmpAddressOf(value: SnmpValue, number: number | null): SnmpAddress {
  return {
    oid: value.at,
    row: value.rows === undefined || number === null ? null : { of: value.rows, number },
    type: value.type,
    ...(value.map === undefined ? {} : { map: value.map as Record<string, Value> }),
    scale: value.scale ?? 1,
    offset: value.offset ?? 0,
    rate: value.rate === true,
  };
}
