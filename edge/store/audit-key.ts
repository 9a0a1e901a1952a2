import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { isSameSecret } from '#edge/runtime/secret.ts';

/*
 * What the chain of the audit hangs on, both outside the database: the key that every hash is made with, and the anchor
 * that remembers the newest line, so that lines taken from the end are missed. Whoever can write the database but not read
 * the key can forge nothing; whoever reads the key can: it is worth what the data folder's rights are worth.
 */

export const auditKeyFile = (folder: string) => join(folder, 'keys', 'audit.key');
export const anchorFile = (folder: string) => join(folder, 'audit-head');

const keyBytes = 32;
/** What the first line of all is chained to. */
export const genesis: Buffer = Buffer.alloc(32);

/** One line as it is in the database. */
export interface ChainedLine {
  readonly seq: number;
  readonly time: number;
  readonly who: string;
  readonly from: string;
  readonly what: string;
  readonly why: string;
  readonly result: string;
}

/** The hash of a line: HMAC-SHA256 over the hash before it and all that it says, its number too. */
export function chainHash(key: KeyObject, before: Uint8Array, line: ChainedLine): Buffer {
  const { seq, time, who, from, what, why, result } = line;
  const hmac = createHmac('sha256', key).update('line\n').update(before);
  return hmac.update(JSON.stringify([seq, time, who, from, what, why, result])).digest();
}

/** Lines up to this one were let go; what comes next is chained to `hash`. */
export interface Release {
  readonly upto: number;
  readonly time: number;
  readonly why: string;
  readonly hash: Uint8Array;
}

export function releaseMac(key: KeyObject, { upto, time, why, hash }: Release): Buffer {
  const text = JSON.stringify([upto, time, why, Buffer.from(hash).toString('hex')]);
  return createHmac('sha256', key).update('release\n').update(text).digest();
}

/** The newest line, as of a moment ago. */
export interface Anchor {
  readonly seq: number;
  readonly time: number;
  readonly hash: Buffer;
}

/** null: there is no file. `unbelievable`: damaged, or not written with this key. */
export function readAnchor(folder: string, key: KeyObject): Anchor | 'unbelievable' | null {
  let text: string;
  try {
    text = readFileSync(anchorFile(folder), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new CodedError('STORE_IO', `cannot read ${anchorFile(folder)}: ${messageOf(error)}`, { cause: error });
  }
  const [seq = '', time = '', hash = '', mac = ''] = text.trim().split(' ');
  const anchor = { seq: Number(seq), time: Number(time), hash: Buffer.from(hash, 'hex') };
  return isSameSecret(mac, anchorMac(key, anchor)) ? anchor : 'unbelievable';
}

/** One line: seq, time of the line (ms), hash, and what proves that it was written here. */
export function anchorText(key: KeyObject, anchor: Anchor): string {
  return `${anchor.seq} ${anchor.time} ${anchor.hash.toString('hex')} ${anchorMac(key, anchor)}\n`;
}

function anchorMac(key: KeyObject, { seq, time, hash }: Anchor): string {
  return createHmac('sha256', key)
    .update(`anchor\n${seq} ${time} ${hash.toString('hex')}`)
    .digest('hex');
}

/** Replaces the anchor; after a power cut there is the old one or the new one. Throws STORE_IO. */
export function writeAnchor(folder: string, text: string): void {
  writeDurably(anchorFile(folder), text);
}

/** The key (as an object: from bytes each hash would take five times as long), or null when there is none that could be one. Throws STORE_IO when it is there and cannot be read. */
export function readAuditKey(folder: string): KeyObject | null {
  const file = auditKeyFile(folder);
  try {
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
    return key.length === keyBytes ? createSecretKey(key) : null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new CodedError('STORE_IO', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

export function newAuditKey(): KeyObject {
  return createSecretKey(randomBytes(keyBytes));
}

/** Throws STORE_IO. */
export function writeAuditKey(folder: string, key: KeyObject): void {
  const file = auditKeyFile(folder);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CodedError('STORE_IO', `cannot make ${dirname(file)}: ${messageOf(error)}`, { cause: error });
  }
  writeDurably(file, `${key.export().toString('hex')}\n`);
}

/** 0600, whole or not at all, and there after a power cut once this returns. */
function writeDurably(file: string, text: string): void {
  try {
    const fresh = `${file}.new`;
    const fd = openSync(fresh, 'w', 0o600);
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, file);
  } catch (error) {
    throw new CodedError('STORE_IO', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** ms as people read it. */
export function inWords(time: number): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' });
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? `${format.format(time)} UTC` : String(time);
}
