import { CodedError } from '#edge/runtime/errors.ts';
import type { AuditLog } from './audit-log.ts';
import type { Db } from './database.ts';
import {
  type DocumentChange,
  type DocumentKind,
  documentLimits,
  secretFields,
  unauditedKinds,
  usageFields,
} from './documents.ts';

type Fields = Readonly<Record<string, unknown>>;

/** So much of a value is told. */
const valueLength = 80;
const resultLength = 1_000;

/**
 * Writes one change and its audit line, inside the caller's transaction. Throws DOCUMENT_CHANGED when the stored revision
 * is not the one that the change was made from, DOCUMENT_LIMIT for one too many.
 */
export function documentWriter(
  db: Db,
  audit: Pick<AuditLog, 'append'>,
): (change: Omit<DocumentChange, 'body'>, body: string | null) => void {
  const s = prepare(db);
  return (change, body) => {
    const { kind, id, rev, time, who, from, why } = change;
    const stored = s.stored.get(kind, id);
    if ((stored?.rev ?? 0) !== rev) throw changed(change, stored);
    if (stored === undefined && body === null) return;
    if (stored === undefined && (s.count.get(kind) ?? 0) >= documentLimits[kind]) {
      throw new CodedError('DOCUMENT_LIMIT', `there may be no more than ${documentLimits[kind]} of the kind "${kind}"`);
    }
    if (body === null) s.remove.run(kind, id);
    else s.put.run(kind, id, rev + 1, time, who, body);
    const before = fieldsOf(stored?.body ?? null);
    const after = fieldsOf(body);
    if (!isAudited(kind, before, after)) return;
    const verb = before === null ? 'create' : after === null ? 'remove' : 'change';
    const result = change.result ?? describeChange(before, after);
    audit.append([time, who, from, change.what ?? `${kind}.${verb} ${id}`, why, clip(result, resultLength)]);
  };
}

function changed({ kind, id, rev }: Omit<DocumentChange, 'body'>, stored: { rev: number; who: string } | undefined) {
  const now = stored === undefined ? 'it is not there' : `it is at revision ${stored.rev}, by ${stored.who}`;
  return new CodedError('DOCUMENT_CHANGED', `${kind} "${id}" was changed meanwhile: revision ${rev} was seen, ${now}`);
}

function isAudited(kind: DocumentKind, before: Fields | null, after: Fields | null): boolean {
  if (unauditedKinds.includes(kind)) return false;
  if (before === null || after === null) return true;
  const names = changedFields(before, after);
  return names.length === 0 || !names.every((name) => usageFields.includes(name));
}

/**
 * Which fields changed, from what to what: `role "viewer" -> "security"; password changed`. Of secrets only that they did.
 * All fields of what is new or removed.
 */
export function describeChange(before: Fields | null, after: Fields | null): string {
  const words = changedFields(before ?? {}, after ?? {}).flatMap((name) => {
    if (secretFields.includes(name)) return describeSecret(name, isThere(before?.[name]), isThere(after?.[name]));
    if (before === null) return [`${name} ${show(after?.[name])}`];
    if (after === null) return [`${name} was ${show(before[name])}`];
    return [`${name} ${show(before[name])} -> ${show(after[name])}`];
  });
  return clip(words.length === 0 ? 'nothing changed' : words.join('; '), resultLength);
}

/** A new account without a second factor has none set, and says nothing of it. */
function describeSecret(name: string, wasThere: boolean, isThereNow: boolean): string[] {
  if (!wasThere && !isThereNow) return [];
  return [`${name} ${!isThereNow ? 'removed' : wasThere ? 'changed' : 'set'}`];
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function changedFields(before: Fields, after: Fields): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

function show(value: unknown): string {
  return clip(JSON.stringify(value) ?? 'nothing', valueLength);
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

function fieldsOf(body: string | null): Fields | null {
  return body === null ? null : (JSON.parse(body) as Fields);
}

function prepare(db: Db) {
  return {
    stored: db.prepare<[string, string], { rev: number; who: string; body: string }>(
      'SELECT rev, who, body FROM document WHERE kind = ? AND id = ?',
    ),
    count: db.prepare<[string], number>('SELECT count(*) FROM document WHERE kind = ?').pluck(),
    put: db.prepare<[string, string, number, number, string, string]>(
      'INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)',
    ),
    remove: db.prepare<[string, string]>('DELETE FROM document WHERE kind = ? AND id = ?'),
  };
}
