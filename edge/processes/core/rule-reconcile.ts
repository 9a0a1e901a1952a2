import type { Rule } from '#edge/domain/rule.ts';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import type { DocumentChange } from '#edge/store/documents.ts';
import {
  type Act,
  activated,
  addVersion,
  type KnownVersion,
  putRule,
  type RuleEntry,
  type RuleStored,
  turnedOff,
} from './rule-entry.ts';

/** A good file of the rules folder. */
export interface RuleFileNow {
  readonly id: string;
  readonly body: RuleBody;
  readonly rule: Rule;
  readonly digest: string;
}

export interface RuleFolderNow {
  /** The folder itself can be read. */
  readonly isThere: boolean;
  readonly files: readonly RuleFileNow[];
  /** `id`: of the rule that the file's name means. */
  readonly broken: readonly { readonly file: string; readonly id: string; readonly message: string }[];
}

export interface ReconcileInput {
  readonly entries: readonly RuleEntry[];
  /** null: it is not there, or cannot be understood any more. */
  readonly version: (rule: string, version: number) => KnownVersion | null;
  readonly folder: RuleFolderNow;
  /** Nothing was ever stored: the files are taken as they are. */
  readonly isFirst: boolean;
  readonly now: number;
}

export interface Reconciliation {
  readonly entries: readonly RuleEntry[];
  readonly documents: readonly DocumentChange[];
  /** Files that are not what they should be, because a write was cut short; body null: it is to go. */
  readonly unwritten: readonly { readonly id: string; readonly body: RuleBody | null }[];
  /** What a person must see to, by rule, a sentence each. */
  readonly troubles: ReadonlyMap<string, string>;
}

interface Step {
  readonly entry: RuleEntry;
  readonly documents: readonly DocumentChange[];
  readonly unwritten?: { readonly body: RuleBody | null };
  readonly trouble?: string;
}

/**
 * Brings what is stored and what lies in the rules folder together, at the start. What somebody edited is taken in as a new
 * version; but of a safety rule what two people approved goes on running, and the file becomes a proposal. A file that cannot be
 * read, and a folder that is not there, change nothing.
 */
export function reconcileRules(input: ReconcileInput): Reconciliation {
  const { entries, folder } = input;
  const files = new Map(folder.files.map((file) => [file.id, file]));
  const broken = new Map(folder.broken.map(({ id, ...what }) => [id, what]));
  const troubles = new Map<string, string>();
  for (const [id, { file, message }] of broken) troubles.set(id, `${file}: ${message}`);
  if (!folder.isThere && entries.some(({ state }) => state.active !== null)) {
    troubles.set('', 'the rules folder cannot be read: what ran before goes on');
  }
  const known = entries.map((entry) => {
    if (broken.has(entry.id) || !folder.isThere) return { entry, documents: [] };
    return reconcileKnown(entry, files.get(entry.id) ?? null, input);
  });
  const ids = new Set(entries.map(({ id }) => id));
  const fresh = folder.files.filter(({ id }) => !ids.has(id)).map((file) => takeNew(file, input));
  const steps: Step[] = [...known, ...fresh];
  for (const { entry, trouble } of steps) if (trouble !== undefined) troubles.set(entry.id, trouble);
  return {
    entries: steps.map(({ entry }) => entry),
    documents: steps.flatMap(({ documents }) => documents),
    unwritten: steps.flatMap(({ entry, unwritten }) =>
      unwritten === undefined ? [] : [{ id: entry.id, ...unwritten }],
    ),
    troubles,
  };
}

function reconcileKnown(entry: RuleEntry, file: RuleFileNow | null, input: ReconcileInput): Step {
  const { state } = entry;
  const digest = file?.digest ?? null;
  if (digest === state.file) return written(entry, input.now);
  if (state.writing !== null && digest === state.writing.before) return cutShort(entry, input);
  const active = state.active === null ? null : input.version(entry.id, state.active);
  if (file === null) return fileGone(entry, active, input.now);
  const isSafety = file.rule.kind === 'safety' || isSafetyNow(state, active);
  return isSafety ? proposeFile(entry, file, active, input) : takeIn(entry, file, input);
}

/** What runs cannot be read any more: then its state says what it was. */
function isSafetyNow(state: RuleStored, active: KnownVersion | null): boolean {
  return state.active !== null && (active?.rule.kind ?? state.kind) === 'safety';
}

