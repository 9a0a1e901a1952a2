import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { placeholders } from './notify-template.ts';
import { clockTime, duration, isLoopbackHost, name, slug } from './site-values.ts';

/*
 * The `notify` section of a site file: how people are told outside the console. Secrets (passwords, addresses of robots, keys)
 * are never in the file: it names files, relative to itself, that only our user may read (0600).
 */

/** Longest of everything people may list, so that no file makes a notice ten thousand messages. */
const most = { channels: 50, recipients: 500, ladders: 50, steps: 20, to: 50 } as const;

const file = z.string().min(1).max(500);
const alarmClasses = ['critical', 'high', 'medium', 'low'] as const;
const alarmClass = z.enum(alarmClasses);
/** More are never sent a minute: default 60, e-mail 30; robots take 20 (飞书 100) whatever is said here (edge/notify/). */
const perMinute = z.int().min(1).max(600).optional();
const language = z.enum(['zh', 'en']).default('zh');
/** Short enough for `notify-<id>`, its line in the health of the process. */
const channelId = slug.max(50);
const common = { id: channelId, name, language, perMinute };

const mailAddress = z.email('must be an e-mail address').max(254);
const phone = z.string().regex(/^\+?\d{5,15}$/, 'must be a phone number: digits, perhaps with a + in front');

const email = z
  .strictObject({
    ...common,
    kind: z.literal('email'),
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).optional(),
    /** `implicit` (465) or `starttls` (587, refused when the server cannot); `none` on this machine only. */
    tls: z.enum(['implicit', 'starttls', 'none']).default('implicit'),
    /** The authority of the server, PEM; default: those that the system trusts. */
    ca: file.optional(),
    user: z.string().min(1).max(254).optional(),
    passwordFile: file.optional(),
    from: mailAddress,
  })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    message: 'user and passwordFile go together',
    path: ['passwordFile'],
  })
  .refine(({ tls, host }) => tls !== 'none' || isLoopbackHost(host), {
    message:
      '"none" is for a server on this machine only (127.0.0.1, ::1, localhost): passwords and words would be readable',
    path: ['tls'],
  });

/** Its address is its secret: whoever has it can write to the group. */
const robot = { ...common, urlFile: file, ca: file.optional() };
const wecom = z.strictObject({ ...robot, kind: z.literal('wecom') });
const dingtalk = z.strictObject({ ...robot, kind: z.literal('dingtalk'), secretFile: file.optional() });
const feishu = z.strictObject({ ...robot, kind: z.literal('feishu'), secretFile: file.optional() });

const scalar = z.union([z.string().max(2_000), z.number(), z.boolean()]);
/** A tree of plain values; strings may hold placeholders. */
type Template = z.infer<typeof scalar> | null | readonly Template[] | { readonly [key: string]: Template };
export type NotifyTemplate = Template;
const template: z.ZodType<Template> = z.lazy(() =>
  z.union([scalar, z.null(), z.array(template).max(100), z.record(z.string().max(100), template)]),
);
const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header'), z.string().max(1_000))
  .default({});
/** What the answer must be; absent: any 2xx. `path` leads into its JSON (`data.code`), whose value must be (one of) `is`. */
const success = z
  .strictObject({
    status: z.array(z.int().min(200).max(299)).min(1).optional(),
    path: z
      .string()
      .regex(/^[\w-]+(\.[\w-]+)*$/, 'must be keys with dots between, e.g. data.code')
      .optional(),
    is: z.union([scalar, z.array(scalar).min(1).max(20)]).optional(),
  })
  .refine(({ path, is }) => (path === undefined) === (is === undefined), {
    message: 'path and is go together',
    path: ['is'],
  });

