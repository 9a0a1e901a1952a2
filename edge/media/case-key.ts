import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeDurably } from '#edge/runtime/durable-file.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';

/*
 * The key with which a campus signs what it hands out (Ed25519, RFC 8032). It proves that a case comes from this box and was not altered since;
 * whoever can read the key can sign too, so it is worth what the data folder's rights are worth. Its fingerprint is told on paper beforehand.
 */

export const evidenceKeyFile = (data: string): string => join(data, 'keys', 'evidence.key');

export interface EvidenceKey {
  readonly privateKey: KeyObject;
  /** PEM, as it lies in each case. */
  readonly publicKey: string;
  /** SHA-256 of the public key (its DER form), hex. */
  readonly fingerprint: string;
}

/** The campus's key; made when there is none. Throws CASE_KEY when the file cannot be read, is no such key, or cannot be made. */
export async function openEvidenceKey(data: string): Promise<EvidenceKey> {
  const file = evidenceKeyFile(data);
  try {
    return keyOf(createPrivateKey(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw keyFault(file, error);
  }
  try {
    const { privateKey } = generateKeyPairSync('ed25519');
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeDurably(file, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    // Somebody else may have made one in the same moment: the one on disk counts.
    return keyOf(createPrivateKey(await readFile(file, 'utf8')));
  } catch (error) {
    throw keyFault(file, error);
  }
}

function keyFault(file: string, error: unknown): CodedError {
  return new CodedError('CASE_KEY', `the key of evidence ${file} cannot be used: ${messageOf(error)}`, {
    cause: error,
  });
}

function keyOf(privateKey: KeyObject): EvidenceKey {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey: pemOf(publicKey), fingerprint: fingerprintOf(publicKey) };
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }));
}

export function fingerprintOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A public key as it lies in a case; null: it is none, or is written otherwise than we write it. */
export function publicKeyOf(pem: string): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' && pemOf(key) === pem ? key : null;
  } catch {
    return null;
  }
}

export function signManifest({ privateKey }: EvidenceKey, manifest: Buffer): Buffer {
  return sign(null, manifest, privateKey);
}

export function isSignedBy(key: KeyObject, manifest: Buffer, signature: Buffer): boolean {
  return verify(null, manifest, key, signature);
}
