import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Blamed } from './blame.ts';
import type { TabBudget } from './budget.ts';
import type { EditorUser } from './settings.ts';
import type { DeployingUser, StoredTab } from './storage.ts';
import type { FlowEntry } from './tab-files.ts';
import type { Versions } from './versions.ts';

/** Beside the editor, never below it: no page of the editor reaches it, and the web process is the only one that asks. */
export const controlRoot = '/flows-control';

export interface ControlOptions {
  /** Why the flows do not run; null: they do. */
  readonly problem: () => string | null;
  readonly tabs: () => readonly StoredTab[];
  readonly budgets: () => readonly TabBudget[];
  readonly blamed: () => readonly Blamed[];
  readonly versions: Versions;
  /** What runs, as Node-RED knows it. */
  readonly current: () => Promise<{ readonly rev: string; readonly flows: readonly FlowEntry[] }>;
  /** Through Node-RED's own deploy, so that locks, the revision, versions and the audit hold. */
  readonly deploy: (flows: readonly FlowEntry[], rev: string, user: DeployingUser) => Promise<void>;
  /** Starts everything anew from its files; ends safe mode, and forgives tabs that were disabled. */
  readonly restart: (user: DeployingUser) => Promise<void>;
}

const largestBody = 10_000;
const why = z.string().min(1).max(300);
const rollbackBody = z.strictObject({ version: z.int().min(1), why });
const restartBody = z.strictObject({ why });

/** Answers below `controlRoot`; who may ask at all was checked before. */
export function createControl(options: ControlOptions) {
  const answer = async (request: IncomingMessage, user: EditorUser): Promise<object> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const parts = pathname
      .slice(controlRoot.length + 1)
      .split('/')
      .map(decodePart);
    const isPost = request.method === 'POST';
    if (!isPost && request.method !== 'GET') throw new CodedError('NO_SUCH_ROUTE', `there is no ${request.method}`);
    if (isPost && !user.mayEdit) throw new CodedError('FORBIDDEN', 'whoever may look at flows may not change them');
    const [area, tab = '', what, version] = parts;
    if (!isPost && area === 'state' && parts.length === 1) return stateOf(options);
    if (isPost && area === 'restart' && parts.length === 1) {
      const { why } = restartBody.parse(await readBody(request));
      await options.restart({ username: user.user, why });
      return { problem: options.problem() };
    }
    if (area === 'tabs' && what === 'versions' && !isPost && parts.length === 4) {
      const number = z.coerce.number().int().min(1).parse(version);
      const found = options.versions
        .list()
        .find((one) => one.tab === tab)
        ?.versions.find((one) => one.version === number);
      const entries = await options.versions.entries(tab, number);
      return { ...found, entries };
    }
    if (area === 'tabs' && what === 'diff' && !isPost && parts.length === 3) {
      const ask = z.object({ from: z.coerce.number().int().min(1), to: z.coerce.number().int().min(1) });
      const { from, to } = ask.parse(Object.fromEntries(searchParams));
      return { from, to, nodes: await options.versions.diff(tab, from, to) };
    }
    if (area === 'tabs' && what === 'rollback' && isPost && parts.length === 3) {
      const { version: wanted, why } = rollbackBody.parse(await readBody(request));
      return rollBack(options, tab, wanted, { username: user.user, why });
    }
    throw new CodedError('NO_SUCH_ROUTE', `there is no ${request.method} ${pathname}`);
  };

  return async (request: IncomingMessage, response: ServerResponse, user: EditorUser): Promise<void> => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    try {
      send(200, await answer(request, user));
    } catch (error) {
      const [status, code] = statusOf(error);
      send(status, { error: code, message: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) });
    }
  };
}

/** Everything about tabs that a person asks: what there is, how it fares, and what can be gone back to. */
function stateOf({ problem, tabs, budgets, blamed, versions }: ControlOptions): object {
  const known = new Map(versions.list().map((one) => [one.tab, one]));
  const figures = new Map(budgets().map((one) => [one.tab, one]));
  const ends = new Map(blamed().map((one) => [one.tab, one]));
  const stored = tabs();
  const there = new Set(stored.map(({ id }) => id));
  const why = problem();
  return {
    problem: why,
    isSafeMode: why === 'safe-mode',
    tabs: stored.map((tab) => {
      const budget = figures.get(tab.id) ?? null;
      const ended = ends.get(tab.id) ?? null;
      return {
        ...tab,
        state: tabState(tab, why, budget, ended),
        budget,
        ended,
        versions: known.get(tab.id)?.versions ?? [],
      };
    }),
    // '' is the global configuration: it can be seen, and not be gone back to by itself.
    removed: [...known.values()].filter(({ tab }) => tab !== '' && !there.has(tab)),
  };
}

function tabState(tab: StoredTab, problem: string | null, budget: TabBudget | null, ended: Blamed | null): string {
  if (tab.disabled) return 'disabled';
  if (ended !== null && ended.times.length >= 2) return 'quarantined';
  if (problem !== null) return 'stopped';
  if (budget === null || budget.state === 'within') return 'running';
  return budget.state;
}

async function rollBack(options: ControlOptions, tab: string, version: number, user: DeployingUser): Promise<object> {
  const { versions, current, deploy } = options;
  const wanted = await versions.entries(tab, version);
  const [head] = wanted;
  if (tab === '' || head === undefined) throw new CodedError('BAD_TAB', 'the global configuration is not a tab');
  const { rev, flows } = await current();
  const isOfTab = (entry: FlowEntry) => entry.id === tab || entry.z === tab;
  const now = flows.find(({ id }) => id === tab);
  // An earlier version may well be unlocked: that does not unlock the tab as it is.
  if (now?.locked === true) throw new CodedError('tab_locked', `the tab "${now.label ?? now.name ?? tab}" is locked`);
  const others = flows.filter((entry) => !isOfTab(entry));
  const taken = new Set(others.map(({ id }) => id));
  const twice = wanted.find(({ id }) => taken.has(id));
  if (twice !== undefined) {
    throw new CodedError('FLOWS_CONFLICT', `the node ${twice.id} of version ${version} lies on another tab now`);
  }
  const at = flows.findIndex(isOfTab);
  const before = at < 0 ? others.length : flows.slice(0, at).filter((entry) => !isOfTab(entry)).length;
  await deploy([...others.slice(0, before), ...wanted, ...others.slice(before)], rev, user);
  return {
    version:
      versions
        .list()
        .find((one) => one.tab === tab)
        ?.versions.at(-1)?.version ?? version,
  };
}

function statusOf(error: unknown): [status: number, code: string] {
  if (error instanceof z.ZodError) return [400, 'bad-request'];
  const code = codeOf(error);
  const word = code.toLowerCase().replaceAll('_', '-') || 'failed';
  if (code === 'FORBIDDEN' || code === 'tab_locked') return [403, word];
  if (code.endsWith('_NOT_FOUND') || code === 'NO_SUCH_ROUTE') return [404, word];
  if (code === 'version_mismatch') return [409, word];
  if (code.startsWith('BAD_') || code === 'type_not_allowed' || code === 'FLOWS_INVALID') return [400, word];
  return [error instanceof CodedError ? 409 : 500, word];
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new CodedError('BAD_PATH', 'the path is not percent-encoded');
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > largestBody) throw new CodedError('BAD_BODY', `more than ${largestBody} characters`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CodedError('BAD_BODY', `must be JSON: ${messageOf(error)}`);
  }
}
