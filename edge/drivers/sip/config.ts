import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Priority } from '#edge/domain/output.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { describeIssues, duration } from '#edge/runtime/site.ts';
import type { Login } from './account.ts';
import { parseUri } from './address.ts';
import type { Header } from './message.ts';

/** The words of a loudspeaker by RTP (`zonePriority`): what the priorities of outputs are called where sound is meant. */
const classOf: Readonly<Record<Priority, SipClass>> = {
  1: 'life-safety',
  5: 'critical',
  8: 'operator',
  12: 'automation',
  15: 'schedule',
};
const classes = ['life-safety', 'critical', 'operator', 'automation', 'schedule'] as const;
export type SipClass = (typeof classes)[number];

export const sipCodecs = ['PCMA', 'PCMU', 'G722', 'OPUS'] as const;
export type SipCodec = (typeof sipCodecs)[number];

const uri = z
  .string()
  .max(300)
  .refine((text) => parseUri(text)?.scheme === 'sip', 'must be a SIP address such as sip:hall@192.0.2.40');
const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}(%[A-Za-z0-9]{1,15})?$/, 'must be a host name or an IP address');
const port = z.int().min(1).max(65_535);
/** Ours alone: whoever sets these decides what a call is. */
const own =
  /^(via|from|to|call-id|cseq|contact|max-forwards|content-length|content-type|route|record-route|authorization|proxy-authorization|require)$/i;
const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,47}$/, 'must be the name of a header such as Alert-Info')
      .refine((name) => !own.test(name), 'is not to be set here'),
    z.string().regex(/^[\x20-\x7e]{0,200}$/, 'must be at most 200 letters of ASCII'),
  )
  .refine((found) => Object.keys(found).length <= 8, 'must have at most 8 headers');
const seconds = (least: number, most: number) =>
  duration.refine((ms) => ms >= least && ms <= most, `must be between ${least / 1_000}s and ${most / 1_000}s`);
const autoAnswer = z.enum(['common', 'strict', 'none']);

const schema = z
  .strictObject({
    /** Whom to call: the loudspeaker itself, or a page group of an exchange. */
    call: uri,
    transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
    /** Where messages go; absent: to the host of `call`. */
    proxy: z.strictObject({ host, port: port.optional() }).optional(),
    /** UDP port here; absent: a free one. */
    port: port.optional(),
    /** Who calls: the user part of our address, and what a display shows. */
    user: z
      .string()
      .regex(/^[A-Za-z0-9._+-]{1,64}$/, 'must be a user name')
      .default('campus'),
    name: z
      .string()
      .regex(/^[^"\\\p{Cc}]{1,48}$/u, 'must be up to 48 letters without quotes')
      .default('Campus'),
    username: z
      .string()
      .regex(/^[^"\\\p{Cc}]{1,64}$/u, 'must be a user name')
      .optional(),
    password: z.string().min(1).max(128).optional(),
    passwordFile: z.string().min(1).optional(),
    /** Whose challenge is answered; absent: the first that is met. */
    realm: z.string().min(1).max(128).optional(),
    /** An exchange that only lets registered ones call. */
    register: z.strictObject({ expires: seconds(60_000, 3_600_000).default(300_000) }).optional(),
    /**
     * What makes it answer by itself. `common`: the headers as most makers document them; `strict`: the same, written as RFC 3261
     * has them, and RFC 5373's; `none`: it always answers, or `headers` say how.
     */
    autoAnswer: autoAnswer.default('common'),
    headers: headers.default({}),
    /** In the order of preference. Every clip is decoded ahead at their rates: Opus takes six times the memory of G.711. */
    codecs: z.array(z.enum(sipCodecs)).min(1).max(4).default(['PCMA', 'PCMU', 'G722']),
    /** From the call until somebody took it. */
    answerWithin: seconds(500, 30_000).default(4_000),
    /** What it sends is listened to and measured. */
    /**
     * true: whoever speaks live may hear the room. Absent: its microphone only proves that its loudspeaker sounds. false: it is asked to
     * send nothing.
     */
    talkback: z.boolean().optional(),
    /** Its sound may come from another port than it said (a translation in between). */
    symmetric: z.boolean().default(false),
    /** `none` for what does not bear OPTIONS. */
    probe: z.enum(['options', 'none']).default('options'),
    tls: z
      .strictObject({
        caFile: z.string().min(1).optional(),
        fingerprint: z
          .string()
          .regex(/^([0-9a-fA-F]{2}:?){32}$/, 'must be a SHA-256 fingerprint')
          .optional(),
        serverName: host.optional(),
      })
      .optional(),
    /** Where a class is played instead: an exchange has an extension for emergencies, a maker another ring. */
    zonePriority: z
      .partialRecord(z.enum(classes), z.strictObject({ call: uri.optional(), headers: headers.optional() }))
      .optional(),
  })
  .refine((c) => c.password === undefined || c.passwordFile === undefined, {
    message: 'only one of password and passwordFile may be given',
    path: ['passwordFile'],
  })
  .refine((c) => c.tls === undefined || c.transport === 'tls', { message: 'belongs to transport: tls', path: ['tls'] })
  .refine((c) => c.register === undefined || c.username !== undefined, {
    message: 'needs username',
    path: ['register'],
  });

/** `device.address` of a loudspeaker, a classroom terminal or a page group. */
export type SipConfig = z.output<typeof schema>;

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parseSipConfig(input: unknown): SipConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = describeIssues(result.error).split('\n');
  throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
}

/** What a class of sound is called with. Equal keys: one call can carry both. */
export interface Route {
  readonly key: string;
  readonly call: string;
  readonly headers: readonly Header[];
  readonly class: SipClass;
}

export function routeOf(config: SipConfig, priority: Priority): Route {
  const name = classOf[priority];
  const other = config.zonePriority?.[name];
  const call = other?.call ?? config.call;
  const more = Object.entries({ ...config.headers, ...other?.headers });
  const headers: Header[] = [
    ...answerHeaders(config.autoAnswer, call),
    ...more.map(([key, value]): Header => [key.toLowerCase(), value]),
  ];
  return { key: JSON.stringify([call, headers]), call, headers, class: name };
}

/** Yealink, Grandstream, Fanvil and their like look for these words wherever they stand. */
function answerHeaders(kind: z.output<typeof autoAnswer>, call: string): readonly Header[] {
  if (kind === 'none') return [];
  if (kind === 'common') {
    return [
      ['alert-info', 'info=alert-autoanswer'],
      ['call-info', ';answer-after=0'],
    ];
  }
  const at = parseUri(call)?.host ?? 'localhost';
  const written = at.includes(':') ? `[${at}]` : at;
  return [
    ['alert-info', `<http://${written}/>;info=alert-autoanswer`],
    ['call-info', `<sip:${written}>;answer-after=0`],
    ['answer-mode', 'Auto'],
  ];
}

/** null: none is set. Read anew with each session, so that a changed file is heard of. Throws SIP_CONFIG. */
export async function loginOf(config: SipConfig): Promise<Login | null> {
  const { username, password, passwordFile, realm } = config;
  if (username === undefined) return null;
  if (passwordFile === undefined) return { username, password: password ?? '', realm };
  return { username, password: (await readSecret(passwordFile)).replace(/\r?\n$/, ''), realm };
}

async function readSecret(file: string): Promise<string> {
  try {
    const { mode, size } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Error('it must be readable by its owner only');
    if (size > 1_024) throw new Error('it is longer than a password');
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw new CodedError('SIP_CONFIG', `password file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

export async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw new CodedError('SIP_CONFIG', `authority file ${file}: ${messageOf(error)}`, { cause: error });
  }
}
