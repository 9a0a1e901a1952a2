import type { Rule } from '#edge/domain/rule.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import {
  type DocumentBody,
  type DocumentChange,
  mostVersions,
  ruleVersionId,
  type StoredDocument,
} from '#edge/store/documents.ts';
import { describeBodies } from './rule-diff.ts';

/* How far a rule is, and what takes it further: pure steps from one stored state to the next, with the documents they need. */

export type RuleStored = DocumentBody<'rule'>;

/** A rule as core knows it: what is stored, and with which revision. */
export interface RuleEntry {
  readonly id: string;
  readonly rev: number;
  readonly state: RuleStored;
}

/** Who changes something, from where, and why. */
export interface Act {
  readonly who: string;
  readonly from: string;
  readonly why: string;
  readonly time: number;
}

/** A version that can run. */
export interface KnownVersion {
  readonly version: number;
  readonly body: RuleBody;
  readonly rule: Rule;
  /** Of what it means (ruleHash). */
  readonly digest: string;
}

export type VersionSource = DocumentBody<'ruleVersion'>['from'];

export function entryOf({ id, rev, body }: StoredDocument<'rule'>): RuleEntry {
  return { id, rev, state: body };
}

/** The words of the audit for the change of `rule` documents. */
export interface Deed {
  /** `rule.activate`, ... */
  readonly verb: string;
  readonly about?: string;
  readonly result?: string;
}

export function putRule(
  entry: Pick<RuleEntry, 'id' | 'rev'>,
  state: RuleStored | null,
  act: Act,
  { verb, about = '', result }: Deed,
): { readonly entry: RuleEntry | null; readonly change: DocumentChange } {
  const words = { what: `${verb} ${entry.id}${about}`, ...(result === undefined ? {} : { result }) };
  const change: DocumentChange = { kind: 'rule', id: entry.id, rev: entry.rev, ...act, ...words, body: state };
  return { entry: state === null ? null : { id: entry.id, rev: entry.rev + 1, state }, change };
}

export interface NewVersion {
  readonly body: RuleBody;
  readonly rule: Rule;
  readonly source: VersionSource;
  /** What it is compared with in the audit; null: nothing came before. */
  readonly before: RuleBody | null;
}

/** The state with one version more, and the documents of it: the new one, and the oldest that is let go for it. */
export function addVersion(
  id: string,
  state: RuleStored | null,
  { body, rule, source, before }: NewVersion,
  act: Act,
  verb: string,
): { readonly state: RuleStored; readonly version: number; readonly changes: readonly DocumentChange[] } {
  const version = (state?.latest ?? 0) + 1;
  const base: RuleStored = state ?? emptyState(rule);
  const old = base.versions.length >= mostVersions ? oldestToGo(base) : [];
  const versions = [...base.versions.filter((one) => !old.includes(one)), version];
  const made: DocumentChange = {
    kind: 'ruleVersion',
    id: ruleVersionId(id, version),
    rev: 0,
    ...act,
    what: `${verb} ${id} v${version}`,
    result: before === null ? `a ${rule.kind} rule` : describeBodies(before, body),
    body: {
      rule: id,
      version,
      from: source,
      by: source === 'file' ? 'file' : act.who,
      why: act.why,
      time: act.time,
      body,
    },
  };
  const gone = old.map((one) => forgetVersion(id, one, { ...act, why: `more than ${mostVersions} versions` }));
  const approvals = base.approvals.filter((one) => versions.includes(one.version));
  const next = { ...base, kind: rule.kind, latest: version, versions, approvals };
  return { state: next, version, changes: [made, ...gone] };
}

function emptyState({ kind }: Rule): RuleStored {
  const none = { active: null, shadow: null, proposal: null, file: null, writing: null };
  return { kind, ...none, ran: false, latest: 1, versions: [], approvals: [] };
}

/** Never what runs, watches or waits for somebody. */
function oldestToGo({ versions, active, shadow, proposal }: RuleStored): number[] {
  const needed = [active, shadow, proposal?.version];
  return versions.filter((one) => !needed.includes(one)).slice(0, versions.length - mostVersions + 1);
}

export function forgetVersion(id: string, version: number, act: Act): DocumentChange {
  const what = `ruleVersion.remove ${id} v${version}`;
  return {
    kind: 'ruleVersion',
    id: ruleVersionId(id, version),
    rev: 1,
    ...act,
    what,
    result: 'let go',
    body: null,
  };
}

/** It runs; its file is to say so. */
export function activated(state: RuleStored, { version, digest, rule }: KnownVersion): RuleStored {
  const shadow = state.shadow === version ? null : state.shadow;
  const kind = version === state.latest ? rule.kind : state.kind;
  const file = { file: digest, writing: { before: state.file } };
  return { ...state, kind, active: version, shadow, ran: true, proposal: null, ...file };
}

/** Who let it run, as the second person; the newest approval of a version counts. */
export function approvedBy(state: RuleStored, version: number, { who, time }: Act): RuleStored {
  const others = state.approvals.filter((one) => one.version !== version);
  return { ...state, approvals: [...others, { version, by: who, time }] };
}

/** It does not run; its file is to go. */
export function turnedOff(state: RuleStored): RuleStored {
  return { ...state, active: null, proposal: null, file: null, writing: { before: state.file } };
}

export function ruleState({ active, shadow, ran }: RuleStored): 'active' | 'shadow' | 'off' | 'draft' {
  if (active !== null) return 'active';
  if (shadow !== null) return 'shadow';
  return ran ? 'off' : 'draft';
}
