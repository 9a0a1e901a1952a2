import { z } from 'zod';
import { rights, roles } from '#edge/domain/access.ts';
import { soundClasses } from '#edge/domain/broadcast.ts';
import { slugPattern } from '#edge/domain/ids.ts';
import { ruleKinds } from '#edge/domain/rule.ts';
import {
  mostEntries,
  schoolEntrySchema,
  schoolOverrideSchema,
  schoolReleaseSchema,
  schoolYearSchema,
} from '#edge/runtime/school-schema.ts';

/*
 * What people set and change, one row each: accounts, sessions, tokens, plans, places on them, the register of assets.
 * Written by core alone (RPC `document.put`), read by anyone through the reader. `rev` grows with each change, so that
 * two people who change the same thing are told. Times are ms since epoch UTC.
 */

const time = z.int().min(0);
const slug = z.string().regex(slugPattern, 'must be a slug: a-z, 0-9, _ or -, at most 63 characters');
const line = (most: number) => z.string().max(most);
const zones = z.union([z.literal('all'), z.array(slug).max(500)]);
const version = z.int().min(1);
const percent = z.number().min(0).max(100);
/** SHA-256, hex. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
/** Of the drawing: degrees clockwise from its upper edge, how wide, and how far as a share of its width. */
export const placedView = z.strictObject({
  direction: z.number().min(0).lt(360),
  angle: z.number().min(5).max(360),
  reach: z.number().min(0.01).max(1),
});
/** JSON of a rule's body, characters. */
export const longestRule = 65_536;
/** Versions of a rule that are kept. */
export const mostVersions = 100;

export const documentSchemas = {
  /** id: what one signs in with. */
  person: z.strictObject({
    name: line(64).min(1),
    role: z.enum(roles),
    zones,
    /** scrypt, in the form that web/passwords writes; null: signs in by OIDC only. */
    password: line(300).nullable(),
    /** Sealed with a key outside the database (runtime/seal.ts); null: none. */
    totp: line(300).nullable(),
    /** Digests of one-time recovery codes. */
    recovery: z.array(line(100)).max(20).default([]),
    /** Subject at the identity provider, `<issuer> <sub>`. */
    oidc: line(500).nullable().default(null),
    disabled: z.boolean().default(false),
    /** Must choose a new password at the next sign-in. */
    expired: z.boolean().default(false),
    passwordTime: time,
    created: time,
  }),
  /** id: digest of the cookie's secret. */
  session: z.strictObject({
    person: slug,
    created: time,
    lastSeen: time,
    expires: time,
    from: line(100),
    agent: line(300),
    method: z.enum(['password', 'totp', 'oidc', 'setup']),
  }),
  token: z.strictObject({
    name: line(64).min(1),
    digest: line(100),
    scopes: z.array(z.enum(rights)).min(1),
    zones,
    by: line(80),
    created: time,
    expires: time.nullable(),
    lastUsed: time.nullable().default(null),
  }),
  /** The picture lies in `<data>/plans/<sha256>.<png|svg>`. */
  plan: z.strictObject({
    name: z.strictObject({ zh: line(64), en: line(64) }),
    /** A floor of the site file, or null: the grounds. */
    floor: slug.nullable(),
    file: z.string().regex(/^[0-9a-f]{64}\.(png|svg)$/),
    width: z.number().positive(),
    height: z.number().positive(),
    order: z.int().default(0),
  }),
  /** id: device. Fractions of the plan's width and height. `view`: what a camera sees of it, as somebody drew it. */
  placement: z.strictObject({
    plan: slug,
    x: z.number().min(0).max(1),
    y: z.number().min(0).max(1),
    view: placedView.optional(),
  }),
  /** id: device. */
  asset: z.strictObject({
    /** 资产编号 */
    number: line(64).default(''),
    make: line(80).default(''),
    model: line(80).default(''),
    serial: line(80).default(''),
    place: line(120).default(''),
    bought: z.iso.date().nullable().default(null),
    warranty: z.iso.date().nullable().default(null),
    /** Days between two maintenances; null: none planned. */
    every: z.int().min(1).max(3_650).nullable().default(null),
    responsible: z.enum(roles).nullable().default(null),
    notes: line(2_000).default(''),
    /** Newest first. */
    maintenance: z
      .array(z.strictObject({ date: z.iso.date(), by: line(80), note: line(500) }))
      .max(200)
      .default([]),
  }),
  /** id: digest of the inbox key: what a person said never to show again. */
  ignored: z.strictObject({ key: line(300), by: line(80), time }),
  /** id: of the rule. How far it is; what it says is in its versions. */
  rule: z.strictObject({
    /** Of the newest version. */
    kind: z.enum(ruleKinds),
    /** Runs. */
    active: version.nullable(),
    /** Watches, beside the active one. */
    shadow: version.nullable(),
    /** Did one of them ever run? */
    ran: z.boolean(),
    latest: version,
    /** Those that are kept, ascending. */
    versions: z.array(version).min(1).max(mostVersions),
    /** What waits for a second person; version null: that it is turned off. */
    proposal: z
      .strictObject({ version: version.nullable(), digest: digest.nullable(), by: line(80), time, why: line(300) })
      .nullable(),
    /** Who approved which of them last, as the second person. */
    approvals: z
      .array(z.strictObject({ version, by: line(80), time }))
      .max(mostVersions)
      .default([]),
    /** Of the file as this wrote it or took it in; null: there is to be none. */
    file: digest.nullable(),
    /** The file may still be what it was before (a digest, or null for none): it is being written. */
    writing: z.strictObject({ before: digest.nullable() }).nullable(),
  }),
  /** id: `<rule>-v<version>`. Never changed. */
  ruleVersion: z.strictObject({
    rule: slug,
    version,
    from: z.enum(['person', 'file', 'template', 'rollback']),
    by: line(80),
    why: line(300),
    time,
    /** As in the file. */
    body: z
      .record(z.string(), z.unknown())
      .refine(
        (body) => JSON.stringify(body).length <= longestRule,
        `must be at most ${longestRule} characters of JSON`,
      ),
  }),
  /** id: a mode of the campus (exam, drill ...). */
  mode: z.strictObject({ on: z.boolean(), since: time, until: time.nullable(), by: line(80), why: line(300) }),
  /** id: of the entry. The draft of the school day; what runs is in releases. */
  school: schoolEntrySchema,
  schoolRelease: schoolReleaseSchema,
  schoolOverride: schoolOverrideSchema,
  schoolYear: schoolYearSchema,
  /** id: as orders name it. The sound lies in `<data>/clips/<file>`. */
  clip: z.strictObject({
    name: z.strictObject({ zh: line(64), en: line(64) }),
    file: z.string().regex(/^[0-9a-f]{64}\.wav$/),
    source: z.enum(['upload', 'speech', 'recording']),
    text: line(1_000).nullable(),
    /** ms */
    length: z.int().min(0).max(86_400_000),
    /** LUFS before it was made even. */
    loudness: z.number().nullable(),
    /** Decoded ahead, never dropped from memory. */
    ahead: z.boolean(),
    /** Removed then: what was made for one announcement; null: stays. */
    until: time.nullable(),
  }),
  /** Texts with fields that are spoken again and again. */
  announcement: z.strictObject({
    name: z.strictObject({ zh: line(64), en: line(64) }),
    text: line(1_000).min(1),
    fields: z
      .array(
        z.strictObject({
          key: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
          name: z.strictObject({ zh: line(64), en: line(64) }),
          options: z.array(line(100)).max(200),
        }),
      )
      .max(12),
    class: z.enum(soundClasses),
    chime: slug.nullable(),
  }),
  /** id: `campus`. How loud what is, percent; minutes of the local day. */
  soundLevels: z.strictObject({
    classes: z.partialRecord(z.enum(soundClasses), percent),
    emergency: z.number().min(50).max(100),
    zones: z.record(slug, percent),
    devices: z.record(slug, percent),
    caps: z
      .array(
        z.strictObject({
          name: line(64),
          zones,
          from: z.int().min(0).max(1_440),
          to: z.int().min(0).max(1_440),
          days: z.array(z.int().min(1).max(7)).min(1).max(7),
          most: percent,
        }),
      )
      .max(50),
  }),
  /** Rooms that must be quiet, besides what the school day says. */
  quietRooms: z.strictObject({
    kind: z.enum(['exam', 'recording']),
    zones,
    devices: z.array(slug).max(2_000),
    from: time,
    until: time,
    why: line(300),
  }),
} as const;

