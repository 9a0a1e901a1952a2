import { CodedError } from '#edge/runtime/errors.ts';

/** One entry of Node-RED's flow array: a tab, a subflow, a node or a configuration. */
export interface FlowEntry {
  readonly id: string;
  readonly type: string;
  /** The tab or subflow it lies on; absent on tabs, subflows and global configuration. */
  readonly z?: string;
  readonly label?: string;
  readonly name?: string;
  readonly locked?: boolean;
  readonly disabled?: boolean;
  readonly env?: readonly { readonly name: string; readonly value: unknown }[];
}

/** What goes into one file: a tab (or subflow) with everything on it, or all global configuration. */
export interface FlowUnit {
  /** The id of the tab or subflow; '' for the global configuration. */
  readonly id: string;
  readonly entries: readonly FlowEntry[];
}

/** The folders of flows; what belongs to none of them is in `other`. Safety has no folder here: it is not a flow's work. */
export const flowFolders = ['energy', 'comfort', 'notify', 'other'] as const;
type FlowFolder = (typeof flowFolders)[number];
export const globalFile = 'global-config.json';

/** What the label of a tab may begin with, e.g. `comfort/empty room`, `节能: 夜间`. */
const prefixes: Readonly<Record<string, FlowFolder>> = {
  energy: 'energy',
  comfort: 'comfort',
  notify: 'notify',
  节能: 'energy',
  舒适: 'comfort',
  通知: 'notify',
};
const prefixPattern = new RegExp(`^(${Object.keys(prefixes).join('|')})\\s*[/:：-]\\s*`, 'iu');
/** Node-RED makes ids of 16 characters. */
const longestId = 200;
/** A tab's own setting that names its folder, stronger than its label. */
const folderVariable = 'CAMPUS_FOLDER';

/** Checks the shape that storage depends on; the rest of a node is its own business. Throws FLOWS_INVALID with the place. */
export function checkEntries(input: unknown, where: string): FlowEntry[] {
  if (!Array.isArray(input)) throw new CodedError('FLOWS_INVALID', `${where}: must be a list of nodes`);
  const ids = new Set<string>();
  return input.map((entry: unknown, i) => {
    const place = `${where}[${i}]`;
    if (typeof entry !== 'object' || entry === null) throw new CodedError('FLOWS_INVALID', `${place}: must be a node`);
    for (const key of ['id', 'type'] as const) {
      const text: unknown = Reflect.get(entry, key);
      if (typeof text !== 'string' || text === '')
        throw new CodedError('FLOWS_INVALID', `${place}.${key}: must be a text`);
    }
    const checked = entry as FlowEntry;
    if (isHead(checked)) checkHead(checked, place);
    if (ids.has(checked.id)) throw new CodedError('FLOWS_INVALID', `${place}.id: "${checked.id}" is there twice`);
    ids.add(checked.id);
    return checked;
  });
}

/** Of a tab or subflow: what its file is named by, and its versions are found by. */
function checkHead(head: FlowEntry, place: string): void {
  const refuse = (key: string, mistake: string): never => {
    throw Object.assign(new CodedError('FLOWS_INVALID', `${place}.${key}: ${mistake}`), { status: 400 });
  };
  if (head.id.length > longestId) refuse('id', `must be at most ${longestId} characters`);
  for (const key of ['label', 'name'] as const) {
    if (!['string', 'undefined'].includes(typeof (head[key] ?? undefined))) refuse(key, 'must be a text');
  }
  const { env = [] }: { readonly env?: unknown } = head;
  const isVariable = (one: unknown) => typeof one === 'object' && one !== null;
  if (!Array.isArray(env) || !env.every(isVariable)) refuse('env', 'must be a list of variables');
}

/** Splits Node-RED's one array into the contents of files; order within each is kept. */
export function splitFlows(entries: readonly FlowEntry[]): FlowUnit[] {
  const groups = new Map<string, FlowEntry[]>([['', []]]);
  for (const entry of entries) if (isHead(entry)) groups.set(entry.id, [entry]);
  for (const entry of entries) {
    if (isHead(entry)) continue;
    // A node whose tab is gone would be lost on the way to a file: it stays with the global configuration.
    const group = groups.get(entry.z ?? '') ?? groups.get('');
    group?.push(entry);
  }
  return [...groups].map(([id, list]) => ({ id, entries: list })).filter((unit) => unit.entries.length > 0);
}

function isHead(entry: FlowEntry): boolean {
  return entry.type === 'tab' || entry.type === 'subflow';
}

/**
 * The path of a unit below the flows folder, e.g. `comfort/empty-room-ac.json`. The folder comes from the tab's variable
 * CAMPUS_FOLDER, else from the beginning of its label, else it stays where it was, else `other`. Names hold letters, digits, _ and - only,
 * so no label can lead out of the folder. `isTaken` says that a path belongs to somebody else.
 */
export function pathOf(unit: FlowUnit, before: string | undefined, isTaken: (path: string) => boolean): string {
  const [head] = unit.entries;
  if (unit.id === '' || head === undefined) return globalFile;
  const label = (head.type === 'tab' ? head.label : head.name) ?? '';
  const folder = folderOf(head, label) ?? folderOfPath(before) ?? 'other';
  const stem = `${head.type === 'subflow' ? 'subflow-' : ''}${slugOf(label.replace(prefixPattern, '')) || 'tab'}`;
  const suffix = slugOf(unit.id).slice(0, 8);
  for (const name of [stem, `${stem}-${suffix}`]) {
    const path = `${folder}/${name}.json`;
    // A file that once needed its suffix keeps it: a name that changes by itself is noise in every diff.
    if (before === `${folder}/${stem}-${suffix}.json`) return before;
    if (!isTaken(path)) return path;
  }
  for (let n = 2; ; n++) {
    const path = `${folder}/${stem}-${suffix}-${n}.json`;
    if (!isTaken(path)) return path;
  }
}

function folderOf(head: FlowEntry, label: string): FlowFolder | undefined {
  const named = head.env?.find((variable) => variable.name === folderVariable)?.value;
  const prefix = prefixPattern.exec(label)?.[1]?.toLowerCase();
  return asFolder(named) ?? (prefix === undefined ? undefined : prefixes[prefix]);
}

function folderOfPath(path: string | undefined): FlowFolder | undefined {
  return asFolder(path?.split('/')[0]);
}

function asFolder(name: unknown): FlowFolder | undefined {
  return flowFolders.find((folder) => folder === name);
}

/** Letters and digits of any script stay, the rest becomes `-`. */
function slugOf(label: string): string {
  const plain = label.normalize('NFC').toLowerCase();
  const dashed = plain.replace(/[^\p{L}\p{N}_]+/gu, '-').replace(/^-+|-+$/g, '');
  return [...dashed].slice(0, 48).join('');
}

/** As it is written: readable, and the same for the same content. */
export function printEntries(entries: readonly FlowEntry[]): string {
  return `${JSON.stringify(entries, null, 2)}\n`;
}
