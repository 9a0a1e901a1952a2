import { excludedTypes } from '#edge/flows-host/palette.ts';
import type { FlowEntry } from '#edge/flows-host/tab-files.ts';

/** Types a shipped flow may use: ours, and core nodes that keep to themselves. */
const knownTypes = new Set([
  'tab',
  'subflow',
  'group',
  'comment',
  'junction',
  'campus reading',
  'campus event',
  'campus alarm in',
  'campus calendar',
  'campus history',
  'campus hold',
  'campus broadcast',
  'campus alarm',
  'campus notify',
  'inject',
  'debug',
  'catch',
  'status',
  'link in',
  'link out',
  'switch',
  'change',
  'range',
  'rbe',
  'delay',
  'trigger',
  'template',
  'function',
  'split',
  'join',
  'sort',
  'batch',
  'json',
  // Its address is a variable of the tab, by the function before it: the rule on `url` below.
  'http request',
]);
const mostFunctionLines = 30;

/** Everything that is wrong with a shipped flow file, one line each. */
export function lintFlow(entries: readonly FlowEntry[]): string[] {
  const ids = new Set(entries.map((entry) => entry.id));
  return entries.flatMap((entry) => lintEntry(entry, ids).map((mistake) => `${entry.id} (${entry.type}): ${mistake}`));
}

function lintEntry(entry: FlowEntry, ids: ReadonlySet<string>): string[] {
  const mistakes: string[] = [];
  if (excludedTypes.has(entry.type)) mistakes.push('this type is not allowed');
  else if (!knownTypes.has(entry.type)) mistakes.push('this type is not known');
  if (entry.z !== undefined && !ids.has(entry.z)) mistakes.push(`its tab "${entry.z}" is not in this file`);
  const wires: unknown = Reflect.get(entry, 'wires') ?? [];
  for (const target of Array.isArray(wires) ? wires.flat() : []) {
    if (!ids.has(target)) mistakes.push(`a wire goes to "${target}", which is not there`);
  }
  if ('credentials' in entry) mistakes.push('it holds credentials');
  for (const key of ['point', 'broker', 'host', 'server', 'url', 'port']) {
    const text: unknown = Reflect.get(entry, key);
    if (typeof text === 'string' && text !== '' && !/^\$\{\w+\}$/.test(text)) {
      mistakes.push(`${key}: "${text}" belongs into a variable of the tab`);
    }
  }
  const code: unknown = Reflect.get(entry, 'func');
  if (entry.type === 'function' && typeof code === 'string' && code.split('\n').length > mostFunctionLines) {
    mistakes.push(`its function has more than ${mostFunctionLines} lines`);
  }
  return mistakes;
}
