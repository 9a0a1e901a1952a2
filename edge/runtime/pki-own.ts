import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { CodedError, codeOf, messageOf } from './errors.ts';
import type { Pair } from './pki-authority.ts';

/* A certificate that the site brought along: from the school's own authority, or a public one. */

export interface OwnFiles {
  /** PEM: the server's certificate first, then those between it and its authority. */
  readonly certificate: string;
  /** PEM, without a pass phrase. */
  readonly key: string;
}

const largestFile = 200_000;

/**
 * Reads and judges the pair. Throws CERTIFICATE_UNREADABLE, CERTIFICATE_INVALID, CERTIFICATE_KEY (is not one, has a
 * pass phrase, belongs to another certificate), CERTIFICATE_EXPIRED or CERTIFICATE_NOT_YET, naming the file.
 */
export async function loadOwnCertificate(files: OwnFiles, now: number): Promise<Pair> {
  const cert = await readPem(files.certificate, 'https.certificate');
  const key = await readPem(files.key, 'https.key');
  const certificate = parseCertificate(cert, files.certificate);
  if (certificate.validToDate.getTime() <= now) {
    const when = certificate.validToDate.toISOString().slice(0, 10);
    throw new CodedError(
      'CERTIFICATE_EXPIRED',
      `the certificate ${files.certificate} expired on ${when}: put a new one there`,
    );
  }
  if (certificate.validFromDate.getTime() > now) {
    const when = certificate.validFromDate.toISOString().slice(0, 10);
    const what = `the certificate ${files.certificate} is good from ${when} on only: is the clock right?`;
    throw new CodedError('CERTIFICATE_NOT_YET', what);
  }
  checkKey(certificate, key, files);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const what = `the certificate ${files.certificate} cannot be used for TLS: ${messageOf(error)}`;
    throw new CodedError('CERTIFICATE_INVALID', what, { cause: error });
  }
  return { cert, key };
}

/** Changes whenever one of the files does. */
export async function versionOfOwn({ certificate, key }: OwnFiles): Promise<string> {
  const version = async (file: string): Promise<string> => {
    try {
      const { mtimeNs, ino, size } = await stat(file, { bigint: true });
      return `${mtimeNs}-${ino}-${size}`;
    } catch (error) {
      return codeOf(error);
    }
  };
  return `${await version(certificate)} ${await version(key)}`;
}

async function readPem(file: string, setting: string): Promise<string> {
  try {
    if ((await stat(file)).size > largestFile) throw new Error(`it has more than ${largestFile} bytes`);
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    const what = `cannot read ${setting} (${file}): ${messageOf(error)}`;
    throw new CodedError('CERTIFICATE_UNREADABLE', what, { cause: error });
  }
}

function parseCertificate(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new CodedError('CERTIFICATE_INVALID', `${file} holds no certificate (PEM): ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function checkKey(certificate: X509Certificate, text: string, files: OwnFiles): void {
  if (text.includes('ENCRYPTED')) {
    const what = `the key ${files.key} has a pass phrase: nobody is there to type it (openssl pkey -in KEY -out NEW takes it off)`;
    throw new CodedError('CERTIFICATE_KEY', what);
  }
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw new CodedError('CERTIFICATE_KEY', `${files.key} holds no private key (PEM): ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (certificate.checkPrivateKey(key)) return;
  throw new CodedError(
    'CERTIFICATE_KEY',
    `the key ${files.key} belongs to another certificate than ${files.certificate}`,
  );
}
