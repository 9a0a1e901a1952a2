import { z } from 'zod';
import { cjt188Profile } from './cjt188-profile.ts';
import { dlt645Profile } from './dlt645-profile.ts';
import { modbusProfile } from './modbus-profile.ts';
import { phrasesProfile } from './phrases-profile.ts';
import { header, meaning, value, values, write } from './profile-fields.ts';

/* The profile file: one product, no site data. Strict: an unknown key is an error with its path, its line and its column. */

const foreignValue = z.strictObject({
  ...meaning,
  at: z.string().min(1).max(256).describe('Path in what the device sends, or a word its driver knows'),
  type: z.enum(['number', 'boolean', 'text']).default('number'),
  map: z
    .record(z.string(), value)
    .optional()
    .describe('What the device says -> what it means, e.g. {online: true, offline: false}'),
  scale: z.number().optional(),
  offset: z.number().optional(),
  write: z.strictObject(write).optional(),
});

/** `1.3.6.1.2.1.1.3.0`: a scalar with its .0, a column of a table without an index. */
const oid = z
  .string()
  .regex(/^[012](\.(0|[1-9]\d{0,9})){2,60}$/, 'must be an OID in numbers such as 1.3.6.1.2.1.1.3.0');

const snmpValue = z.strictObject({
  ...meaning,
  at: oid,
  rows: z
    .enum(['interface', 'poe'])
    .optional()
    .describe(
      'Rows of a table: interface by ifIndex (RFC 2863), poe by group and port (RFC 3621); the site says where they start',
    ),
  count: z.int().min(1).max(128).optional().describe('So many rows, named <name>_1 .. _n'),
  type: z.enum(['number', 'boolean', 'text']).default('number'),
  map: z
    .record(z.string(), value)
    .optional()
    .describe('What the agent says -> what it means, e.g. {1: true, 2: false}'),
  scale: z.number().optional(),
  offset: z.number().optional(),
  rate: z.literal(true).optional().describe('A counter of 32 or 64 bits as what it rises by in a second (then scaled)'),
  write: z.strictObject(write).optional(),
});

const foreign = { ...header, values: values(foreignValue) };

export const profileSchema = z.discriminatedUnion('protocol', [
  modbusProfile,
  dlt645Profile,
  cjt188Profile,
  z.strictObject({ ...foreign, protocol: z.literal('onvif') }),
  z.strictObject({ ...foreign, protocol: z.literal('broadcast') }),
  z.strictObject({ ...foreign, protocol: z.literal('sip') }),
  z.strictObject({ ...foreign, protocol: z.literal('http-pa') }),
  z.strictObject({ ...foreign, protocol: z.literal('snapcast') }),
  z.strictObject({ ...foreign, protocol: z.literal('line') }),
  z.strictObject({ ...foreign, protocol: z.literal('mqtt') }),
  z.strictObject({ ...foreign, protocol: z.literal('ping') }),
  z.strictObject({ ...foreign, protocol: z.literal('pjlink') }),
  z.strictObject({ ...foreign, protocol: z.literal('fire-panel') }),
  z.strictObject({ ...foreign, protocol: z.literal('wake') }),
  phrasesProfile,
  z.strictObject({ ...header, protocol: z.literal('snmp'), values: values(snmpValue) }),
]);

export type Profile = z.infer<typeof profileSchema>;
export type ForeignValue = z.infer<typeof foreignValue>;
export type SnmpProfile = Extract<Profile, { protocol: 'snmp' }>;
export type SnmpValue = z.infer<typeof snmpValue>;
export type { Cjt188Profile, Cjt188Value } from './cjt188-profile.ts';
export type { Dlt645Profile, Dlt645Value } from './dlt645-profile.ts';
export type { ModbusProfile, ModbusValue, ProfileCheck, TestVector } from './modbus-profile.ts';
export type { PhrasesProfile, PhraseValue } from './phrases-profile.ts';
