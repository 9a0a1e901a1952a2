import type { z } from 'zod';
import { campusWideRoles, type Principal, type Right, type Role, rightsOf, type Zones } from '#edge/domain/access.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import type { DocumentBody } from '#edge/store/documents.ts';
import type { personChange, personCreate, tokenCreate } from '../people-schemas.ts';
import { type PasswordDesk, requireStrong } from './password-desk.ts';
import type { Person, Records } from './records.ts';
import type { Sessions } from './sessions.ts';
import { newTokenSecret } from './tokens.ts';

export interface Actor {
  readonly principal: Principal;
  readonly from: string;
}

export interface AccountsOptions {
  readonly records: Records;
  readonly sessions: Sessions;
  readonly passwords: PasswordDesk;
  readonly clock: Clock;
  /** Zones of the site file. */
  readonly zones: readonly string[];
  /** Names of the campus: no password may contain one. */
  readonly campusNames: readonly string[];
  /** A token is no more, or may do less. */
  readonly onTokenEnd: (id: string) => void;
}

/**
 * Who may make whom what. Nobody gives a right that he has not; an administrator names every role, that is his office,
 * but gives no token a right that he has not. Nobody changes his own role, disables or removes himself. The last
 * administrator stays. Nobody who acts becomes the auditor of himself.
 */
