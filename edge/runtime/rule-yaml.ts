import {
  Alias,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { messageOf } from './errors.ts';
import { mistake, type RuleMistake } from './rule-mistakes.ts';
import { findMonster } from './rule-monster.ts';
import { ruleLimits } from './rule-schema.ts';

/* YAML of rule files and templates: read with care, because anybody's editor may have written it, and with the place of each mistake. */

export type ReadYaml =
  | { readonly ok: true; readonly body: unknown; readonly locate: (found: RuleMistake) => RuleMistake }
  | { readonly ok: false; readonly mistakes: readonly RuleMistake[] };

/** Brackets that stand open, or dashes of lists within lists on a line: the parser recurses, and its stack is ours. */
const deepestText = 64;
const mostAliases = 20;

/** Never throws. What it answers is plain data, no deeper and no larger than rules may be. */
export function readRuleYaml(text: string): ReadYaml {
  const refuse = (message: string): ReadYaml => ({ ok: false, mistakes: [mistake([], message)] });
  if (Buffer.byteLength(text) > ruleLimits.bytes) return refuse(`has more than ${ruleLimits.bytes} bytes`);
  if (isTooDeep(text)) return refuse(`is nested more than ${deepestText} deep`);
  try {
    return readBounded(text);
  } catch (error) {
    return refuse(messageOf(error));
  }
}

function readBounded(text: string): ReadYaml {
  const lines = new LineCounter();
  // Not `silent`: then a second document behind `---` would be passed over, and a person would read what does not run.
  // The parser compares every key with every other to find a repeated one: `findRepeated` needs one look.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'error' });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const broken = document.errors.map(({ message, pos }) => ({
    // Behind the first line of its message the parser draws the place, which the line and the column say already.
    ...mistake([], (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')),
    ...place(pos[0]),
  }));
  const aliases: RuleMistake[] = [];
  const repeated: RuleMistake[] = [];
  visit(document, {
    Alias: (_, node) =>
      void aliases.push({ ...mistake([], `has more than ${mostAliases} aliases`), ...place(startOf(node)) }),
    Map: (_, node) => {
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        const name = isScalar(key) ? String(key.value) : null;
        const at = place(startOf(key));
        if (name === null) repeated.push({ ...mistake([], 'has a key that is no text'), ...at });
        else if (seen.has(name)) repeated.push({ ...mistake([], `has the key "${name.slice(0, 64)}" twice`), ...at });
        seen.add(name);
      }
    },
  });
  const wrong = [...broken, ...repeated, ...aliases.slice(mostAliases, mostAliases + 1)];
  if (wrong.length > 0) return { ok: false, mistakes: wrong.slice(0, 20) };
  const body: unknown = document.toJS({ maxAliasCount: mostAliases });
  const monster = findMonster(body);
  if (monster !== null) return { ok: false, mistakes: [mistake([], monster)] };
  const locate = (found: RuleMistake): RuleMistake => {
    const offset = offsetOf(document.contents, found.keys);
    return offset === null ? found : { ...found, ...place(offset) };
  };
  return { ok: true, body, locate };
}

/** Without building anything: a file within its 64 kB can hold 60,000 brackets. */
function isTooDeep(text: string): boolean {
  let open = 0;
  for (const line of text.split('\n')) {
    // Written so that no text can be parted in two ways: a line of blanks would be tried in every one of them.
    if (/^\s*(?:[-?:]\s+){16}/.test(line.slice(0, 2_000))) return true;
    if (line.search(/\S/) > 4 * deepestText) return true;
    for (const sign of line) {
      if (sign === '[' || sign === '{') open += 1;
      if (sign === ']' || sign === '}') open = Math.max(0, open - 1);
      if (open > deepestText) return true;
    }
  }
  return false;
}

function startOf(node: unknown): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range : null;
  return range?.[0] ?? 0;
}

/** Where the value at these keys begins: its key for what is in a map, and the nearest thing around it for what is missing. */
function offsetOf(root: unknown, keys: readonly (string | number)[]): number | null {
  let node: unknown = root;
  let offset = startOf(root);
  for (const key of keys) {
    if (isAlias(node)) return startOf(node);
    if (!isCollection(node)) return offset;
    const item = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
      : node.items[Number(key)];
    if (item === undefined) return offset;
    offset = startOf(isPair(item) ? item.key : item);
    node = isPair(item) ? item.value : item;
  }
  return node instanceof Alias ? startOf(node) : offset;
}
