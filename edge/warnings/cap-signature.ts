import { X509Certificate } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { messageOf } from '#edge/runtime/errors.ts';
import { rootOf } from './cap-xml.ts';

const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#';
/** SHA-1 is broken for signatures; nothing newer than it is left out. */
const algorithms = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
];
const digests = ['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512'];

export type SignatureFinding =
  /** Read this and nothing else: it is what was signed. */
  | { readonly is: 'signed'; readonly text: string }
  | { readonly is: 'absent' }
  | { readonly is: 'bad'; readonly why: string };

/**
 * An enveloped XML signature over the whole alert, by one of these certificates (PEM). The certificate in the message is never believed.
 * What is returned is the canonical text that the signature covers, so that a part moved elsewhere (signature wrapping) is not read.
 */
export function checkSignature(text: string, certificates: readonly string[], now: number): SignatureFinding {
  try {
    const alert = rootOf(text);
    const signatures = alert.getElementsByTagNameNS(signatureNamespace, 'Signature');
    const [signature, another] = [signatures.item(0), signatures.item(1)];
    if (signature === null) return { is: 'absent' };
    if (another !== null) return { is: 'bad', why: 'more than one signature' };
    if (signature.parentNode !== alert) return { is: 'bad', why: 'the signature is not right under the alert' };
    let why = 'this campus has no certificate for its sender';
    for (const certificate of certificates) {
      const finding = checkBy(text, signature.toString(), certificate, now);
      if (finding.is === 'signed') return finding;
      if (finding.is === 'bad') why = finding.why;
    }
    return { is: 'bad', why };
  } catch (error) {
    return { is: 'bad', why: messageOf(error).slice(0, 200) };
  }
}

function checkBy(text: string, signature: string, certificate: string, now: number): SignatureFinding {
  const known = new X509Certificate(certificate);
  if (now < Date.parse(known.validFrom) || now > Date.parse(known.validTo))
    return { is: 'bad', why: `the certificate ${known.subject.replaceAll('\n', ' ')} is not valid now` };
  const check = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null });
  for (const table of [check.SignatureAlgorithms, check.HashAlgorithms])
    for (const name of Object.keys(table))
      if (!algorithms.includes(name) && !digests.includes(name)) Reflect.deleteProperty(table, name);
  check.loadSignature(signature);
  try {
    if (!check.checkSignature(text)) return { is: 'bad', why: 'the signature does not fit the message' };
  } catch (error) {
    return { is: 'bad', why: messageOf(error).slice(0, 200) };
  }
  const signed = check.getSignedReferences();
  const [whole] = signed;
  if (signed.length !== 1 || whole === undefined) return { is: 'bad', why: 'it signs parts, not the alert' };
  // Throws where it signs something other than the alert.
  rootOf(whole);
  return { is: 'signed', text: whole };
}