export class Accounts {
  readonly #options: AccountsOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  create(given: z.infer<typeof personCreate>, actor: Actor): Promise<Person> {
    return this.#inTurn(async () => {
      const { records, clock, passwords } = this.#options;
      const { id, name, role, oidc } = given;
      requireMayName(actor.principal, role);
      const zones = this.#checkZones(actor.principal, role, given.zones);
      this.#requireFreeSubject(oidc, id);
      const { password: plain } = given;
      if (plain === undefined && oidc === null) {
        throw new CodedError('BAD_ACCOUNT', 'an account has a password, or a subject at the identity provider');
      }
      if (plain !== undefined) requireStrong(plain, this.#ownerOf(id, name));
      const now = clock.now();
      const body: DocumentBody<'person'> = {
        name,
        role,
        zones,
        password: plain === undefined ? null : await passwords.hash(plain),
        totp: null,
        recovery: [],
        oidc,
        disabled: false,
        expired: plain !== undefined,
        passwordTime: now,
        created: now,
      };
      try {
        await records.put('person', { id, rev: 0, body }, deedOf(actor));
      } catch (error) {
        if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
        throw new CodedError('DOCUMENT_EXISTS', `there is an account "${id}" already`, { cause: error });
      }
      return this.get(id);
    });
  }

  change(id: string, change: z.infer<typeof personChange>, actor: Actor): Promise<Person> {
    return this.#inTurn(async () => {
      const { records, sessions } = this.#options;
      const person = this.get(id);
      const body = await this.#changed(person, change, actor);
      await records.put('person', { id, rev: change.rev, body }, deedOf(actor));
      const endsSessions =
        body.role !== person.body.role ||
        JSON.stringify(body.zones) !== JSON.stringify(person.body.zones) ||
        body.disabled ||
        body.oidc !== person.body.oidc ||
        body.password !== person.body.password ||
        body.totp !== person.body.totp;
      if (endsSessions) await sessions.endAllOf(id, deedOf(actor));
      return this.get(id);
    });
  }

  async #changed(
    { id, rev, body }: Person,
    change: z.infer<typeof personChange>,
    actor: Actor,
  ): Promise<DocumentBody<'person'>> {
    if (change.rev !== rev) {
      throw new CodedError('DOCUMENT_CHANGED', `account "${id}" was changed meanwhile: load it again`);
    }
    const { principal } = actor;
    const { role = body.role, disabled = body.disabled, name = body.name, oidc = body.oidc } = change;
    const isSelf = principal.who === `person:${id}`;
    if (isSelf && (role !== body.role || disabled || change.password !== undefined)) {
      throw new CodedError('FORBIDDEN', 'nobody changes his own role, disables himself, or resets his own password');
    }
    requireMayName(principal, body.role);
    requireMayName(principal, role);
    requireApart(body.role, role);
    const loses = body.role === 'administrator' && (role !== 'administrator' || disabled);
    if (loses && !body.disabled) this.#options.records.requireAnotherAdministrator(id);
    if (oidc !== body.oidc) this.#requireFreeSubject(oidc, id);
    const zones = this.#checkZones(principal, role, change.zones ?? (role === body.role ? body.zones : undefined));
    const next = { ...body, name, role, zones, oidc, disabled };
    const withoutTotp = change.totp === null ? { ...next, totp: null, recovery: [] } : next;
    return change.password === undefined ? withoutTotp : this.#reset(id, withoutTotp, change.password);
  }

  async #reset(id: string, body: DocumentBody<'person'>, plain: string): Promise<DocumentBody<'person'>> {
    const password = await this.newHash({ id, body }, plain);
    return { ...body, password, expired: true, passwordTime: this.#options.clock.now() };
  }

  /** Hashes a new password, if it is strong and not the one before. Throws WEAK_PASSWORD. */
  async newHash({ id, body }: Pick<Person, 'id' | 'body'>, plain: string): Promise<string> {
    const { passwords } = this.#options;
    requireStrong(plain, this.#ownerOf(id, body.name));
    if (body.password !== null && (await passwords.verify(body.password, plain))) {
      throw new CodedError('WEAK_PASSWORD', '新密码不得与原密码相同 / the new password must not be the one before');
    }
    return passwords.hash(plain);
  }

  remove(id: string, actor: Actor): Promise<void> {
    return this.#inTurn(async () => {
      const { records, sessions } = this.#options;
      const person = this.get(id);
      if (actor.principal.who === `person:${id}`) throw new CodedError('FORBIDDEN', 'nobody removes himself');
      requireMayName(actor.principal, person.body.role);
      requireCovers(actor.principal, person.body.zones);
      if (person.body.role === 'administrator' && !person.body.disabled) records.requireAnotherAdministrator(id);
      await records.put('person', { id, rev: person.rev, body: null }, deedOf(actor));
      await sessions.endAllOf(id, deedOf(actor));
    });
  }

  /** The account is written as it is: any later revision than that of the lock lifts it. */
  unlock(id: string, actor: Actor): Promise<Person> {
    return this.#inTurn(async () => {
      const { rev, body } = this.get(id);
      requireMayName(actor.principal, body.role);
      requireCovers(actor.principal, body.zones);
      const deed = { ...deedOf(actor), what: `person.unlock ${id}` };
      await this.#options.records.put('person', { id, rev, body }, deed);
      return this.get(id);
    });
  }

  /** Throws PERSON_NOT_FOUND. */
  get(id: string): Person {
    const person = this.#options.records.one('person', id);
    if (person === null) throw new CodedError('PERSON_NOT_FOUND', `there is no account "${id}"`);
    return person;
  }

  async createToken(given: z.infer<typeof tokenCreate>, actor: Actor): Promise<string> {
    const { records, clock } = this.#options;
    const { id, name, scopes, days } = given;
    if (id === 'local') throw new CodedError('DOCUMENT_EXISTS', 'the token of the box itself is called "local"');
    const lacking = scopes.filter((scope) => !actor.principal.rights.has(scope));
    if (lacking.length > 0)
      throw new CodedError('FORBIDDEN', `you cannot give what you have not: ${lacking.join(', ')}`);
    this.#requireZones(actor.principal, given.zones);
    const { secret, digest } = newTokenSecret(id);
    const now = clock.now();
    const body = {
      name,
      digest,
      scopes: [...new Set(scopes)],
      zones: given.zones,
      by: actor.principal.who,
      created: now,
      expires: days === null ? null : now + days * 86_400_000,
      lastUsed: null,
    };
    try {
      await records.put('token', { id, rev: 0, body }, deedOf(actor));
    } catch (error) {
      if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
      throw new CodedError('DOCUMENT_EXISTS', `there is a token "${id}" already`, { cause: error });
    }
    return secret;
  }

  async removeToken(id: string, actor: Actor): Promise<void> {
    const { records, onTokenEnd } = this.#options;
    for (;;) {
      const token = records.one('token', id);
      if (token === null) throw new CodedError('TOKEN_NOT_FOUND', `there is no token "${id}"`);
      try {
        await records.put('token', { id, rev: token.rev, body: null }, deedOf(actor));
        break;
      } catch (error) {
        // It was noted as used between our look and our word: once an hour at most.
        if (codeOf(error) !== 'DOCUMENT_CHANGED') throw error;
      }
    }
    onTokenEnd(id);
  }

  #ownerOf(id: string, name: string): string[] {
    return [id, name, ...this.#options.campusNames];
  }

  #checkZones(principal: Principal, role: Role, zones: Zones | undefined): 'all' | string[] {
    if (campusWideRoles.includes(role)) {
      if (zones === undefined || zones === 'all') return 'all';
      throw new CodedError('BAD_ZONES', `the work of the role "${role}" is the whole campus: its zones are "all"`);
    }
    if (zones === undefined) throw new CodedError('BAD_ZONES', 'say which zones, or "all"');
    this.#requireZones(principal, zones);
    return zones === 'all' ? 'all' : [...new Set(zones)];
  }

  #requireZones(principal: Principal, zones: Zones): void {
    const own = principal.zones;
    if (zones === 'all') {
      if (own !== 'all') throw new CodedError('FORBIDDEN', 'you cannot give zones that you have not');
      return;
    }
    for (const zone of zones) {
      if (!this.#options.zones.includes(zone)) throw new CodedError('BAD_ZONES', `there is no zone "${zone}"`);
      if (own !== 'all' && !own.includes(zone)) {
        throw new CodedError('FORBIDDEN', `you cannot give the zone "${zone}", which you have not`);
      }
    }
  }

  /** Two accounts of one subject: nobody could say who signed in. */
  #requireFreeSubject(oidc: string | null, id: string): void {
    if (oidc === null) return;
    const other = this.#options.records.all('person').find((person) => person.id !== id && person.body.oidc === oidc);
    if (other !== undefined) throw new CodedError('DOCUMENT_EXISTS', `account "${other.id}" has this subject already`);
  }

  /** One change of accounts at a time: two administrators must not remove each other in the same moment. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function requireMayName(principal: Principal, role: Role): void {
  if (principal.role === 'administrator') return;
  const lacking = rightsOf[role].filter((right: Right) => !principal.rights.has(right));
  if (lacking.length === 0) return;
  throw new CodedError('FORBIDDEN', `you cannot make or change the role "${role}": you have not ${lacking.join(', ')}`);
}

/** Whose work reaches further than one's own zones is not one's to remove or unlock. */
function requireCovers({ zones: own }: Principal, zones: Zones): void {
  if (own === 'all' || (zones !== 'all' && zones.every((zone) => own.includes(zone)))) return;
  throw new CodedError('FORBIDDEN', 'this account works in zones that you have not');
}

/** Who acts does not afterwards judge how, not even by way of a third role: auditing takes an account of its own. */
function requireApart(before: Role, after: Role): void {
  if (before === after || (before !== 'auditor' && after !== 'auditor')) return;
  throw new CodedError('ROLES_APART', 'no account becomes an auditor or ceases to be one: make another account');
}

function deedOf({ principal, from }: Actor): { readonly who: string; readonly from: string } {
  return { who: principal.who, from };
}
