import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { readIfThere, writeAtomically } from './atomic-file.ts';
import { migrateEntries } from './migrate.ts';
import { excludedTypes } from './palette.ts';
import {
  checkEntries,
  type FlowEntry,
  flowFolders,
  globalFile,
  pathOf,
  printEntries,
  splitFlows,
} from './tab-files.ts';
import type { Versions } from './versions.ts';

/** What a person deployed; paths are below the flows folder. */
export interface Deployment {
  readonly user: string;
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Ids of the tabs and subflows that were changed. */
  readonly tabs: readonly string[];
}

/** One tab or subflow as it is on disk. */
export interface StoredTab {
  readonly id: string;
  readonly kind: 'tab' | 'subflow';
  readonly label: string;
  /** Below the flows folder. */
  readonly file: string;
  readonly locked: boolean;
  readonly disabled: boolean;
  readonly nodes: number;
}

/** Who deploys; why is known of what was asked for outside the editor. */
export interface DeployingUser {
  readonly username?: string;
  readonly why?: string;
}

export interface StorageOptions {
  /** The flows themselves: one file per tab, for people and for git. */
  readonly flowsFolder: string;
  /** What is Node-RED's own: credentials, settings, sessions, the order of the tabs. */
  readonly stateFolder: string;
  readonly log: Log;
  readonly onDeploy?: (deployment: Deployment) => void;
  /** Where earlier states of tabs go; absent: they are not kept. */
  readonly versions?: Versions;
  /** Tabs that are given to Node-RED as disabled, whatever their files say, until somebody deploys them otherwise. */
  readonly disabled?: () => ReadonlySet<string>;
}

interface StoredUnit {
  readonly path: string;
  readonly entries: readonly FlowEntry[];
  /** Everything in its file: more than the unit where people have put several tabs into one file. */
  readonly file: readonly FlowEntry[];
}

const mostFiles = 1000;
const largestFile = 5e6;

/** Node-RED's storage interface. Own properties only: it asks hasOwnProperty before it keeps settings and sessions. */
export interface FlowStorage {
  init: () => Promise<void>;
  getFlows: () => Promise<FlowEntry[]>;
  saveFlows: (flows: unknown, user?: DeployingUser) => Promise<void>;
  /** What is on disk now, in the order of the tabs. Not of Node-RED's interface. */
  tabs: () => readonly StoredTab[];
  getCredentials: () => Promise<object>;
  saveCredentials: (credentials: object) => Promise<void>;
  getSettings: () => Promise<object>;
  saveSettings: (settings: object) => Promise<void>;
  getSessions: () => Promise<object>;
  saveSessions: (sessions: object) => Promise<void>;
  getLibraryEntry: (type: string, path: string) => Promise<never[]>;
  saveLibraryEntry: () => Promise<never>;
}

