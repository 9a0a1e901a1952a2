import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { writeAtomically } from './atomic-file.ts';
import { type ChangeCount, countChanges, diffEntries, type NodeChange } from './flow-diff.ts';
import type { FlowEntry } from './tab-files.ts';

/** One state of a tab as somebody saved it. */
export interface FlowVersion {
  /** 1, 2, 3 ...; never used twice. */
  readonly version: number;
  /** ms since epoch. */
  readonly time: number;
  /** Of the editor; `file`: somebody wrote the file, or it was shipped. */
  readonly by: string;
  readonly why: string;
  readonly changes: ChangeCount;
}

/** What is kept of one tab. */
export interface TabVersions {
  /** '' is the global configuration. */
  readonly tab: string;
  readonly label: string;
  /** Oldest first. */
  readonly versions: readonly FlowVersion[];
}

export interface Saved {
  readonly tab: string;
  readonly label: string;
  readonly by: string;
  readonly why: string;
  /** As it was before; null: it is new. */
  readonly before: readonly FlowEntry[] | null;
  /** null: it was removed. */
  readonly after: readonly FlowEntry[] | null;
}

export interface Versions {
  save(saved: Saved): Promise<void>;
  list(): readonly TabVersions[];
  /** Throws VERSION_NOT_FOUND. */
  entries(tab: string, version: number): Promise<readonly FlowEntry[]>;
  /** What changed from one to the other. Throws VERSION_NOT_FOUND. */
  diff(tab: string, from: number, to: number): Promise<readonly NodeChange[]>;
}

export interface VersionsOptions {
  /** `<state folder>/versions` */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Versions of one tab, and bytes of all. */
  readonly most?: number;
  readonly mostBytes?: number;
}

const count = z.int().min(0);
const fileSchema = z.strictObject({
  tab: z.string().max(200),
  label: z.string().max(300),
  version: z.int().min(1),
  time: z.int(),
  by: z.string().max(100),
  why: z.string().max(300),
  changes: z.strictObject({ added: count, removed: count, changed: count, moved: count }),
  entries: z.array(z.record(z.string(), z.unknown())),
});

interface Kept extends FlowVersion {
  readonly file: string;
  readonly bytes: number;
}

/** Removed tabs whose versions are kept. */
const mostTabs = 1_000;

/** Earlier states of tabs, a file each: what a person goes back to when a change was a mistake. The newest of a tab is what runs. */
export async function openVersions(options: VersionsOptions): Promise<Versions> {
  const { folder, clock, log, most = 50, mostBytes = 20_000_000 } = options;
  const tabs = await readAll(folder, log);

  async function read(tab: string, version: number): Promise<readonly FlowEntry[]> {
    const kept = tabs.get(tab)?.versions.find((one) => one.version === version);
    if (kept === undefined) throw new CodedError('VERSION_NOT_FOUND', `there is no version ${version} of tab "${tab}"`);
    const { entries } = await readOne(kept.file);
    // Checked when they were saved, and again by storage before they run.
    return entries as unknown as readonly FlowEntry[];
  }

  async function add(saved: Saved, by: string, why: string, entries: readonly FlowEntry[], changes: ChangeCount) {
    const { tab } = saved;
    const known = tabs.get(tab) ?? { tab, label: '', versions: [] };
    const version = (known.versions.at(-1)?.version ?? 0) + 1;
    const file = join(folder, folderOf(tab), `${version}.json`);
    const label = saved.label.slice(0, 300);
    const head = { tab, label, version, time: clock.now(), by: by.slice(0, 100), why: why.slice(0, 300), changes };
    const text = `${JSON.stringify({ ...head, entries })}\n`;
    await mkdir(join(folder, folderOf(tab)), { recursive: true, mode: 0o700 });
    await writeAtomically(file, text, 0o600);
    tabs.set(tab, { tab, label, versions: [...known.versions, { ...head, file, bytes: Buffer.byteLength(text) }] });
  }

  async function drop(tab: string, kept: Kept): Promise<void> {
    const known = tabs.get(tab);
    if (known === undefined) return;
    await rm(kept.file, { force: true });
    const versions = known.versions.filter((one) => one !== kept);
    if (versions.length === 0) tabs.delete(tab);
    else tabs.set(tab, { ...known, versions });
  }

  /** Oldest first, of any tab; the newest of a tab goes last. */
  async function prune(): Promise<void> {
    for (const { tab, versions } of tabs.values()) {
      for (const kept of versions.slice(0, Math.max(0, versions.length - most))) await drop(tab, kept);
    }
    const all = [...tabs.values()].flatMap(({ tab, versions }) =>
      versions.map((kept, i) => ({ tab, kept, isNewest: i === versions.length - 1 })),
    );
    all.sort((a, b) => Number(a.isNewest) - Number(b.isNewest) || a.kept.time - b.kept.time);
    let bytes = all.reduce((sum, { kept }) => sum + kept.bytes, 0);
    for (const { tab, kept } of all) {
      if (bytes <= mostBytes && tabs.size <= mostTabs) break;
      bytes -= kept.bytes;
      await drop(tab, kept);
    }
  }

  return {
    async save(saved) {
      const { tab, before, after, by, why } = saved;
      const newest = tabs.get(tab)?.versions.at(-1);
      const last = newest === undefined ? null : await read(tab, newest.version);
      // What nobody saved here (it was shipped, or written by hand) must not be lost by the first save.
      if (before !== null && !isSame(last, before)) {
        await add(saved, 'file', '', before, countChanges(diffEntries(last ?? [], before)));
      }
      if (after !== null && !isSame(before ?? last, after)) {
        await add(saved, by, why, after, countChanges(diffEntries(before ?? [], after)));
      }
      await prune();
    },
    list: () =>
      [...tabs.values()].map(({ tab, label, versions }) => ({
        tab,
        label,
        versions: versions.map(({ file: _f, bytes: _b, ...version }) => version),
      })),
    entries: read,
    diff: async (tab, from, to) => diffEntries(await read(tab, from), await read(tab, to)),
  };
}

function isSame(a: readonly FlowEntry[] | null, b: readonly FlowEntry[]): boolean {
  return a !== null && isDeepStrictEqual(a, b);
}

/** A tab's id is whatever somebody sends: it names no place outside. */
function folderOf(tab: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(tab)) return tab;
  return `_${createHash('sha256').update(tab).digest('hex').slice(0, 24)}`;
}

type TabKept = Omit<TabVersions, 'versions'> & { readonly versions: readonly Kept[] };

async function readAll(folder: string, log: Log): Promise<Map<string, TabKept>> {
  const tabs = new Map<string, TabKept>();
  for (const name of await namesIn(folder)) {
    for (const fileName of await namesIn(join(folder, name))) {
      const file = join(folder, name, fileName);
      try {
        const { entries: _, tab, label, ...version } = await readOne(file);
        const known = tabs.get(tab)?.versions ?? [];
        const bytes = (await readFile(file)).byteLength;
        const versions = [...known, { ...version, file, bytes }].sort((a, b) => a.version - b.version);
        tabs.set(tab, {
          tab,
          label: versions.at(-1)?.version === version.version ? label : (tabs.get(tab)?.label ?? label),
          versions,
        });
      } catch (error) {
        log.warn({ file, problem: messageOf(error) }, 'an earlier version of a flow cannot be read');
      }
    }
  }
  return tabs;
}

async function readOne(file: string): Promise<z.infer<typeof fileSchema>> {
  return fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.endsWith('.tmp'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw new CodedError('FLOWS_READ', `cannot list ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
