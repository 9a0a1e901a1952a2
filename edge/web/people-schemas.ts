import { z } from 'zod';
import { rights, roles } from '#edge/domain/access.ts';
import { slugPattern } from '#edge/domain/ids.ts';

/* The shapes of signing in, accounts, sessions and tokens. Times are ms since epoch UTC. */

const time = z.number();
const name = z.object({ zh: z.string(), en: z.string() });
const zones = z.union([z.literal('all'), z.array(z.string())]);
const role = z.enum(roles);
const right = z.enum(rights);
const account = z.string().regex(slugPattern, 'must be a-z, 0-9, _ or -, at most 63 characters');
/** Strength is judged by the server (`weak-password` says how it falls short). */
const newPassword = z.string().max(256);
const code = z.string().max(64);

/** GET /api/v1/me (open): what a browser may know before and after signing in. */
export const meSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('setup') }),
  z.object({
    state: z.literal('signed-out'),
    campus: name,
    /** Name of the identity provider, when the site has one. */
    oidc: name.nullable(),
  }),
  z.object({
    state: z.literal('signed-in'),
    campus: name,
    oidc: name.nullable(),
    id: z.string(),
    name: z.string(),
    role,
    rights: z.array(right),
    zones,
    /** Sent back as `x-csrf-token` on everything that is not GET. */
    csrf: z.string(),
    /** A new password must be chosen first: every other route answers 403 `password-expired`. */
    mustChangePassword: z.boolean(),
    totp: z.boolean(),
    hasPassword: z.boolean(),
    /** This session ends then at the latest; and after `idle` ms without a request. */
    expires: time,
    idle: z.number(),
  }),
]);
export type Me = z.infer<typeof meSchema>;

/** POST /api/v1/setup (open, once): the code that the terminal printed makes the first administrator and signs him in. */
export const setupBody = z.strictObject({
  code,
  id: account,
  name: z.string().min(1).max(64),
  password: newPassword,
});

/** POST /api/v1/login (open) -> me; 401 `wrong-credentials` or `totp-needed` (ask for it, send all again), 429 `locked`. */
export const loginBody = z.strictObject({
  id: z.string().max(64),
  password: z.string().max(256),
  /** Six digits, or a recovery code. */
  totp: code.optional(),
});

/** 429: how long until the next try is looked at. */
export const lockedSchema = z.object({ error: z.string(), message: z.string(), retryAfter: z.number() });

export const passwordBody = z.strictObject({ old: z.string().max(256), password: newPassword });

/** POST /api/v1/me/totp {password} -> a secret that counts once `confirm` has seen a code of it. */
export const totpOffer = z.object({
  secret: z.string(),
  uri: z.string(),
  /** SVG of the QR code. */
  qr: z.string(),
});
/** POST /api/v1/me/totp/confirm {code} -> codes that work once each, shown only now. */
export const totpConfirmed = z.object({ recovery: z.array(z.string()) });

export const sessionSchema = z.object({
  /** Names it for revoking; not the cookie. */
  id: z.string(),
  person: z.string(),
  personName: z.string(),
  current: z.boolean(),
  created: time,
  lastSeen: time,
  expires: time,
  from: z.string(),
  agent: z.string(),
  method: z.enum(['password', 'totp', 'oidc', 'setup']),
});
export type SessionView = z.infer<typeof sessionSchema>;

export const personSchema = z.object({
  id: z.string(),
  rev: z.number().int(),
  name: z.string(),
  role,
  zones,
  hasPassword: z.boolean(),
  totp: z.boolean(),
  oidc: z.string().nullable(),
  disabled: z.boolean(),
  /** Too many wrong passwords: no try is looked at until then. */
  lockedUntil: time.nullable(),
  mustChangePassword: z.boolean(),
  passwordTime: time,
  created: time,
  lastSeen: time.nullable(),
});
export type PersonView = z.infer<typeof personSchema>;

/** POST /api/v1/people -> person, with a first password that must be changed at the first sign-in. */
export const personCreate = z.strictObject({
  id: account,
  name: z.string().min(1).max(64),
  role,
  zones,
  oidc: z.string().max(500).nullable().default(null),
  /** Absent: signs in by OIDC only. */
  password: newPassword.optional(),
});

/** PATCH /api/v1/people/:id -> person; 409 `changed-meanwhile` when `rev` is old. Ends that person's sessions when the role or zones change. */
export const personChange = z.strictObject({
  rev: z.number().int(),
  name: z.string().min(1).max(64).optional(),
  role: role.optional(),
  zones: zones.optional(),
  oidc: z.string().max(500).nullable().optional(),
  disabled: z.boolean().optional(),
  /** Sets a password that must be changed at the next sign-in. */
  password: newPassword.optional(),
  /** null takes the second factor away (a lost phone). */
  totp: z.null().optional(),
});

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(right),
  zones,
  by: z.string(),
  created: time,
  expires: time.nullable(),
  lastUsed: time.nullable(),
});
export type TokenView = z.infer<typeof tokenSchema>;

/** POST /api/v1/tokens; the answer adds `secret`, shown only now. Nobody gives away a right he has not. */
export const tokenCreate = z.strictObject({
  id: account,
  name: z.string().min(1).max(64),
  scopes: z.array(right).min(1),
  zones: zones.default('all'),
  /** Days; null: does not expire. */
  days: z.number().int().min(1).max(3_650).nullable().default(365),
});
export const tokenCreated = tokenSchema.extend({ secret: z.string() });
