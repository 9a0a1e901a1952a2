/*
 * What the server asks of a password (runtime/password.ts), as far as a browser can tell while it is typed. The server judges;
 * its list of common passwords is longer.
 */

export type PasswordRule = 'length' | 'kinds' | 'name' | 'common';

const common =
  /^(?:password|passw0rd|p@ssw0rd|admin|administrator|welcome|qwerty|letmein|changeme|campus|school|iloveyou|woaini|mima|abc)/i;
const rows = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

function isRow(password: string): boolean {
  const text = password.toLowerCase();
  if (new Set(text).size < 4) return true;
  return rows.some((row) => row.includes(text.slice(0, 8)) || [...row].reverse().join('').includes(text.slice(0, 8)));
}

/** Which rules a password meets. `owner`: account and name. */
export function rulesMet(password: string, owner: readonly string[]): Readonly<Record<PasswordRule, boolean>> {
  const length = [...password].length;
  const kinds = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u].filter((kind) =>
    kind.test(password),
  ).length;
  const lower = password.toLowerCase();
  const names = owner.map((name) => name.trim().toLowerCase()).filter((name) => [...name].length >= 3);
  return {
    length: length >= 10 && length <= 128,
    kinds: kinds >= 3 || length >= 16,
    name: length > 0 && !names.some((name) => lower.includes(name)),
    common: length > 0 && !common.test(password) && !isRow(password),
  };
}
