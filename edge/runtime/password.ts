import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Name } from '#edge/domain/place.ts';
import { CodedError } from './errors.ts';

/*
 * Passwords of people. scrypt (RFC 7914) with N = 2^15, r = 8, p = 3: one of the equivalent settings of OWASP's
 * password storage cheat sheet, and the one that asks a small box for 32 MB and not for 128. The parameters are kept in
 * the hash, so that they can be raised without making old passwords void.
 */

const cost = { N: 32_768, r: 8, p: 3 } as const;
const keyBytes = 32;
const hashPattern = /^scrypt\$(\d{1,7})\$(\d{1,3})\$(\d{1,2})\$([A-Za-z0-9_-]{22,88})\$([A-Za-z0-9_-]{43})$/;
/** Most memory that a stored hash may ask for, bytes: a database may come from elsewhere. */
const maxMemory = 160 * 1024 * 1024;
const mostProduct = 2 ** 20;

/** A hash of nobody's password: somebody unknown costs as much time as somebody known. */
export const nobodysHash = `scrypt$${cost.N}$${cost.r}$${cost.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** `scrypt$N$r$p$salt$key`, the last two in base64url. Takes some 0.2 s of one of libuv's threads: bound how many run. */
export async function hashPersonPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Is this the password? Throws PASSWORD_HASH when the hash is not one of ours. */
export async function verifyPersonPassword(hash: string, password: string): Promise<boolean> {
  const [, n, r, p, salt, key] = hashPattern.exec(hash) ?? [];
  if (salt === undefined || key === undefined) {
    throw new CodedError('PASSWORD_HASH', 'a stored password hash is not of the form scrypt$N$r$p$salt$key');
  }
  const parameters = { N: Number(n), r: Number(r), p: Number(p) };
  if (parameters.N * parameters.r * parameters.p > mostProduct) {
    throw new CodedError('PASSWORD_HASH', 'a stored password hash asks for more work than this software ever set');
  }
  return timingSafeEqual(
    await derive(password, Buffer.from(salt, 'base64url'), parameters),
    Buffer.from(key, 'base64url'),
  );
}

/** Whether a hash was made with other parameters than today's: make it anew when the password is at hand. */
export function isOutdatedHash(hash: string): boolean {
  return !hash.startsWith(`scrypt$${cost.N}$${cost.r}$${cost.p}$`);
}

/** The same characters typed on another keyboard or pasted from another program must be the same password (RFC 8265). */
function derive(password: string, salt: Buffer, parameters: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, keyBytes, { ...parameters, maxmem: maxMemory }, (error, key) => {
      if (error) reject(new CodedError('PASSWORD_HASH', 'scrypt refused a stored hash', { cause: error }));
      else resolve(key);
    });
  });
}

export type WeaknessCode = 'short' | 'long' | 'few-kinds' | 'has-name' | 'common' | 'repeats';

export interface Weakness {
  readonly code: WeaknessCode;
  readonly message: Name;
}

export const shortestPassword = 10;
/** From this length on, any kind of character will do: a sentence is better than `P@ssw0rd`. */
const passphrase = 16;
const longestPassword = 128;

const messages: Readonly<Record<WeaknessCode, Name>> = {
  short: { zh: `密码至少 ${shortestPassword} 个字符`, en: `a password has at least ${shortestPassword} characters` },
  long: { zh: `密码最多 ${longestPassword} 个字符`, en: `a password has at most ${longestPassword} characters` },
  'few-kinds': {
    zh: `不足 ${passphrase} 个字符的密码须含大写字母、小写字母、数字、符号中的三种`,
    en: `a password of less than ${passphrase} characters needs three of: capital letters, small letters, digits, signs`,
  },
  'has-name': { zh: '密码不得包含账号或姓名', en: 'a password must not contain the account or the name of its owner' },
  common: { zh: '这是常见密码，容易被猜到', en: 'this is among the passwords that are guessed first' },
  repeats: { zh: '密码中相同或连续的字符过多', en: 'the password is mostly one character or one row of keys' },
};

/** Stems that people dress up; what is left when digits and signs are taken off. */
const commonStems = [
  'password',
  'passwd',
  'admin',
  'administrator',
  'root',
  'welcome',
  'qwerty',
  'qwertyuiop',
  'asdfgh',
  'zxcvbn',
  'letmein',
  'changeme',
  'default',
  'campus',
  'campusedge',
  'school',
  'xuexiao',
  'xiaoyuan',
  'mima',
  'woaini',
  'iloveyou',
  'abc',
  'abcd',
  'abcde',
  'abcdef',
  'qwe',
  'qweasd',
  'qazwsx',
  'qazwsxedc',
  'test',
  'guest',
  'user',
  'login',
  'huawei',
  'hikvision',
  'dahua',
  'security',
  'monkey',
  'dragon',
  'football',
  'sunshine',
  'princess',
]; // prettier-ignore
const leet: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '0': 'o',
  '1': 'l',
  '!': 'i',
  $: 's',
  '5': 's',
  '3': 'e',
};
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn',
];

/** How a new password falls short, the first thing only; null when it will do. `owner`: id and name of the account. */
export function weaknessOf(password: string, owner: readonly string[]): Weakness | null {
  const code = judge(password, owner);
  return code === null ? null : { code, message: messages[code] };
}

function judge(password: string, owner: readonly string[]): WeaknessCode | null {
  const length = [...password].length;
  if (length < shortestPassword) return 'short';
  if (length > longestPassword) return 'long';
  const lower = password.toLowerCase();
  const kinds = [/\p{Lu}/u, /[\p{Ll}\p{Lo}]/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  if (length < passphrase && kinds < 3) return 'few-kinds';
  if (owner.some((word) => [...word].length >= 2 && lower.includes(word.toLowerCase()))) return 'has-name';
  if (isCommon(lower)) return 'common';
  return isMonotonous(lower) ? 'repeats' : null;
}

function isCommon(lower: string): boolean {
  const core = lower.replace(/^[^a-z]+|[^a-z]+$/g, '');
  const plain = core.replace(/[@401!$53]/g, (sign) => leet[sign] ?? sign);
  return [core, plain].some((text) => commonStems.includes(text.replace(/[^a-z]/g, '')));
}

/** Fewer than five different characters, or half of it neighbours on a keyboard or in the alphabet. */
function isMonotonous(lower: string): boolean {
  const characters = [...lower];
  if (new Set(characters).size < 5) return true;
  let neighbours = 0;
  for (let i = 0; i + 2 < characters.length; i++) {
    const three = characters.slice(i, i + 3).join('');
    const back = [...three].reverse().join('');
    if (rows.some((row) => row.includes(three) || row.includes(back))) neighbours++;
  }
  return neighbours * 2 >= characters.length;
}
