import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';

/** How many registers a value takes and how its bytes become a value. */
const format = z.strictObject({
  as: z.enum(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bool', 'bcd', 'bcd32', 'sunssf', 'str']),
  /** Where the most significant byte A of a 32-bit value travels. 64 bits: the same idea over four words. */
  order: z.enum(['ABCD', 'CDAB', 'BADC', 'DCBA']),
  scale: z.number(),
  offset: z.number(),
  enum: z.record(z.string(), z.string()).optional(),
  /** Of all registers of the value as one word: 0 is the lowest. */
  bit: z.int().min(0).max(31).optional(),
  /** Raw patterns, as decimal text, by which the device says "no value". */
  invalid: z.array(z.string()),
  /** A number that is a name: text with all its digits. */
  text: z.literal(true).optional(),
  /** Power factor over four quadrants: beyond 1 it leads and means 2 - |v|. */
  pf4q: z.literal(true).optional(),
  /** Never written: `encodeRegisters` refuses them. */
  forbidden: z.array(z.union([z.number(), z.boolean(), z.string()])).optional(),
});

const place = {
  table: z.enum(['coil', 'discrete', 'holding', 'input']),
  /** 0-based, as sent on the wire; with `models` it counts from the register that holds the model's id. */
  at: z.int().min(0).max(65_535),
  /** Registers (holding, input) or bits (coil, discrete). */
  length: z.int().min(1).max(2000),
  format,
  /** SunSpec models that have it, the first found of them; only a walk from the marker tells where it is. */
  models: z.array(z.int()).min(1).optional(),
};

const onePlace = z.strictObject(place);
const scaledPlace = z.strictObject({
  ...place,
  /** Registers by whose product (`decodeFactor`) the value is multiplied; read together with it. */
  scaleFrom: z.array(onePlace).min(1).optional(),
});

const schema = z.strictObject({
  ...scaledPlace.shape,
  /** Always read as this whole block. */
  block: z.strictObject({ at: z.int().min(0), length: z.int().min(1).max(2000) }).optional(),
  /** The same value in each variant of the product, null: that variant does not have it. Absent: in all of them alike. */
  variants: z.record(z.string(), scaledPlace.nullable()).optional(),
  write: z
    .strictObject({
      fc: z.union([z.literal(5), z.literal(6), z.literal(15), z.literal(16)]),
      retry: z.int().min(0),
      /** `off`: when the device's own power returns it has fallen off. Absent: it is what it was. */
      boot: z.literal('off').optional(),
      /** Read back this instead of what was written. */
      readBack: onePlace.optional(),
    })
    .optional(),
});

/** What `Point.address` holds for Modbus: everything the driver needs and nobody else reads. */
export type ModbusAddress = z.infer<typeof schema>;
/** Where something is that is read but no point: a factor, a name plate. */
export type RegisterPlace = z.infer<typeof onePlace>;
export type RegisterFormat = z.infer<typeof format>;
export type Table = ModbusAddress['table'];

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parseModbusAddress(address: unknown): ModbusAddress {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}

/** Where a value is in a variant of its product; null: that variant does not have it. */
export function inVariant(address: ModbusAddress, variant: string): ModbusAddress | null {
  const { variants, ...always } = address;
  if (variants === undefined) return address;
  const found = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (found === undefined || found === null) return null;
  const { scaleFrom: _, models: __, ...rest } = always;
  return { ...rest, ...found };
}

const registersOf: Readonly<Record<Exclude<RegisterFormat['as'], 'str'>, number>> = {
  u16: 1,
  s16: 1,
  bool: 1,
  bcd: 1,
  sunssf: 1,
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
  const plain = as === 'bits' ? 'u16' : as === 'bits32' ? 'u32' : as;
  return Object.hasOwn(registersOf, plain) ? (registersOf[plain as keyof typeof registersOf] ?? 1) : 1;
}
