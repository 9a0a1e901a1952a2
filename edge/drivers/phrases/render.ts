import type { Value } from '#edge/domain/reading.ts';
import type { PhraseAddress, Pieces } from '#edge/profiles/phrases-address.ts';
import { encodeGbk } from './gbk.ts';

/* What is said for a value, as bytes; or why it cannot be said, in a sentence. */

export type Rendered = { readonly bytes: Buffer } | { readonly refused: string };

/** Control, format (also those that turn the direction of writing) and separator characters: a board has its own use for them. */
const unshowable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

export function phraseFor(address: PhraseAddress, value: Value, at: string): Rendered {
  const { say, template, text } = address;
  if (say !== null) {
    const pieces = Object.hasOwn(say, String(value)) ? say[String(value)] : undefined;
    if (pieces === undefined) return { refused: `${JSON.stringify(value)} is not in its phrase book` };
    return bytesOf(pieces, address, value, at);
  }
  if (template === null) return { refused: 'its profile says nothing for it' };
  if (text !== null) {
    const wrong = typeof value === 'string' ? wrongText(value, text) : 'it takes text';
    if (wrong !== null) return { refused: wrong };
    if (value === '' && text.clear !== null) return bytesOf(text.clear, address, value, at);
  } else if (typeof value !== 'number' || !Number.isFinite(value)) return { refused: 'it takes a number' };
  return bytesOf(template, address, value, at);
}

/** null: it can be shown. */
export function wrongText(value: string, { most, refuse }: NonNullable<PhraseAddress['text']>): string | null {
  if (!value.isWellFormed()) return 'the text is broken: half a character is in it';
  const length = [...value].length;
  if (length > most) return `the text has ${length} characters, and at most ${most} can be shown`;
  const control = unshowable.exec(value)?.[0];
  if (control !== undefined) return `the text has a control character in it (${named(control)})`;
  const taken = [...value].find((character) => refuse.includes(character));
  return taken === undefined ? null : `the text has ${JSON.stringify(taken)} in it, which its protocol uses itself`;
}

function named(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** `value` null: of what is not said for a value, such as a question. */
export function bytesOf(
  pieces: Pieces,
  { encoding }: Pick<PhraseAddress, 'encoding'>,
  value: Value | null,
  at: string,
): Rendered {
  const parts: Buffer[] = [];
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      parts.push(Buffer.from(piece.hex.replaceAll(/\s/g, ''), 'hex'));
      continue;
    }
    const encoded = encode(filled(piece, value, at), encoding);
    if ('refused' in encoded) return encoded;
    parts.push(encoded.bytes);
  }
  return { bytes: Buffer.concat(parts) };
}

/** Every place is filled once: what is filled in is not looked at again. */
export function filled(text: string, value: Value | null, at: string): string {
  return text.replaceAll(/\{(value|json|at)\}/g, (_, place: string) => {
    if (place === 'at') return at;
    const plain = value === null ? '' : String(value);
    return place === 'json' ? JSON.stringify(value ?? '') : plain;
  });
}

/** A path or a question behind it: the phrase and the password of the device, escaped; `%` of every byte that needs it. */
export function pathOf(where: string, phrase: Buffer, password: string | undefined): string {
  const escaped = [...phrase]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  return where.replaceAll(/\{(phrase|password)\}/g, (_, place: string) =>
    place === 'phrase' ? escaped : encodeURIComponent(password ?? ''),
  );
}

function encode(text: string, encoding: PhraseAddress['encoding']): Rendered {
  if (encoding === 'utf-8') return { bytes: Buffer.from(text, 'utf8') };
  const encoded = encodeGbk(text);
  return 'bytes' in encoded
    ? encoded
    : { refused: `${JSON.stringify(encoded.missing)} is not in GBK, which is all it shows` };
}
