import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from './errors.ts';
import type { Site } from './site.ts';

/* The certificates of those who may warn this campus, as the site file names them. */

export interface WarningCertificates {
  /** PEM. null: he has certificates here and none of them can be used, so that nothing of his can be believed. */
  of(sender: string): readonly string[] | null;
  /** One line for each file that is of no use. */
  readonly problems: readonly string[];
}

export function readWarningCertificates(
  { emergency, folder }: Pick<Site, 'emergency' | 'folder'>,
  now: number,
): WarningCertificates {
  const problems: string[] = [];
  const known = new Map<string, readonly string[] | null>();
  emergency.warnings.senders.forEach(({ sender, certificates }, i) => {
    const usable = certificates.flatMap((file, j) => {
      const { pem, problem } = readOne(resolve(folder, file), now);
      const where = `emergency.warnings.senders[${i}].certificates[${j}]`;
      if (problem !== null) problems.push(`${where}: ${file} of ${sender}: ${problem}`);
      return pem === null ? [] : [pem];
    });
    known.set(sender, certificates.length > 0 && usable.length === 0 ? null : usable);
  });
  return { problems, of: (sender) => known.get(sender) ?? (known.has(sender) ? null : []) };
}

/** One that is out of date is still tried, message by message: the clock of this box may be wrong. */
function readOne(file: string, now: number): { readonly pem: string | null; readonly problem: string | null } {
  try {
    const text = readFileSync(file, 'utf8');
    const begin = text.indexOf('-----BEGIN CERTIFICATE-----');
    if (begin < 0) return { pem: null, problem: 'is no certificate (PEM)' };
    const certificate = new X509Certificate(text.slice(begin));
    const kind = certificate.publicKey.asymmetricKeyType ?? 'unknown';
    if (kind !== 'rsa') return { pem: null, problem: `its key is of the kind ${kind}; signatures by RSA are checked` };
    const pem = certificate.toString();
    if (now > Date.parse(certificate.validTo)) return { pem, problem: `was valid until ${certificate.validTo}` };
    if (now < Date.parse(certificate.validFrom))
      return { pem, problem: `is not valid before ${certificate.validFrom}` };
    return { pem, problem: null };
  } catch (error) {
    return { pem: null, problem: `cannot be read: ${messageOf(error)}` };
  }
}
