import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Clock } from './clock.ts';
import { writeDurably } from './durable-file.ts';
import { CodedError, messageOf } from './errors.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from './pki-der.ts';
import { makePkiFolder, pkiPaths, readIfThere, withLock } from './pki-files.ts';

/* The certificate authority of one campus. Its key never leaves `<data>/pki/authority.pem` (0600). */

export const day = 86_400_000;
const lifetime = 3_650 * day;
/** Clocks of devices differ: what is made now is good from an hour ago on, ms. */
export const backdate = 3_600_000;

export interface Authority {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly name: string;
  readonly key: KeyObject;
}

/** Key and certificate as they lie in one file. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** Reads the authority, or makes it: once, whoever asks at the same time. Throws PKI_BROKEN naming the file. */
export async function loadAuthority(data: string, clock: Clock): Promise<Authority> {
  const { authority, lock } = pkiPaths(data);
  const found = await readIfThere(authority);
  if (found !== null) return parseAuthority(found, authority);
  await makePkiFolder(data);
  return withLock(lock, async () => {
    const made = await readIfThere(authority);
    if (made !== null) return parseAuthority(made, authority);
    const text = newAuthority(clock);
    await writeDurably(authority, text);
    return parseAuthority(text, authority);
  });
}

function newAuthority(clock: Clock): string {
  const { publicKey, privateKey } = newKeyPair();
  const now = clock.now();
  // Two campuses must not have authorities of the same name: browsers take such certificates for a forgery.
  const mark = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32, -24).toString('hex');
  const name = `Campus Edge CA ${mark}`;
  const issuer = { name, key: privateKey };
  const cert = writeCertificate({
    name,
    publicKey,
    issuer,
    use: 'authority',
    from: now - backdate,
    until: now + lifetime,
  });
  return pairText({ key: privateKeyPem(privateKey), cert });
}

function parseAuthority(text: string, file: string): Authority {
  try {
    const { cert, key } = splitPair(text);
    const certificate = new X509Certificate(cert);
    const privateKey = createPrivateKey(key);
    if (!certificate.ca || !certificate.checkPrivateKey(privateKey)) throw new Error('key and certificate do not fit');
    const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? '';
    return { certificate, pem: cert, name, key: privateKey };
  } catch (error) {
    const what = `the campus's certificate authority ${file} cannot be used (${messageOf(error)}): bring it back from a back-up`;
    throw new CodedError('PKI_BROKEN', what, { cause: error });
  }
}

export function pairText({ key, cert }: Pair): string {
  return `${key}${cert}`;
}

export function splitPair(text: string): Pair {
  const key = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  const cert = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/.exec(text)?.[0];
  if (key === undefined || cert === undefined) throw new Error('a key or a certificate is missing');
  return { key, cert };
}