/** One file per tab. A file that cannot be read is left alone, logged, and never written over. */
export function openStorage(options: StorageOptions): FlowStorage {
  const { flowsFolder, stateFolder, log, onDeploy, versions, disabled = () => new Set<string>() } = options;
  /** What is on disk, by the id of its tab ('' = global configuration). */
  let units = new Map<string, StoredUnit>();
  let saving: Promise<void> = Promise.resolve();
  const state = (name: string) => join(stateFolder, name);

  async function getFlows(): Promise<FlowEntry[]> {
    units = new Map();
    const ids = new Set<string>();
    /** Global configuration in the file of a tab: it moves to its own file at the next deploy. */
    const strays: FlowEntry[] = [];
    for (const path of await listFlowFiles(flowsFolder, log)) {
      const entries = await readFlowFile(flowsFolder, path, ids, log);
      if (entries === null) continue;
      for (const entry of entries) ids.add(entry.id);
      for (const unit of splitFlows(migrateEntries(entries))) {
        if (unit.id !== '' || path === globalFile) units.set(unit.id, { path, entries: unit.entries, file: entries });
        else strays.push(...unit.entries);
      }
    }
    const order = await readOrder(state('order.json'), log);
    const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
    const sorted = [...units].sort(([a], [b]) => rank(a) - rank(b));
    // Tabs come before what lies on them, as Node-RED itself writes them.
    const off = disabled();
    const given = (id: string, { entries }: StoredUnit) => (off.has(id) ? disable(entries) : entries);
    const all = [...sorted.flatMap(([id, unit]) => given(id, unit)), ...strays];
    return [...all.filter((entry) => entry.type === 'tab'), ...all.filter((entry) => entry.type !== 'tab')];
  }

  async function save(flows: unknown, { username: user = 'unknown', why = '' }: DeployingUser): Promise<void> {
    const entries = migrateEntries(checkEntries(flows, 'flows'));
    refuseExcludedTypes(entries);
    const off = disabled();
    const next = splitFlows(entries).map((unit) => {
      const stored = units.get(unit.id);
      // What we disabled, and nobody has touched, stays as its file says.
      const isOurs =
        stored !== undefined && off.has(unit.id) && isDeepStrictEqual(unit.entries, disable(stored.entries));
      return isOurs ? { ...unit, entries: stored.entries } : unit;
    });
    refuseLocked(units, next);
    const taken = new Set([...units.values()].map((unit) => unit.path));
    const foreign = await foreignFiles(flowsFolder, taken, log);
    const used = new Set<string>();
    const planned = new Map<string, StoredUnit>();
    for (const unit of next) {
      const before = units.get(unit.id)?.path;
      const path = pathOf(unit, before, (candidate) => used.has(candidate) || foreign.has(candidate));
      used.add(path);
      planned.set(unit.id, { path, entries: unit.entries, file: unit.entries });
    }
    const written: string[] = [];
    const tabs: string[] = [];
    const keep = async (tab: string, before: readonly FlowEntry[] | null, after: readonly FlowEntry[] | null) => {
      // Only its file has another name, or another form.
      if (before !== null && after !== null && isDeepStrictEqual(before, after)) return;
      const [head] = after ?? before ?? [];
      const label = tab === '' ? 'global' : String(head?.label ?? head?.name ?? tab);
      tabs.push(tab);
      await versions?.save({ tab, label, by: user, why, before, after });
    };
    const removed: string[] = [];
    const remove = async (path: string) => {
      await rm(join(flowsFolder, path), { force: true });
      removed.push(path);
    };
    // `units` follows file by file: after a disk that is full in the middle, the next deploy starts from what is there.
    for (const [id, unit] of planned) {
      const before = units.get(id);
      if (before?.path === unit.path && isDeepStrictEqual(before.file, unit.entries)) continue;
      // Before it is written over: what was there must be found again.
      await keep(id, before?.entries ?? null, unit.entries);
      await writeAtomically(join(flowsFolder, unit.path), printEntries(unit.entries));
      written.push(unit.path);
      units.set(id, unit);
      if (before !== undefined && !used.has(before.path)) await remove(before.path);
    }
    for (const [id, { path, entries: gone }] of [...units]) {
      if (planned.has(id)) continue;
      await keep(id, gone, null);
      if (!used.has(path)) await remove(path);
      units.delete(id);
    }
    await writeAtomically(state('order.json'), `${JSON.stringify([...planned.keys()])}\n`);
    removed.sort();
    log.info({ user, written, removed }, 'flows were deployed');
    onDeploy?.({ user, written, removed, tabs });
  }

  return {
    init: async () => undefined,
    getFlows,
    // One after the other: two deploys at once would each plan on the files of before.
    saveFlows: (flows, user) => {
      const turn = saving.then(() => save(flows, user ?? {}));
      saving = turn.catch(() => undefined);
      return turn;
    },
    tabs: () => [...units].flatMap(([id, unit]) => describeTab(id, unit)),
    getCredentials: () => readState(state('credentials.json')),
    saveCredentials: (credentials) => writeAtomically(state('credentials.json'), JSON.stringify(credentials), 0o600),
    getSettings: () => readState(state('settings.json')),
    saveSettings: (settings) => writeAtomically(state('settings.json'), JSON.stringify(settings), 0o600),
    getSessions: () => readState(state('sessions.json')),
    saveSessions: (sessions) => writeAtomically(state('sessions.json'), JSON.stringify(sessions), 0o600),
    getLibraryEntry: async () => [],
    saveLibraryEntry: async () => {
      throw Object.assign(new CodedError('forbidden', 'the library is not used here: export a tab instead'), {
        status: 403,
      });
    },
  };
}

/** As Node-RED gets it: nothing on the tab runs. */
function disable(entries: readonly FlowEntry[]): readonly FlowEntry[] {
  return entries.map((entry) => (entry.type === 'tab' ? { ...entry, disabled: true } : entry));
}