/** An HTTP call that the file describes. Strings may hold `{text}`, `{phone}`, `{secret}` ... (runtime/notify-template.ts). */
const call = {
  ...common,
  url: z.string().min(1).max(2_000),
  method: z.enum(['POST', 'PUT', 'GET']).default('POST'),
  ca: file.optional(),
  /** JSON object of headers, for those that are secret. */
  headersFile: file.optional(),
  /** Stands where `{secret}` is said. */
  secretFile: file.optional(),
  headers,
  /** `form`: application/x-www-form-urlencoded, plain values only. */
  format: z.enum(['json', 'form']).default('json'),
  success: success.prefault({}),
};
const webhook = z.strictObject({
  ...call,
  kind: z.literal('webhook'),
  body: template.default({
    id: '{id}',
    class: '{class}',
    title: '{title}',
    text: '{text}',
    time: '{time}',
    campus: '{campus}',
  }),
});
const sms = z.strictObject({
  ...call,
  kind: z.literal('sms'),
  body: template.default({ phone: '{phone}', text: '{text}' }),
  /** Longest text, characters: 70 is one message, longer ones cost one for each 67 (3GPP TS 23.040, UCS-2). */
  longest: z.int().min(20).max(500).default(134),
});

const channel = z.discriminatedUnion('kind', [email, wecom, dingtalk, feishu, webhook, sms]);

const recipient = z.strictObject({
  id: slug,
  name,
  groups: z.array(slug).max(20).default([]),
  email: mailAddress.optional(),
  phone: phone.optional(),
});

const target = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}(@[a-z0-9][a-z0-9_-]{0,62})?$/,
    'must be a recipient, a group or a channel; a recipient or group may be followed by @<channel>',
  );

const ladder = z.strictObject({
  id: slug,
  name,
  classes: z.array(alarmClass).min(1),
  /** Absent: everywhere. An alarm that lies in no zone is only on ladders without zones. */
  zones: z.array(slug).min(1).optional(),
  /** Globs of alarm sources (`interlock:*`, `device:meter-*`); absent: all. */
  sources: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9_.:@/*-]{1,130}$/, 'must be an alarm source such as interlock:smoke, * for any characters'),
    )
    .min(1)
    .optional(),
  /** Ascending in `after`, which counts from the alarm's raising; who acknowledges it ends the ladder. */
  steps: z
    .array(
      z.strictObject({
        after: duration.default(0),
        during: z.enum(['always', 'open', 'closed']).default('always'),
        to: z.array(target).min(1).max(most.to),
      }),
    )
    .min(1)
    .max(most.steps),
  /** After the last step, while nobody acknowledges, its people are told again; absent: as `rules/escalation-ladder.ts` says. */
  repeat: z
    .strictObject({
      every: duration.refine((ms) => ms >= 60_000, 'must be at least 1min'),
      times: z.int().min(0).max(100),
    })
    .optional(),
});

export const notifySchema = z.strictObject({
  /** Where people reach the console, for a link in what they are sent; absent: no link. */
  console: z
    .url({ protocol: /^https$/, message: 'must be https://<address>' })
    .refine((url) => new URL(url).username === '' && new URL(url).search === '', 'must be a plain address')
    .optional(),
  channels: z.array(channel).min(1).max(most.channels),
  recipients: z.array(recipient).max(most.recipients).default([]),
  ladders: z.array(ladder).max(most.ladders).default([]),
  /** Local time; `from` > `to` reaches over midnight. What is not excepted waits until they end. */
  quietHours: z
    .strictObject({ from: clockTime, to: clockTime, except: z.array(alarmClass).default(['critical']) })
    .optional(),
  /** To one recipient over one channel an hour; what is more is gathered, and told a minute's together (rules/escalation-post.ts). */
  limits: z.strictObject({ perHour: z.int().min(1).max(1_000).default(60) }).prefault({}),
});

export type NotifySite = z.infer<typeof notifySchema>;
export type NotifyChannel = NotifySite['channels'][number];
export type NotifyChannelOf<Kind extends NotifyChannel['kind']> = Extract<NotifyChannel, { kind: Kind }>;
export type NotifyRecipient = NotifySite['recipients'][number];
export type NotifyLadder = NotifySite['ladders'][number];

/** One way to one person (or, with null, to the group or machine that the channel itself is). */
export interface NotifyTarget {
  readonly channel: string;
  readonly recipient: string | null;
}

