import { z } from 'zod';
import { header, hex, meaning, values, write } from './profile-fields.ts';

/*
 * Devices that are told something and say little or nothing back: televisions behind an infrared blaster, screens behind a serial server,
 * message boards, signage players. A profile is their phrase book: for each value of a point what is said for it.
 */

const piece = z.union([
  z
    .string()
    .min(1)
    .max(2_000)
    .describe('Text; {value} stands for the value as it is, {json} for it as JSON, {at} for the place'),
  z.strictObject({ hex: hex.describe('Bytes as they are') }),
]);

export const phrase = z
  .union([piece, z.array(piece).min(1).max(8).describe('Pieces, one right after the other')])
  .describe('What is said: text, {hex: "aa 01"}, or pieces of both');
export type Phrase = z.infer<typeof phrase>;

const textRule = z
  .strictObject({
    most: z.int().min(1).max(200).describe('Characters that it can show'),
    refuse: z
      .string()
      .min(1)
      .max(40)
      .optional()
      .describe('Characters that its protocol uses itself: a text with one is refused'),
    clear: phrase.optional().describe('What is said to show nothing; default the phrase with an empty text'),
  })
  .describe('It shows any text, not one of a list');

const ask = z
  .strictObject({
    say: phrase,
    is: z
      .record(z.string().min(1).max(64), phrase)
      .describe('Value -> what its answer holds then, e.g. {"true": "PWR=ON"}'),
  })
  .describe('How its state is asked: what is asked is proved, and read as often as `poll` says. Over tcp only');

const phraseValue = z.strictObject({
  label: meaning.label,
  unit: meaning.unit,
  range: meaning.range,
  optional: meaning.optional,
  poll: meaning.poll,
  type: z.enum(['boolean', 'text', 'number']).default('boolean'),
  say: z
    .union([phrase, z.record(z.string().min(1).max(64), phrase)])
    .describe('Value -> phrase, e.g. {"true": ..., "false": ...}; or one phrase with {value} or {json} in it'),
  topic: z.string().min(1).max(200).optional().describe("Instead of the profile's"),
  path: z.string().min(1).max(500).optional().describe("Instead of the profile's"),
  expect: phrase
    .optional()
    .describe('What its answer holds when it has understood; without it any or no answer will do'),
  ask: ask.optional(),
  text: textRule.optional(),
  write: z.strictObject(write).default({ fail_safe: 'keep' }),
});

export const phrasesProfile = z.strictObject({
  ...header,
  protocol: z.literal('phrases'),
  way: z
    .enum(['mqtt', 'tcp', 'http'])
    .describe('How it is reached; the site file has the place: {mqtt: ...}, {tcp: ...} or {http: ...}'),
  topic: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Over mqtt: where it listens, with {at} for what the site file says'),
  path: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Over http: what stands behind the address, with {phrase} and {password} escaped where they stand'),
  method: z.enum(['GET', 'POST', 'PUT']).default('POST').describe('Over http; the phrase is the body, except of GET'),
  type: z
    .string()
    .regex(/^[a-z]+\/[a-z0-9.+-]+(; ?charset=[a-z0-9-]+)?$/i)
    .default('application/json'),
  encoding: z.enum(['utf-8', 'gbk']).default('utf-8').describe('Of all text that is said'),
  values: values(phraseValue),
});

export type PhrasesProfile = z.infer<typeof phrasesProfile>;
export type PhraseValue = z.infer<typeof phraseValue>;
