import type { z } from 'zod';

/* What is wrong in a rule file, in words for whoever wrote it. */

export interface RuleMistake {
  /** `when.conditions[1].onBad`; `(file)` for the whole. */
  readonly path: string;
  readonly message: string;
  readonly keys: readonly (string | number)[];
  /** In the file, from 1; absent where there is no file. */
  readonly line?: number;
  readonly column?: number;
}

/** `line 3, column 5: when.onBad: ...`, or without the place where there is no file. */
export function describeMistake({ path, message, line, column }: RuleMistake): string {
  const where = line === undefined ? '' : `line ${line}, column ${column ?? 1}: `;
  return `${where}${path}: ${message}`;
}

export function mistake(keys: readonly (string | number)[], message: string): RuleMistake {
  return { path: shown(formatKeys(keys), 200), message: shown(message, 500), keys };
}

/** Keys and values of a hostile file are told on terminals and in the log: nothing of them may move a cursor there, or fill a screen. */
function shown(text: string, most: number): string {
  const clean = text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
  return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`;
}

function formatKeys(keys: readonly (string | number)[]): string {
  if (keys.length === 0) return '(file)';
  return keys.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${key}`)).join('');
}

type Issue = z.ZodError['issues'][number];

/** Every mistake of a check, each at its own key and in words that say what to write instead. */
export function mistakesOf(error: z.ZodError): RuleMistake[] {
  return error.issues.flatMap((issue) => mistakesOfIssue(issue, []));
}

function mistakesOfIssue(issue: Issue, above: readonly (string | number)[]): RuleMistake[] {
  const keys = [...above, ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => mistake([...keys, key], 'is not a key here'));
  if (issue.code === 'invalid_union') return mistakesOfUnion(issue, keys);
  if (issue.code === 'invalid_key') {
    return [mistake(keys, issue.issues.map(({ message }) => message).join('; '))];
  }
  return [mistake(keys, wordsOf(issue))];
}

const typeWords: Readonly<Record<string, string>> = {
  object: 'keys with values',
  record: 'keys with values',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function wordsOf(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    if (issue.message.endsWith('received undefined')) return 'is missing';
    return `must be ${typeWords[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'too_small') {
    if (issue.origin === 'array') return 'is empty';
    if (issue.origin === 'string') return 'is empty';
    return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
  }
  if (issue.code === 'too_big') {
    if (issue.origin === 'array') return `has more than ${issue.maximum} entries`;
    if (issue.origin === 'string') return `has more than ${issue.maximum} characters`;
    return `must be at most ${issue.maximum}`;
  }
  const isPlainly = issue.message.startsWith('Invalid option');
  if (issue.code === 'invalid_value' && isPlainly) return `must be one of ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

/** The branch that was meant is the one with fewest mistakes; where that cannot be told, what all of them are. */
function mistakesOfUnion(issue: Extract<Issue, { code: 'invalid_union' }>, keys: readonly (string | number)[]) {
  if (issue.errors.length === 0) {
    const { options } = issue as { options?: readonly unknown[] };
    return [mistake(keys, options === undefined ? issue.message : `must be one of ${options.join(', ')}`)];
  }
  const branches = issue.errors
    .map((inner) => ({
      inner,
      isOtherType: inner.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
    }))
    .filter(({ isOtherType }) => !isOtherType)
    .map(({ inner }) => inner.flatMap((one) => mistakesOfIssue(one, keys)))
    .sort((a, b) => a.length - b.length);
  const [best, second] = branches;
  const isClear = best !== undefined && (second === undefined || best.length < second.length);
  return isClear ? best : [mistake(keys, issue.message)];
}
