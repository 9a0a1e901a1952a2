import { z } from 'zod';
import { meterAddress, parseMeterAddress } from '../meter-way.ts';

/** The meter number as it is printed on the meter; shorter ones are filled up with zeros (the upper four are the maker's code). */
const meter = z
  .string('must be text in quotes: YAML reads 00000012345678 as a number')
  .regex(/^(\d{1,14}|A{14})$/, 'must be up to 14 digits, or AAAAAAAAAAAAAA when there is only one meter on the line')
  .transform((text) => text.padStart(14, '0'));

const schemas = meterAddress({
  meter,
  /** Kind of meter where it is another than its profile says: 0x10 cold water, 0x11 hot water, 0x12 drinking water ... */
  type: z.int().min(0x10).max(0x4f).optional(),
});

/** `{serial: {path, baud?, parity?, ...}, meter, type?}`, or `tcp: {host, port, baud?}` instead of serial. */
export type Cjt188Config = z.infer<typeof schemas.serial> | z.infer<typeof schemas.tcp>;

/** Whoever is there. */
export const anyMeter = 'AAAAAAAAAAAAAA';

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key (`address.meter: ...`). */
export function parseCjt188Config(input: unknown): Cjt188Config {
  return parseMeterAddress(schemas, input);
}