/** The file is what it should be. */
function written(entry: RuleEntry, now: number): Step {
  if (entry.state.writing === null) return { entry, documents: [] };
  return change(entry, { ...entry.state, writing: null }, byCore(now, 'the file is written'), 'rule.written');
}

/** The power went between the decision and its file. */
function cutShort(entry: RuleEntry, { version }: ReconcileInput): Step {
  const { active } = entry.state;
  const body = active === null ? null : (version(entry.id, active)?.body ?? null);
  if (active !== null && body === null) return { entry, documents: [] };
  return { entry, documents: [], unwritten: { body } };
}

function fileGone(entry: RuleEntry, active: KnownVersion | null, now: number): Step {
  if (isSafetyNow(entry.state, active)) {
    const trouble = `${entry.id}.yaml is gone: what two people approved goes on (v${entry.state.active})`;
    return { entry, documents: [], trouble };
  }
  const off = { ...turnedOff(entry.state), writing: null };
  return change(entry, off, byFile(entry.id, now, 'its file was taken away'), 'rule.off');
}

/** The version that the file is already, or a new one. */
function versionOfFile(entry: RuleEntry | null, file: RuleFileNow, input: ReconcileInput) {
  const latest = entry === null ? null : input.version(file.id, entry.state.latest);
  if (entry !== null && latest?.digest === file.digest) {
    return { state: entry.state, version: entry.state.latest, changes: [] };
  }
  const given = { body: file.body, rule: file.rule, source: 'file' as const, before: latest?.body ?? null };
  const why = entry === null ? 'found in the rules folder' : 'the file was changed';
  return addVersion(file.id, entry?.state ?? null, given, byFile(file.id, input.now, why), 'rule.take-in');
}

function takeIn(entry: RuleEntry | null, file: RuleFileNow, input: ReconcileInput): Step {
  const { state, version, changes } = versionOfFile(entry, file, input);
  const running = { ...activated(state, { ...file, version }), writing: null };
  const why = entry === null ? 'found in the rules folder' : 'the file was changed';
  const about = ` v${version}`;
  const step = change(
    entry ?? { id: file.id, rev: 0 },
    running,
    byFile(file.id, input.now, why),
    'rule.activate',
    about,
  );
  return { ...step, documents: [...changes, ...step.documents] };
}

function takeNew(file: RuleFileNow, input: ReconcileInput): Step {
  if (file.rule.kind === 'safety' && !input.isFirst) return proposeFile(null, file, null, input);
  return takeIn(null, file, input);
}

function proposeFile(
  entry: RuleEntry | null,
  file: RuleFileNow,
  active: KnownVersion | null,
  input: ReconcileInput,
): Step {
  const goesOn = active === null ? 'it does not run' : `v${active.version} goes on`;
  const trouble = (version: number) =>
    `${file.id}.yaml is not what two people approved: ${goesOn} until v${version} is approved`;
  const { proposal } = entry?.state ?? { proposal: null };
  if (entry !== null && proposal?.digest === file.digest) {
    return { entry, documents: [], trouble: trouble(proposal.version ?? 0) };
  }
  const why = 'the file was changed';
  const { state, version, changes } = versionOfFile(entry, file, input);
  const proposed = { version, digest: file.digest, by: 'file', time: input.now, why };
  const act = byFile(file.id, input.now, why);
  const next = { ...state, proposal: proposed, writing: null };
  const step = change(entry ?? { id: file.id, rev: 0 }, next, act, 'rule.propose', ` v${version}`);
  return { ...step, documents: [...changes, ...step.documents], trouble: trouble(version) };
}

function change(
  before: Pick<RuleEntry, 'id' | 'rev'>,
  state: RuleStored,
  act: Act,
  verb: string,
  about = '',
): { readonly entry: RuleEntry; readonly documents: readonly DocumentChange[] } {
  const { change: document } = putRule(before, state, act, { verb, about });
  return { entry: { id: before.id, rev: before.rev + 1, state }, documents: [document] };
}

function byFile(id: string, time: number, why: string): Act {
  return { who: 'process:core', from: `${id}.yaml`, why, time };
}

function byCore(time: number, why: string): Act {
  return { who: 'process:core', from: 'core', why, time };
}