function describeTab(id: string, { path, entries }: StoredUnit): StoredTab[] {
  const [head] = entries;
  if (id === '' || head === undefined) return [];
  const kind = head.type === 'subflow' ? 'subflow' : 'tab';
  const label = String(head.label ?? head.name ?? id);
  const flags = { locked: head.locked === true, disabled: head.disabled === true };
  return [{ id, kind, label, file: path, ...flags, nodes: entries.length - 1 }];
}

async function listFlowFiles(flowsFolder: string, log: Log): Promise<string[]> {
  const paths = [globalFile];
  for (const folder of flowFolders) {
    const names = await readdir(join(flowsFolder, folder)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw new CodedError('FLOWS_READ', `cannot list ${folder}: ${messageOf(error)}`, { cause: error });
    });
    paths.push(
      ...names
        .filter((name) => name.endsWith('.json'))
        .map((name) => `${folder}/${name}`)
        .sort(),
    );
  }
  if (paths.length > mostFiles)
    log.error({ files: paths.length, most: mostFiles }, 'too many flow files; the rest is left out');
  return paths.slice(0, mostFiles);
}

/** The checked entries; null for a file that is not there or cannot be used, which is logged. */
async function readFlowFile(
  flowsFolder: string,
  path: string,
  ids: ReadonlySet<string>,
  log: Log,
): Promise<FlowEntry[] | null> {
  const file = join(flowsFolder, path);
  try {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size > largestFile) throw new CodedError('FLOWS_INVALID', `${size} bytes; at most ${largestFile} are read`);
    const text = await readIfThere(file);
    if (text === null) return null;
    const entries = checkEntries(JSON.parse(text), path);
    const twice = entries.find((entry) => ids.has(entry.id));
    if (twice !== undefined) throw new CodedError('FLOWS_INVALID', `the id "${twice.id}" is in another file too`);
    return entries;
  } catch (error) {
    log.error({ file: path, problem: messageOf(error) }, 'a flow file cannot be used');
    return null;
  }
}

/** Files that are there but not ours: broken ones, and those that somebody put there since. */
async function foreignFiles(flowsFolder: string, ours: ReadonlySet<string>, log: Log): Promise<ReadonlySet<string>> {
  const there = await listFlowFiles(flowsFolder, log);
  return new Set(there.filter((path) => path !== globalFile && !ours.has(path)));
}

/** Without this a single imported `exec` node would stop all flows ("missing types") at the next start. */
function refuseExcludedTypes(entries: readonly FlowEntry[]): void {
  const found = entries.find((entry) => excludedTypes.has(entry.type));
  if (found === undefined) return;
  const message = `node ${found.id}: "${found.type}" nodes are not allowed here`;
  throw Object.assign(new CodedError('type_not_allowed', message), { status: 400 });
}

/** The editor only greys locked tabs out; here a deploy that changes one fails, and what runs goes on. Unlock, then change. */
function refuseLocked(
  before: ReadonlyMap<string, { entries: readonly FlowEntry[] }>,
  next: readonly { id: string; entries: readonly FlowEntry[] }[],
): void {
  const after = new Map(next.map((unit) => [unit.id, unit.entries]));
  for (const [id, { entries }] of before) {
    const [head] = entries;
    if (head?.locked !== true) continue;
    const [newHead] = after.get(id) ?? [];
    const isUnlocked = newHead !== undefined && newHead.locked !== true;
    if (isUnlocked || isDeepStrictEqual(after.get(id), entries)) continue;
    const message = `the tab "${head.label ?? head.name ?? id}" is locked`;
    throw Object.assign(new CodedError('tab_locked', message), { status: 403 });
  }
}

async function readOrder(path: string, log: Log): Promise<readonly unknown[]> {
  try {
    const order: unknown = JSON.parse((await readIfThere(path)) ?? '[]');
    return Array.isArray(order) ? order : [];
  } catch (error) {
    log.warn({ problem: messageOf(error) }, 'the order of the tabs is lost; they are in the order of their names');
    return [];
  }
}

async function readState(path: string): Promise<object> {
  const text = await readIfThere(path);
  if (text === null) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (error) {
    throw new CodedError('FLOWS_READ', `${path} is not JSON: ${messageOf(error)}; move it away to start without it`);
  }
  throw new CodedError('FLOWS_READ', `${path} is not an object; move it away to start without it`);
}
