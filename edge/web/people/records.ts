import { z } from 'zod';
import type { Role } from '#edge/domain/access.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { DocumentBody, DocumentKind, StoredDocument } from '#edge/store/documents.ts';
import type { Reader } from '#edge/store/reader.ts';

export type Person = StoredDocument<'person'>;
export type Session = StoredDocument<'session'>;
export type Token = StoredDocument<'token'>;

/** Who did it, from where, and why, as the audit says it. */
export interface Deed {
  readonly who: string;
  readonly from: string;
  readonly why?: string;
  /** Instead of the audit's own words, e.g. `person.unlock lin`. */
  readonly what?: string;
}

const putResult = z.object({ rev: z.number() });

/** Accounts, sessions and tokens: read from the store (also while core is away), written through core. */
export class Records {
  readonly #reader: Pick<Reader, 'document' | 'documents'>;
  readonly #rpc: Pick<RpcClient, 'call'>;
  /** Who was an administrator when last looked: most looks need no more than one row. */
  #administrator: string | null = null;

  constructor(reader: Pick<Reader, 'document' | 'documents'>, rpc: Pick<RpcClient, 'call'>) {
    this.#reader = reader;
    this.#rpc = rpc;
  }

  one<K extends DocumentKind>(kind: K, id: string): StoredDocument<K> | null {
    return this.#reader.document(kind, id);
  }

  all<K extends DocumentKind>(kind: K): readonly StoredDocument<K>[] {
    return this.#reader.documents(kind);
  }

  /** Rejects with DOCUMENT_CHANGED when `rev` is not the stored one (0: there is none), RPC_AWAY while core is away. */
  async put<K extends 'person' | 'session' | 'token'>(
    kind: K,
    { id, rev, body }: { readonly id: string; readonly rev: number; readonly body: DocumentBody<K> | null },
    { who, from, why = '', what }: Deed,
  ): Promise<number> {
    const params = { kind, id, rev, body, who, from: from.slice(0, 100), why, ...(what === undefined ? {} : { what }) };
    return putResult.parse(await this.#rpc.call('document.put', params)).rev;
  }

  /** Somebody can sign in who may make accounts. Without one the campus waits for its first administrator. */
  hasAdministrator(): boolean {
    const known = this.#administrator === null ? null : this.one('person', this.#administrator);
    if (known !== null && isAdministrator(known)) return true;
    this.#administrator = this.all('person').find(isAdministrator)?.id ?? null;
    return this.#administrator !== null;
  }

  /** Throws LAST_ADMINISTRATOR when nobody else could make accounts any more. */
  requireAnotherAdministrator(id: string): void {
    if (this.all('person').some((person) => person.id !== id && isAdministrator(person))) return;
    throw new CodedError('LAST_ADMINISTRATOR', `"${id}" is the only administrator who can sign in: make another first`);
  }

  sessionsOf(person: string): readonly Session[] {
    return this.all('session').filter(({ body }) => body.person === person);
  }
}

function isAdministrator({ body }: Person): boolean {
  const role: Role = 'administrator';
  return body.role === role && !body.disabled && (body.password !== null || body.oidc !== null);
}
