import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import { type PaCalls, presets } from './presets.ts';

const path = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[\x21-\x7e]*$/, 'must be a path such as /play?clip={clip}');
const filled = z
  .string()
  .max(500)
  .refine((text) => [...text.matchAll(/\{(\w+)\}/g)].every(([, word = '']) => fields.has(word)), {
    message: 'may hold {clip}, {zone}, {level}, {item}, {rank} and {repeat} only',
  });
const fields = new Set(['clip', 'zone', 'level', 'item', 'rank', 'repeat']);
const call = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).default('GET'),
  path: path.pipe(filled),
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
const calls = z.strictObject({
  play: call,
  /** `play` has {repeat}: -1 for ever, 0 once. */
  repeats: z.literal(true).optional(),
  stop: call.optional(),
  /** Asked every few seconds; any answer that is no error says that it is there. */
  probe: call,
  /** What the answer to `probe` says. */
  status: z
    .strictObject({ playing: pointer, is: z.union([z.string(), z.number(), z.boolean()]).default(true) })
    .optional(),
  /** What an answer says when it means yes: an envelope that says no with status 200 is met often. */
  success: z.strictObject({ pointer, is: z.union([z.string(), z.number(), z.boolean()]) }).optional(),
});
const login = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.enum(['basic', 'digest']),
    username: z.string().min(1).max(64),
    passwordFile: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal('bearer'), passwordFile: z.string().min(1) }),
]);

const schema = z
  .strictObject({
    server: z.strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .refine((text) => URL.canParse(text) && new URL(text).pathname === '/' && new URL(text).username === '', {
          message: 'must be only scheme, host and port, such as http://192.0.2.40',
        }),
      login: login.default({ kind: 'none' }),
      caFile: z.string().min(1).optional(),
      /** Requests at once, of all loudspeakers behind it. */
      atOnce: z.int().min(1).max(16).default(4),
      /** From a request to its whole answer, ms. */
      timeout: z.int().min(200).max(30_000).default(3_000),
    }),
    preset: z.enum(['axis', 'bogen']).optional(),
    calls: calls.optional(),
    /** What the server calls this loudspeaker, terminal or zone. */
    zone: z.string().max(100).default(''),
    /** Our clip -> what the server calls it: it plays from its own store only. */
    clips: z
      .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be the name of a clip'), z.string().min(1).max(200))
      .refine((found) => Object.keys(found).length <= 1_000, 'must have at most 1000 clips'),
  })
  .refine((c) => (c.preset === undefined) !== (c.calls === undefined), {
    message: 'either preset or calls must be given',
    path: ['calls'],
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
