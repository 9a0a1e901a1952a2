import { z } from 'zod';
import { soundClasses } from '#edge/domain/broadcast.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import { type PaCalls, presetNames, presets } from './presets.ts';

const words = ['clip', 'zone', 'level', 'item', 'rank', 'repeat', 'job'];
const httpPath = /^\/(?![/\\])[\x21-\x7e]*$/;
const filled = z
  .string()
  .max(500)
  .refine((text) => [...text.matchAll(/\{(\w+)\}/g)].every(([, word = '']) => words.includes(word)), {
    message: `may hold ${words.map((word) => `{${word}}`).join(', ')} only`,
  });
const call = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).default('GET'),
  /** A path such as /play?clip={clip}; with `tcp:` the whole line. */
  path: filled.regex(/^[\x20-\x7e]+$/, 'must be printable ASCII'),
  /** JSON; its fields are filled as parts of texts. */
  body: filled.optional(),
  /** What an answer that means yes has in it. */
  says: z.string().min(1).max(100).optional(),
  /** Said twice it does no more than said once: it may be said again when no answer came. */
  repeatable: z.boolean().default(false),
});
const pointer = z
  .string()
  .max(200)
  .regex(/^(\/[^/]*)+$/, 'must be a JSON pointer such as /data/playing');
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const calls = z.strictObject({
  play: call,
  /** `play` has {repeat}: -1 for ever, 0 once. */
  repeats: z.literal(true).optional(),
  stop: call.optional(),
  volume: call.optional(),
  /** Asked every few seconds; any answer that is no error says that it is there. */
  probe: call,
  /** What the answer to `probe` says. */
  status: z
    .strictObject({
      playing: pointer,
      is: scalar.default(true),
      job: pointer.optional(),
      unable: z
        .array(z.strictObject({ pointer, is: scalar, words: z.string().min(1).max(100) }))
        .max(10)
        .optional(),
    })
    .optional(),
  /** What an answer says when it means yes: an envelope that says no with status 200 is met often. */
  success: z.strictObject({ pointer, is: scalar }).optional(),
  test: z
    .strictObject({
      ...{ start: call, result: call, passed: z.string().min(1).max(100), failed: z.string().min(1).max(100) },
      daily: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 12:40'),
    })
    .optional(),
  upload: z
    .strictObject({
      ...{ list: call, at: pointer.or(z.literal('')).default(''), name: pointer.or(z.literal('')).default('/name') },
      ...{ size: pointer.optional(), digest: pointer.optional(), put: call },
      rate: z.int().min(8).max(10_000).default(200),
    })
    .optional(),
});
/** One of both; `password` lies sealed with adopted devices, `passwordFile` is preferred in a site file. */
const secret = { password: z.string().min(1).max(1_024).optional(), passwordFile: z.string().min(1).optional() };
const username = z.string().min(1).max(64);
/** The password, or what stands for it, may go over a line that is not encrypted. */
const clearPassword = z.boolean().default(false);
const login = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('digest'), username, ...secret }),
  z.strictObject({ kind: z.literal('basic'), username, ...secret, clearPassword }),
  z.strictObject({ kind: z.literal('bearer'), ...secret, clearPassword }),
  z.strictObject({
    ...{ kind: z.literal('token'), username, ...secret, clearPassword },
    method: z.enum(['POST', 'PUT']).default('POST'),
    path: z.string().max(500).regex(httpPath, 'must be a path such as /api/login').default('/api/login'),
    /** {username} and {password} are filled in. */
    body: z.string().max(500).default('{"username":"{username}","password":"{password}"}'),
    /** Where the answer has the token, and the seconds that it is good for. */
    tokenAt: pointer.default('/data/token'),
    lifetimeAt: pointer.optional(),
    /** What an answer says when the token is too old, if not by its status 401. */
    expired: z.strictObject({ pointer, is: scalar }).optional(),
    header: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'must be the name of a header in small letters')
      .default('token'),
    prefix: z.string().max(20).default(''),
  }),
]);

