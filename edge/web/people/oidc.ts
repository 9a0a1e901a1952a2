import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { z } from 'zod';
import { neighbourOf } from '#edge/bus/admission.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { SitePeople } from '#edge/runtime/site.ts';

export type OidcSettings = NonNullable<SitePeople['oidc']>;

/** Whom the identity provider vouches for. */
export interface Subject {
  /** `<issuer> <claim>`, as accounts have it. */
  readonly subject: string;
  readonly name: string;
  /** What he is called there, for the id of an account that is made. */
  readonly account: string;
}

interface Pending {
  readonly nonce: string;
  readonly verifier: string;
  /** Secret of the browser that began: no other may end it. */
  readonly browser: string;
  readonly to: string;
  readonly began: number;
  readonly neighbour: string;
}

const timeout = 10;
const longestSubject = 500;
/** How long signing in over there may take, ms. */
const patience = 10 * 60_000;
const mostPending = 1_000;
/** Of one address, so that nobody pushes out what others began. */
const mostPendingOfOne = 50;
/** A provider that was found is asked anew for its keys and addresses after so long, ms. */
const fresh = 60 * 60_000;

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
});

/**
 * Signing in at an identity provider: authorization code with PKCE, state and nonce, by the address that the site file
 * names and no other. The provider is looked for when somebody wants it: without it people sign in by password.
 */
export class Oidc {
  readonly settings: OidcSettings;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #provider: { readonly configuration: Promise<Configuration>; readonly found: number } | null = null;

  /** `folder`: where relative paths of the settings start. */
  constructor(settings: OidcSettings, folder: string, clock: Clock) {
    this.settings = settings;
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Where to send the browser, and what its cookie must hold until it is back. Throws OIDC_AWAY. */
  async begin(to: string, from: string): Promise<{ readonly url: string; readonly browser: string }> {
    const configuration = await this.#find();
    const [state, nonce, verifier, browser] = [randomState(), randomNonce(), randomPKCECodeVerifier(), randomState()];
    const neighbour = neighbourOf(from);
    this.#makeRoom(neighbour);
    this.#pending.set(state, { nonce, verifier, browser, to: localRoute(to), began: this.#clock.now(), neighbour });
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: this.settings.redirect,
      scope: this.settings.scope,
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, browser };
  }

  #makeRoom(neighbour: string): void {
    const own = [...this.#pending].filter(([, pending]) => pending.neighbour === neighbour);
    const isMany = own.length >= mostPendingOfOne;
    const [oldest] = isMany ? own : this.#pending;
    if (oldest !== undefined && (isMany || this.#pending.size >= mostPending)) this.#pending.delete(oldest[0]);
  }

  /** What the provider sent the browser back with: `query` as it came. Throws OIDC_REFUSED or OIDC_AWAY. */
  async finish(query: URLSearchParams, browser: string): Promise<{ readonly who: Subject; readonly to: string }> {
    const state = query.get('state') ?? '';
    const pending = this.#pending.get(state);
    // Once: an answer that is sent again finds nothing.
    this.#pending.delete(state);
    if (pending === undefined || this.#clock.now() - pending.began > patience) {
      throw new CodedError('OIDC_REFUSED', 'nobody is waiting for this answer of the identity provider: begin again');
    }
    if (browser === '' || browser !== pending.browser) {
      throw new CodedError('OIDC_REFUSED', 'another browser began this sign-in');
    }
    const configuration = await this.#find();
    const url = new URL(this.settings.redirect);
    url.search = query.toString();
    try {
      const answer = await authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        idTokenExpected: true,
      });
      return { who: this.#subjectOf(answer.claims()), to: pending.to };
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw new CodedError('OIDC_REFUSED', `the identity provider's answer is refused: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  #subjectOf(claims: unknown): Subject {
    const parsed = claimsSchema.safeParse(claims);
    const id: unknown = parsed.success ? parsed.data[this.settings.claim] : undefined;
    if (!parsed.success || typeof id !== 'string' || id === '') {
      throw new CodedError('OIDC_REFUSED', `the identity provider does not say the claim "${this.settings.claim}"`);
    }
    const { iss, sub, name, preferred_username: account = sub } = parsed.data;
    const subject = `${iss} ${id}`;
    // Cut short, two people might be one.
    if (subject.length > longestSubject)
      throw new CodedError('OIDC_REFUSED', "the identity provider's subject is too long");
    return { subject, name: (name ?? account).slice(0, 64), account };
  }

  async #find(): Promise<Configuration> {
    const now = this.#clock.monotonic();
    if (this.#provider === null || now - this.#provider.found > fresh) {
      const configuration = this.#discover();
      this.#provider = { configuration, found: now };
      // Looked for again by whoever comes next.
      configuration.catch(() => {
        if (this.#provider?.configuration === configuration) this.#provider = null;
      });
    }
    try {
      return await this.#provider.configuration;
    } catch (error) {
      throw new CodedError('OIDC_AWAY', `the identity provider does not answer: ${reasonOf(error)}`, { cause: error });
    }
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecretFile } = this.settings;
    const url = new URL(issuer);
    const secret =
      clientSecretFile === undefined
        ? undefined
        : (await readFile(resolve(this.#folder, clientSecretFile), 'utf8')).trim();
    return discovery(url, clientId, secret, secret === undefined ? None() : undefined, {
      timeout,
      // The site file takes http:// for this machine only.
      execute: url.protocol === 'http:' ? [allowInsecureRequests] : [],
    });
  }
}

/** A route of our own page, or its beginning: nobody is sent elsewhere after signing in. */
export function localRoute(to: string): string {
  return /^#\/[\w\-/?=&.,:]{0,300}$/.test(to) ? to : '#/';
}

/** openid-client says little in its message and the rest in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${messageOf(error)}${cause}`.slice(0, 200);
}
