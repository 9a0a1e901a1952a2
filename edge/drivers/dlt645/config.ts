import { z } from 'zod';
import { meterAddress, parseMeterAddress } from '../meter-way.ts';

const inQuotes = 'must be text in quotes: YAML reads 000000123456 as a number';

/** The meter number as it is printed on the meter; shorter ones are filled up with zeros. */
const meter = z
  .string(inQuotes)
  .regex(/^(\d{1,12}|A{12})$/, 'must be up to 12 digits, or AAAAAAAAAAAA when there is only one meter on the line')
  .transform((text) => text.padStart(12, '0'));

const schemas = meterAddress({
  meter,
  /** For the relay: six digits (level 02), or eight, the first two being the level. */
  password: z
    .string(inQuotes)
    .regex(/^(\d{2})?\d{6}$/, 'must be six digits, or eight with the level first')
    .transform((text) => text.padStart(8, '02'))
    .optional(),
  /** Who the meter notes in its record of switchings. */
  operator: z
    .string(inQuotes)
    .regex(/^\d{1,8}$/, 'must be up to 8 digits')
    .transform((text) => text.padStart(8, '0'))
    .default('00000000'),
});

/** `{serial: {path, baud?, parity?, ...}, meter, password?, operator?}`, or `tcp: {host, port, baud?}` instead of serial. */
export type Dlt645Config = z.infer<typeof schemas.serial> | z.infer<typeof schemas.tcp>;

/** Whoever is there. */
export const anyMeter = 'AAAAAAAAAAAA';

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key (`address.meter: ...`). */
export function parseDlt645Config(input: unknown): Dlt645Config {
  return parseMeterAddress(schemas, input);
}
