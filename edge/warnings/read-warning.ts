import type { PublicWarning } from '#edge/domain/warning.ts';
import { checkSignature } from './cap-signature.ts';
import { capText, parseCap } from './cap-xml.ts';
import type { WarningEnvelope } from './warning-desk.ts';

export interface ReadWarning {
  readonly warning: PublicWarning;
  readonly envelope: WarningEnvelope;
  /** Why its signature is bad; empty otherwise. */
  readonly why: string;
}

/**
 * A warning as it came, read and its signature checked by the certificates (PEM) of the very sender it names: one sender's certificate
 * says nothing for another. null: he has certificates that are of no use here, and nothing of his is believed. Throws CAP_INVALID.
 */
export function readWarning(
  bytes: Uint8Array,
  certificatesOf: (sender: string) => readonly string[] | null,
  now: number,
): ReadWarning {
  const text = capText(bytes);
  const warning = parseCap(text);
  const certificates = certificatesOf(warning.sender);
  if (certificates === null)
    return { warning, envelope: { signature: 'bad' }, why: 'no certificate of its sender can be used here' };
  if (certificates.length === 0) return { warning, envelope: { signature: 'unchecked' }, why: '' };
  const finding = checkSignature(text, certificates, now);
  if (finding.is === 'absent') return { warning, envelope: { signature: 'unchecked' }, why: '' };
  if (finding.is === 'bad') return { warning, envelope: { signature: 'bad' }, why: finding.why };
  const signed = parseCap(finding.text);
  if (signed.sender !== warning.sender)
    return { warning, envelope: { signature: 'bad' }, why: 'what is signed names another sender' };
  return { warning: signed, envelope: { signature: 'good' }, why: '' };
}
