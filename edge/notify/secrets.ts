import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';

/** A headers file has some lines; the others one. */
const largest = 16_384;
const timeout = 5_000;

/**
 * What a file holds that only our user may read. Throws NOTIFY_SECRET, naming the file and never what is in it.
 * `folder`: of the site file.
 */
export async function readSecret(folder: string, file: string): Promise<string> {
  const text = await readGuarded(folder, file, true);
  if (text === '') throw new CodedError('NOTIFY_SECRET', `${file} is empty`);
  return text;
}

/** A certificate authority: no secret, so its mode is not looked at. */
export async function readAuthority(folder: string, file: string): Promise<string> {
  return readGuarded(folder, file, false);
}

async function readGuarded(folder: string, file: string, isSecret: boolean): Promise<string> {
  try {
    return await within(timeout, `reading ${file}`, readChecked(resolve(folder, file), isSecret));
  } catch (error) {
    throw new CodedError('NOTIFY_SECRET', `${file} cannot be used: ${withoutPath(messageOf(error))}`, { cause: error });
  }
}

async function readChecked(path: string, isSecret: boolean): Promise<string> {
  await using handle = await open(path, 'r');
  const found = await handle.stat();
  if (!found.isFile()) throw new Error('it is not a file');
  if (found.size > largest) throw new Error(`it has ${found.size} bytes, and at most ${largest} are read`);
  if (isSecret && (found.mode & 0o077) !== 0) {
    throw new Error(`others may read it (mode ${(found.mode & 0o777).toString(8)}): set it to 600`);
  }
  return (await handle.readFile('utf8')).trim();
}

/** Node's messages end in the path, which people need not see where only the file's name was written. */
function withoutPath(message: string): string {
  return message.replace(/, \w+ '.*'$/, '');
}

/** What must not be seen of an address whose secret is within: the whole, its last part, and what its query says. */
export function partsOfSecretUrl(url: URL): string[] {
  const last = url.pathname.split('/').at(-1) ?? '';
  return [url.href, url.search, last, ...url.searchParams.values()].filter((part) => part.length >= 6);
}

/** What must not be seen of a header: its value, and a token after the word that says what it is (`Bearer ...`). */
export function partsOfHeader(value: string): string[] {
  return [value, ...value.split(/\s+/).slice(1)];
}

const longestDetail = 300;

/**
 * What a far end said, for people who may know neither secrets nor addresses: cut, without control characters, without what is
 * named, and without whatever looks like an e-mail address or a phone number.
 */
export function redact(text: string, hidden: readonly string[]): string {
  let said = text.slice(0, 4_000);
  for (const part of [...hidden].sort((a, b) => b.length - a.length)) {
    if (part.length >= 4) said = said.replace(spellingsOf(part), '…');
  }
  return said
    .replace(/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '…')
    .replace(/\+?\d{11,15}/g, '…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, longestDetail)
    .toWellFormed();
}

const entities: Readonly<Record<string, string>> = { '"': 'quot', '&': 'amp', '<': 'lt', '>': 'gt', "'": 'apos' };

/** A text as far ends say it back: as it is, in JSON, in an address, in HTML, in base64. */
function spellingsOf(text: string): RegExp {
  const base64 = Buffer.from(text).toString('base64').replace(/=+$/, '');
  const base64url = base64.replaceAll('+', '-').replaceAll('/', '_');
  const encoded = [...new Set([base64, base64url])].map((one) => `${literal(one)}={0,2}`);
  return new RegExp([[...text].map(spellingOf).join(''), ...encoded].join('|'), 'gu');
}

function spellingOf(character: string): string {
  if (/^[A-Za-z0-9]$/.test(character)) return character;
  const units = Array.from({ length: character.length }, (_, i) =>
    character.charCodeAt(i).toString(16).padStart(4, '0'),
  );
  const code = character.codePointAt(0) ?? 0;
  const bytes = Buffer.from(character).toString('hex').replace(/../g, '%$&');
  const entity = entities[character];
  const escaped = [
    units.map((unit) => `\\\\u${unit}`).join(''),
    bytes,
    `&#x0*${code.toString(16)};`,
    `&#0*${code};`,
    ...(entity === undefined ? [] : [`&${entity};`]),
    ...(character === ' ' ? ['\\+'] : []),
  ];
  return `(?:\\\\?${literal(character)}|(?i:${escaped.join('|')}))`;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (found) => (found === '-' ? '\\x2d' : `\\${found}`));
}