/** Whether a channel can tell this person: e-mail needs his address, SMS his number; the others are one address themselves. */
export function reaches(channel: NotifyChannel, recipient: NotifyRecipient): boolean {
  if (channel.kind === 'email') return recipient.email !== undefined;
  return channel.kind === 'sms' && recipient.phone !== undefined;
}

/** A channel that needs no recipient. */
export function isOneAddress(channel: NotifyChannel): boolean {
  return channel.kind !== 'email' && channel.kind !== 'sms';
}

/**
 * Whom `to` means: a channel that is one address itself; a recipient or everybody of a group, over every channel that reaches
 * him, or only over the one after `@`. Each target once, in the order of `to`. What is unknown is left out (`findBrokenNotify`
 * names it).
 */
export function notifyTargets(
  notify: Pick<NotifySite, 'channels' | 'recipients'>,
  to: readonly string[],
): readonly NotifyTarget[] {
  const found = new Map<string, NotifyTarget>();
  for (const text of to) {
    for (const each of targetsOf(notify, text)) found.set(`${each.recipient ?? ''}@${each.channel}`, each);
  }
  return [...found.values()];
}

function targetsOf(
  { channels, recipients }: Pick<NotifySite, 'channels' | 'recipients'>,
  text: string,
): NotifyTarget[] {
  const [who = '', over] = text.split('@');
  const whole = channels.find(({ id }) => id === who);
  if (whole !== undefined)
    return isOneAddress(whole) && over === undefined ? [{ channel: whole.id, recipient: null }] : [];
  const usable = channels.filter(({ id }) => over === undefined || id === over);
  return recipients
    .filter(({ id, groups }) => id === who || groups.includes(who))
    .flatMap((person) =>
      usable.filter((way) => reaches(way, person)).map((way) => ({ channel: way.id, recipient: person.id })),
    );
}

/** One line per mistake that the shapes alone do not show, e.g. `notify.ladders[0].steps[1].to[0]: unknown "night"`. */
export function findBrokenNotify(notify: NotifySite, zones: ReadonlySet<string>): string[] {
  const { channels, recipients, ladders } = notify;
  return [
    ...findUsedTwice(notify),
    ...channels.flatMap((each, i) => findBrokenCall(each, `notify.channels[${i}]`)),
    ...recipients.flatMap((person, i) =>
      channels.some((way) => reaches(way, person))
        ? []
        : [
            `notify.recipients[${i}]: no channel reaches him: give an e-mail address or a phone number that one can use`,
          ],
    ),
    ...ladders.flatMap((each, i) => findBrokenLadder(notify, each, `notify.ladders[${i}]`, zones)),
  ];
}

/** Channels, recipients and groups stand side by side in `to`, so no two may have one id. */
function findUsedTwice({ channels, recipients, ladders }: NotifySite): string[] {
  const groups = new Set(recipients.flatMap((person) => person.groups));
  const taken = new Set<string>();
  const check = (where: string, list: readonly { readonly id: string }[]) =>
    list.flatMap(({ id }, i) => {
      if (groups.has(id)) return [`${where}[${i}].id: "${id}" is also the name of a group`];
      if (taken.has(id)) return [`${where}[${i}].id: "${id}" is used twice`];
      taken.add(id);
      return [];
    });
  const ids = new Set<string>();
  const twice = ladders.flatMap(({ id }, i) => {
    if (ids.has(id)) return [`notify.ladders[${i}].id: "${id}" is used twice`];
    ids.add(id);
    return [];
  });
  return [...check('notify.channels', channels), ...check('notify.recipients', recipients), ...twice];
}

function findBrokenLadder(notify: NotifySite, each: NotifyLadder, where: string, zones: ReadonlySet<string>): string[] {
  const unknown = (each.zones ?? []).flatMap((zone, i) =>
    zones.has(zone) ? [] : [`${where}.zones[${i}]: unknown zone "${zone}"`],
  );
  const steps = each.steps.flatMap((step, i) => {
    const before = each.steps[i - 1]?.after ?? 0;
    const order = step.after < before ? [`${where}.steps[${i}].after: is earlier than the step before it`] : [];
    const nobody = step.to.flatMap((text, j) => {
      const wrong = checkTarget(notify, text);
      return wrong === null ? [] : [`${where}.steps[${i}].to[${j}]: ${wrong}`];
    });
    return [...order, ...nobody];
  });
  return [...unknown, ...steps];
}

