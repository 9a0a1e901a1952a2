import type { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { storedSchoolEntry } from '#edge/runtime/school-schema.ts';
import type { Db } from './database.ts';
import { type DocumentBody, type DocumentKind, documentSchemas, type StoredDocument } from './documents.ts';

interface Row {
  readonly id: string;
  readonly rev: number;
  readonly time: number;
  readonly who: string;
  readonly body: string;
}

/** Made once: a schema is compiled when it is first asked, and a session reads two documents with every request. */
const storedSchemas: Readonly<Record<DocumentKind, z.ZodType>> = {
  person: documentSchemas.person.strip(),
  session: documentSchemas.session.strip(),
  token: documentSchemas.token.strip(),
  plan: documentSchemas.plan.strip(),
  placement: documentSchemas.placement.strip(),
  asset: documentSchemas.asset.strip(),
  ignored: documentSchemas.ignored.strip(),
  rule: documentSchemas.rule.strip(),
  ruleVersion: documentSchemas.ruleVersion.strip(),
  mode: documentSchemas.mode.strip(),
  school: storedSchoolEntry,
  schoolRelease: documentSchemas.schoolRelease.strip(),
  schoolOverride: documentSchemas.schoolOverride.strip(),
  schoolYear: documentSchemas.schoolYear.strip(),
  clip: documentSchemas.clip.strip(),
  announcement: documentSchemas.announcement.strip(),
  soundLevels: documentSchemas.soundLevels.strip(),
  quietRooms: documentSchemas.quietRooms.strip(),
};

/** Reads what `documentWriter` wrote. Throws STORE_BAD_DOCUMENT for a body that cannot be understood. */
export function documentReader(db: Db) {
  const columns = 'SELECT id, rev, time, who, body FROM document WHERE kind = ?';
  const one = db.prepare<[string, string], Row>(`${columns} AND id = ?`);
  const all = db.prepare<[string], Row>(`${columns} ORDER BY id`);
  return {
    one: <K extends DocumentKind>(kind: K, id: string): StoredDocument<K> | null => {
      const row = one.get(kind, id);
      return row === undefined ? null : parse(kind, row);
    },
    all: <K extends DocumentKind>(kind: K): StoredDocument<K>[] => all.all(kind).map((row) => parse(kind, row)),
  };
}

/**
 * As today's schema has it: a body of an older version has defaults where it says nothing, and what is known no more is
 * left out.
 */
function parse<K extends DocumentKind>(kind: K, { body, ...about }: Row): StoredDocument<K> {
  const parsed = storedSchemas[kind].safeParse(JSON.parse(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const why = `${issue?.path.join('.')}: ${issue?.message}`;
    throw new CodedError('STORE_BAD_DOCUMENT', `the stored ${kind} "${about.id}" cannot be read: ${why}`);
  }
  return { ...about, body: parsed.data as DocumentBody<K> };
}