const server = z
  .strictObject({
    url: z
      .url({ protocol: /^(https?|tcp)$/ })
      .refine((text) => URL.canParse(text) && /^\/?$/.test(new URL(text).pathname) && new URL(text).username === '', {
        message: 'must be only scheme, host and port, such as http://192.0.2.40',
      }),
    login: login.default({ kind: 'none' }),
    caFile: z.string().min(1).optional(),
    /** SHA-256 of its certificate as `openssl x509 -fingerprint -sha256` prints it: then this one and no other. */
    fingerprint: z
      .string()
      .regex(/^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}$/, 'must be 32 hex pairs with colons')
      .optional(),
    /** Requests at once, of all loudspeakers behind it. */
    atOnce: z.int().min(1).max(16).default(4),
    /** From a request to its whole answer, ms. */
    timeout: z.int().min(200).max(30_000).default(3_000),
  })
  .superRefine(({ url, login, caFile, fingerprint }, context) => {
    const no = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const isSecure = url.startsWith('https:');
    if (login.kind !== 'none' && (login.password === undefined) === (login.passwordFile === undefined))
      no(['login', 'passwordFile'], 'exactly one of password and passwordFile must be given');
    if (!isSecure && 'clearPassword' in login && !login.clearPassword)
      no(
        ['login', 'clearPassword'],
        `${login.kind} sends the password in clear over ${url}: use https, or set it to allow that`,
      );
    if (url.startsWith('tcp:') && login.kind !== 'none') no(['login'], 'a tcp server knows no login');
    if (url.startsWith('tcp:') && new URL(url).port === '') no(['url'], 'a tcp server needs a port');
    if (!isSecure && (caFile ?? fingerprint) !== undefined) no(['url'], 'a certificate needs https');
    if (caFile !== undefined && fingerprint !== undefined) no(['fingerprint'], 'either caFile or fingerprint');
  });

const percents = z.partialRecord(z.enum([...soundClasses]), z.int().min(0).max(100));
const schema = z
  .strictObject({
    server,
    preset: z.enum(presetNames).optional(),
    calls: calls.optional(),
    /** What the server calls this loudspeaker, terminal or zone. */
    zone: z.string().max(100).default(''),
    /** Our clip -> what the server calls it: it plays from its own store only. */
    clips: z
      .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be the name of a clip'), z.string().min(1).max(200))
      .refine((found) => Object.keys(found).length <= 1_000, 'must have at most 1000 clips'),
    /** Of a class on this loudspeaker: percent of what it is told, 100 without. */
    volume: percents.default({}),
  })
  .refine((c) => (c.preset === undefined) !== (c.calls === undefined), {
    message: 'either preset or calls must be given',
    path: ['calls'],
  })
  .superRefine((c, context) => {
    if (c.preset !== undefined && (c.preset === 'tcp-play') !== c.server.url.startsWith('tcp:'))
      context.addIssue({ code: 'custom', path: ['server', 'url'], message: 'tcp-play, and it alone, has a tcp: URL' });
    if (c.server.url.startsWith('tcp:')) return;
    const { play, stop, volume, probe, test, upload } = c.calls ?? {};
    const all = {
      play,
      stop,
      volume,
      probe,
      start: test?.start,
      result: test?.result,
      list: upload?.list,
      put: upload?.put,
    };
    for (const [name, one] of Object.entries(all))
      if (one !== undefined && !httpPath.test(one.path))
        context.addIssue({
          code: 'custom',
          path: ['calls', name, 'path'],
          message: 'must be a path such as /play?clip={clip}',
        });
  });

/** `device.address`; `calls` is there whether a preset or the site said so. */
export type PaConfig = Omit<z.output<typeof schema>, 'calls' | 'preset'> & { readonly calls: PaCalls };

/** Throws DEVICE_CONFIG with one line per mistake, each naming its key. */
export function parsePaConfig(input: unknown): PaConfig {
  const result = schema.safeParse(input);
  if (!result.success) {
    const lines = describeIssues(result.error).split('\n');
    throw new CodedError('DEVICE_CONFIG', lines.map((line) => `address.${line}`).join('\n'));
  }
  const { preset, calls: given, ...rest } = result.data;
  const chosen = given ?? (preset === undefined ? undefined : presets[preset]);
  if (chosen === undefined)
    throw new CodedError('DEVICE_CONFIG', 'address.calls: either preset or calls must be given');
  return { ...rest, calls: chosen };
}