/** Why `text` tells nobody, or null: for ladders here, and for the `to` of rules. */
export function checkTarget(notify: Pick<NotifySite, 'channels' | 'recipients'>, text: string): string | null {
  if (notifyTargets(notify, [text]).length > 0) return null;
  const [who = '', over] = text.split('@');
  const channel = notify.channels.find(({ id }) => id === who);
  if (channel !== undefined) {
    return over === undefined
      ? `"${who}" needs a recipient: write <recipient or group>@${who}`
      : `"${who}" is a channel; @<channel> follows a recipient or a group`;
  }
  if (!notify.recipients.some(({ id, groups }) => id === who || groups.includes(who))) {
    return `there is no recipient, group or channel "${who}"`;
  }
  if (over !== undefined && !notify.channels.some(({ id }) => id === over)) return `there is no channel "${over}"`;
  return `channel "${over ?? ''}" reaches nobody of "${who}"`;
}

function findBrokenCall(channel: NotifyChannel, where: string): string[] {
  if (channel.kind !== 'webhook' && channel.kind !== 'sms') return [];
  const allowed = placeholders.filter((name) => {
    if (name === 'phone') return channel.kind === 'sms';
    return name !== 'secret' || channel.secretFile !== undefined;
  });
  const strings = [
    ...stringsOf(channel.url, `${where}.url`),
    ...stringsOf(channel.headers, `${where}.headers`),
    ...stringsOf(channel.body, `${where}.body`),
  ];
  const unknown = strings.flatMap(([path, text]) =>
    [...text.matchAll(/\{([a-z]+)\}/g)].flatMap(([, name = '']) =>
      allowed.some((one) => one === name)
        ? []
        : [`${path}: {${name}} is not filled in here; there is ${allowed.map((one) => `{${one}}`).join(' ')}`],
    ),
  );
  const wrongUrl = checkCallUrl(channel.url);
  const flat = channel.format === 'json' || isFlat(channel.body);
  return [
    ...(wrongUrl === null ? [] : [`${where}.url: ${wrongUrl}`]),
    ...unknown,
    ...(flat ? [] : [`${where}.body: must be plain keys and values with format: form`]),
    ...(channel.kind === 'sms' && !strings.some(([, text]) => text.includes('{phone}'))
      ? [`${where}.body: {phone} is said nowhere`]
      : []),
  ];
}

function isFlat(body: Template): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    !Array.isArray(body) &&
    Object.values(body).every((value) => typeof value !== 'object')
  );
}

function stringsOf(value: Template, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    stringsOf(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`),
  );
}

/**
 * Where words may be sent: https anywhere, since the certificate proves who answers; plain http on this machine or at a literal
 * address of the campus network, where gateways with a GSM modem are often too old for TLS. Never link-local addresses, where
 * clouds keep their keys. Returns what is wrong, or null.
 */
export function checkCallUrl(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'must be https://<address>';
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (/\{[a-z]+\}|%7B/i.test(url.host)) return 'the address itself cannot be filled in';
  if (url.username !== '' || url.password !== '') return 'must not hold a password: use headersFile or secretFile';
  if (isLinkLocal(host)) return 'link-local addresses are refused';
  if (url.protocol === 'https:') return null;
  if (url.protocol !== 'http:') return 'must be https://';
  return isLoopbackHost(host) || isCampusAddress(host)
    ? null
    : 'must be https:// (http:// only to this machine or to a literal address of the campus network)';
}

function isLinkLocal(host: string): boolean {
  return (isIPv4(host) && host.startsWith('169.254.')) || (isIP(host) === 6 && /^(fe[89ab]|::ffff:a9fe:)/i.test(host));
}

/** RFC 1918 and RFC 4193. */
function isCampusAddress(host: string): boolean {
  if (isIPv4(host)) return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(host);
  return isIP(host) === 6 && /^f[cd]/i.test(host);
}
