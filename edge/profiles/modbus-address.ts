import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

/** How many registers a value takes and how its bytes become a value. */
const format = z.strictObject({
  as: z.enum(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bool', 'bcd', 'bcd32', 'str']),
  /** Where the most significant byte A of a 32-bit value travels. 64 bits: the same idea over four words. */
  order: z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']),
  scale: z.number(),
  offset: z.number(),
  enum: z.record(z.string(), z.string()).optional(),
  bit: z.int().min(0).max(15).optional(),
  /** Raw patterns, as decimal text, by which the device says "no value". */
  invalid: z.array(z.string()),
});

const schema = z.strictObject({
  table: z.enum(['coil', 'discrete', 'holding', 'input']),
  /** 0-based, as sent on the wire. */
  at: z.int().min(0).max(65_535),
  /** Registers (holding, input) or bits (coil, discrete). */
  length: z.int().min(1).max(2000),
  format,
  /** Always read as this whole block. */
  block: z.strictObject({ at: z.int().min(0), length: z.int().min(1).max(2000) }).optional(),
  write: z
    .strictObject({
      fc: z.union([z.literal(5), z.literal(6), z.literal(15), z.literal(16)]),
      retry: z.int().min(0),
    })
    .optional(),
});

/** What `Point.address` holds for Modbus: everything the driver needs and nobody else reads. */
export type ModbusAddress = z.infer<typeof schema>;
export type RegisterFormat = z.infer<typeof format>;
export type Table = ModbusAddress['table'];

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parseModbusAddress(address: unknown): ModbusAddress {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}

const registersOf: Readonly<Record<Exclude<RegisterFormat['as'], 'str'>, number>> = {
  u16: 1,
  s16: 1,
  bool: 1,
  bcd: 1,
  u32: 2,
  s32: 2,
  f32: 2,
  bcd32: 2,
  u64: 4,
  s64: 4,
  f64: 4,
};

/** Registers of an encoding as a profile spells it: `f32` -> 2, `str(8)` -> 8. */
export function registerCount(as: string): number {
  const text = /^str\((\d+)\)$/.exec(as);
  if (text !== null) return Number(text[1]);
  const plain = as === 'bits' ? 'u16' : as;
  return Object.hasOwn(registersOf, plain) ? (registersOf[plain as keyof typeof registersOf] ?? 1) : 1;
}