export type DocumentKind = keyof typeof documentSchemas;
export const documentKinds = Object.keys(documentSchemas) as DocumentKind[];
export type DocumentBody<K extends DocumentKind> = z.infer<(typeof documentSchemas)[K]>;

/** Kinds whose changes are too frequent and too dull for the audit; what matters of them (sign-in, revocation) has lines of its own. */
export const unauditedKinds: readonly DocumentKind[] = ['session'];
/** Fields that never appear in the audit, only that they changed. */
export const secretFields: readonly string[] = ['password', 'totp', 'recovery', 'digest'];
/** Fields that note a use or keep the books: a put that touches no other field has no line in the audit. */
export const usageFields: readonly string[] = ['lastUsed', 'latest', 'versions', 'writing'];

/** Ids are what people (or devices, or rules) are called, or digests, base64url or hex. */
export const documentIdPattern = /^[A-Za-z0-9_-]{1,80}$/;

/** What core alone changes, by its own rules (two people for safety): not to be had by `document.put`. */
export const coreKinds: readonly DocumentKind[] = [
  ...(['rule', 'ruleVersion', 'mode'] as const),
  ...(['school', 'schoolRelease', 'schoolOverride', 'schoolYear'] as const),
  ...(['soundLevels', 'quietRooms'] as const),
];

/** How many of a kind there may be: whoever makes one more is told, so that no loop of a client fills the disk. */
export const documentLimits: Readonly<Record<DocumentKind, number>> = {
  person: 5_000,
  session: 10_000,
  token: 1_000,
  plan: 500,
  placement: 10_000,
  asset: 10_000,
  ignored: 10_000,
  rule: 2_000,
  ruleVersion: 50_000,
  mode: 200,
  school: mostEntries,
  schoolRelease: 60,
  schoolOverride: 1_000,
  schoolYear: 50,
  clip: 4_000,
  announcement: 500,
  soundLevels: 1,
  quietRooms: 500,
};

export function ruleVersionId(rule: string, number: number): string {
  return `${rule}-v${number}`;
}

/** What a batch carries: body null removes it. Stored with its audit line or not at all. */
export interface DocumentChange {
  readonly kind: DocumentKind;
  readonly id: string;
  /** As whoever changes it saw it, 0 when there was none: DOCUMENT_CHANGED if it is another by now. It becomes `rev` + 1. */
  readonly rev: number;
  readonly time: number;
  readonly who: string;
  /** Address that it came from. */
  readonly from: string;
  readonly why: string;
  /** The audit's words, e.g. `person.disable lin`; without them `person.create lin`, `.change` or `.remove`. */
  readonly what?: string;
  /** The audit's account of what changed; without it each field, from what to what. */
  readonly result?: string;
  readonly body: object | null;
}

export interface StoredDocument<K extends DocumentKind> {
  readonly id: string;
  readonly rev: number;
  readonly time: number;
  readonly who: string;
  readonly body: DocumentBody<K>;
}
