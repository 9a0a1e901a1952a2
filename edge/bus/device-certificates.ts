import type { TLSSocket } from 'node:tls';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { CertificateState, ClientRegister } from '#edge/runtime/pki-clients.ts';

/*
 * Whose certificate a device shows. Its fingerprint is looked up on the list of those that the campus made, so what the
 * certificate itself says (its name, its dates) need not be believed; that the device holds the key is TLS's business.
 */

export type CertificateClaim =
  | { readonly kind: 'none' }
  | { readonly kind: 'client'; readonly client: string; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly reason: CertificateRefusal; readonly message: string };

export type CertificateRefusal =
  | 'certificate-foreign'
  | 'certificate-revoked'
  | 'certificate-expired'
  | 'certificate-required'
  | 'certificate-unread';

export const noCertificate: CertificateClaim = { kind: 'none' };

const refusals: Readonly<Record<Exclude<CertificateState, 'good'>, readonly [CertificateRefusal, string]>> = {
  unknown: ['certificate-foreign', 'was not made by this campus (campus client certificate makes one)'],
  revoked: ['certificate-revoked', 'was revoked'],
  expired: ['certificate-expired', 'has expired: make a new one with campus client certificate'],
};
const listTimeout = 5_000;

/** Never rejects. */
export async function claimOf(
  socket: TLSSocket,
  { clients, isRequired }: { readonly clients: ClientRegister; readonly isRequired: boolean },
  address: string,
): Promise<CertificateClaim> {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    if (!isRequired) return noCertificate;
    return refused('certificate-required', `a client from ${address} showed no certificate, and mqtt.tls requires one`);
  }
  const fingerprint = certificate.fingerprint256;
  try {
    await within(listTimeout, 'reading the list of client certificates', clients.refresh());
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return refused('certificate-unread', messageOf(error));
  }
  return judge(clients, fingerprint, address);
}

/** Judges again what was good when its connection began. */
export function judge(clients: ClientRegister, fingerprint: string, address: string): CertificateClaim {
  const state = clients.stateOf(fingerprint);
  const found = clients.find(fingerprint);
  if (state === 'good' && found !== null) return { kind: 'client', client: found.client, fingerprint };
  const [reason, what] = refusals[state === 'good' ? 'unknown' : state];
  const whose = found === null ? '' : ` of "${found.client}"`;
  return refused(reason, `the certificate${whose} that a client from ${address} shows ${what}`);
}

function refused(reason: CertificateRefusal, message: string): CertificateClaim {
  return { kind: 'refused', reason, message };
}
