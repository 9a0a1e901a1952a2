import { z } from 'zod';
import type { Device } from '#edge/domain/device.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { Phrase, PhrasesProfile, PhraseValue } from './phrases-profile.ts';

const pieceSchema = z.union([z.string(), z.strictObject({ hex: z.string() })]);
const pieces = z.array(pieceSchema);
const schema = z.strictObject({
  way: z.enum(['mqtt', 'tcp', 'http']),
  /** Topic or path, with its placeholders. */
  where: z.string(),
  method: z.enum(['GET', 'POST', 'PUT']),
  type: z.string(),
  encoding: z.enum(['utf-8', 'gbk']),
  /** By value as text; null: one phrase for all. */
  say: z.record(z.string(), pieces).nullable(),
  template: pieces.nullable(),
  expect: pieces.nullable(),
  ask: z.strictObject({ say: pieces, is: z.record(z.string(), pieces) }).nullable(),
  text: z.strictObject({ most: z.number(), refuse: z.string(), clear: pieces.nullable() }).nullable(),
});

/** What `Point.address` holds for phrases: everything the driver needs and nobody else reads. */
export type PhraseAddress = z.infer<typeof schema>;
export type Pieces = z.infer<typeof pieces>;

/** Throws PROFILE_ADDRESS naming the key that is wrong. */
export function parsePhraseAddress(address: unknown): PhraseAddress {
  const result = schema.safeParse(address);
  if (!result.success) throw new CodedError('PROFILE_ADDRESS', describeIssues(result.error));
  return result.data;
}

export function phraseAddressOf(profile: PhrasesProfile, value: PhraseValue): PhraseAddress {
  const { way, method, type, encoding } = profile;
  const where = way === 'mqtt' ? (value.topic ?? profile.topic ?? '') : (value.path ?? profile.path ?? '');
  const { say, expect, ask, text } = value;
  return {
    ...{ way, where: way === 'tcp' ? '' : where, method, type, encoding },
    say: isPhrase(say) ? null : Object.fromEntries(Object.entries(say).map(([key, said]) => [key, piecesOf(said)])),
    template: isPhrase(say) ? piecesOf(say) : null,
    expect: expect === undefined ? null : piecesOf(expect),
    ask:
      ask === undefined
        ? null
        : {
            say: piecesOf(ask.say),
            is: Object.fromEntries(Object.entries(ask.is).map(([key, answer]) => [key, piecesOf(answer)])),
          },
    text:
      text === undefined
        ? null
        : {
            most: text.most,
            refuse: text.refuse ?? '',
            clear: text.clear === undefined ? null : piecesOf(text.clear),
          },
  };
}

export function isPhrase(say: PhraseValue['say']): say is Phrase {
  return (
    typeof say === 'string' || Array.isArray(say) || (Object.keys(say).length === 1 && typeof say.hex === 'string')
  );
}

export function piecesOf(phrase: Phrase): Pieces {
  return Array.isArray(phrase) ? phrase : [phrase];
}

/** What the site file says of a place over MQTT: levels of a topic, without wildcards. */
export const mqttPlace = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}(\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}){0,5}$/;

/** `cmnd/{at}/IRsend` at `ir-203` is `cmnd/ir-203/IRsend`. */
export function placed(where: string, at: string): string {
  return where.replaceAll('{at}', at);
}

/** The topics on which these devices are told something: their driver may publish there and nowhere else. */
export function toldTopics(devices: readonly Device[]): string[] {
  const topics = devices.flatMap(({ protocol, points, address }) => {
    if (protocol !== 'phrases' || typeof address !== 'object' || address === null || !('mqtt' in address)) return [];
    const at = address.mqtt;
    if (typeof at !== 'string' || !mqttPlace.test(at)) return [];
    return points.map((point) => placed(parsePhraseAddress(point.address).where, at));
  });
  return [...new Set(topics)];
}
