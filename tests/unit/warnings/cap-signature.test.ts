import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SignedXml } from 'xml-crypto';
import { checkSignature } from '#edge/warnings/cap-signature.ts';
import { parseCap } from '#edge/warnings/cap-xml.ts';
import { readWarning } from '#edge/warnings/read-warning.ts';
import { storm } from './messages.ts';

/* Signatures are made by xml-crypto and, where it is installed, by Debian's xmlsec1, which nobody here wrote. */

const isHere = (program: string, ...version: string[]) => {
  try {
    execFileSync(program, version, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const hasOpenssl = isHere('openssl', 'version');
const hasXmlsec = isHere('xmlsec1', '--version');
if (!hasOpenssl) console.warn('skipped: there is no openssl, which makes the keys of these tests');
if (!hasXmlsec) console.warn('skipped: there is no xmlsec1 (apt install xmlsec1), which signs as a peer');

const folder = mkdtempSync(join(tmpdir(), 'warnings-'));
/** The certificates are as young as this run. */
const now = Date.now() + 60_000;
interface Signer {
  readonly key: string;
  readonly certificate: string;
}
let centre: Signer;
let stranger: Signer;

function makeSigner(name: string, algorithm: readonly string[]): Signer {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const output = ['-nodes', '-keyout', key, '-out', certificate, '-days', '30', '-subj', `/CN=${name}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', ...algorithm, ...output], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
}

beforeAll(() => {
  if (!hasOpenssl) return;
  centre = makeSigner('centre', ['rsa:2048']);
  stranger = makeSigner('stranger', ['rsa:2048']);
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rsa = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

function sign(
  text: string,
  by: Signer,
  how: { readonly algorithm?: string; readonly digest?: string; readonly xpath?: string } = {},
) {
  const signed = new SignedXml({ privateKey: by.key, publicCert: by.certificate });
  signed.signatureAlgorithm = how.algorithm ?? rsa;
  signed.canonicalizationAlgorithm = exclusive;
  signed.addReference({
    xpath: how.xpath ?? '/*',
    transforms: [enveloped, exclusive],
    digestAlgorithm: how.digest ?? sha256,
    ...(how.xpath === undefined ? { isEmptyUri: true, uri: '' } : {}),
  });
  signed.computeSignature(text);
  return signed.getSignedXml();
}

const check = (text: string, by: readonly Signer[] = [centre], time = now) =>
  checkSignature(
    text,
    by.map(({ certificate }) => certificate),
    time,
  );

describe.skipIf(!hasOpenssl)('a signature over the whole warning', () => {
  test('by a certificate that is known is good, and what is read is what was signed', () => {
    const finding = check(sign(storm(), centre));
    expect(finding.is).toBe('signed');
    if (finding.is === 'signed') expect(parseCap(finding.text).infos[0]?.headline).toBe('暴雨红色预警');
    expect(check(sign(storm(), stranger), [centre, stranger]).is).toBe('signed');
  });

  test('that is not there is absent', () => {
    expect(check(storm())).toEqual({ is: 'absent' });
  });

  test('is bad when a letter of the warning, of the digest or of the signature changed', () => {
    const signed = sign(storm(), centre);
    const changes = [
      signed.replace('Severe', 'Extreme'),
      signed.replace('Actual', 'Actual '),
      signed.replace(/<DigestValue>(.)/, (_, letter: string) => `<DigestValue>${letter === 'A' ? 'B' : 'A'}`),
      signed.replace(/<SignatureValue>(.)/, (_, letter: string) => `<SignatureValue>${letter === 'A' ? 'B' : 'A'}`),
    ];
    for (const one of changes) {
      expect(one).not.toBe(signed);
      expect(check(one).is).toBe('bad');
    }
  });

  test('of a stranger who sends his certificate along is bad', () => {
    const signed = sign(storm(), stranger);
    expect(signed).toContain('X509Certificate');
    expect(check(signed).is).toBe('bad');
    expect(check(signed, []).is).toBe('bad');
  });

  test('by a certificate that is over, or not yet, is bad', () => {
    const signed = sign(storm(), centre);
    expect(check(signed, [centre], now + 60 * 86_400_000)).toMatchObject({
      is: 'bad',
      why: expect.stringContaining('not valid'),
    });
    expect(check(signed, [centre], now - 60 * 86_400_000).is).toBe('bad');
  });

  test('with SHA-1, or with the public key taken for a shared secret, is bad', () => {
    const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1';
    expect(check(sign(storm(), centre, { digest: sha1 })).is).toBe('bad');
    expect(check(sign(storm(), centre, { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })).is).toBe('bad');
    const hmac = sign(storm(), centre).replace(rsa, 'http://www.w3.org/2000/09/xmldsig#hmac-sha1');
    expect(check(hmac).is).toBe('bad');
  });

  test('moved into another warning is bad, or what it covers is read and not what stands around it', () => {
    const signed = sign(storm(), centre);
    const signature = /<Signature .*<\/Signature>/s.exec(signed)?.[0] ?? '';
    expect(signature).not.toBe('');
    const evil = storm({ identifier: 'evil', severity: 'Extreme' });
    const attempts = [
      evil.replace('</alert>', `${signature}</alert>`),
      evil.replace('</alert>', `<note>${signed.replace(/<\?xml.*?\?>/, '')}</note></alert>`),
      evil.replace('</alert>', `${signature}<note>${storm().replace(/<\?xml.*?\?>/, '')}</note></alert>`),
      signed.replace('</alert>', `<info/></alert>`),
      signed.replace(signature, `${signature}${signature}`),
    ];
    for (const one of attempts) {
      const finding = check(one);
      if (finding.is === 'signed') expect(parseCap(finding.text).identifier).not.toBe('evil');
      else expect(finding.is).toBe('bad');
    }
  });

  test('counts for the sender whose certificate it is by, and for nobody else', () => {
    const certificatesOf = (sender: string) =>
      sender === '51041141600000' ? [centre.certificate] : sender === 'seismic' ? [stranger.certificate] : [];
    const read = (text: string) => readWarning(new TextEncoder().encode(text), certificatesOf, now).envelope.signature;
    expect(read(sign(storm(), centre))).toBe('good');
    expect(read(sign(storm({ sender: 'seismic' }), stranger))).toBe('good');
    expect(read(sign(storm({ sender: 'seismic' }), centre))).toBe('bad');
    expect(read(storm())).toBe('unchecked');
    expect(read(sign(storm({ sender: 'nobody' }), centre))).toBe('unchecked');
  });

  test('over a part of it is bad', () => {
    const part = sign(storm(), centre, { xpath: "//*[local-name(.)='info']" });
    expect(check(part).is).toBe('bad');
  });

  test('a comment put into what was signed does not cut what is read', () => {
    const signed = sign(storm(), centre).replace('暴雨红色预警', '暴雨<!-- -->红色预警');
    const finding = check(signed);
    if (finding.is === 'signed') expect(parseCap(finding.text).infos[0]?.headline).toBe('暴雨红色预警');
    else expect(finding.is).toBe('bad');
  });

  test('what is no XML at all is bad, not a crash', () => {
    for (const text of ['', '<', '<a', '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>', '\0'])
      expect(check(text).is).toBe('bad');
  });
});

test.skipIf(!hasOpenssl || !hasXmlsec)(
  'what xmlsec1 signed is good, and xmlsec1 believes the keys of these tests',
  () => {
    const template = `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="${exclusive}"/><SignatureMethod Algorithm="${rsa}"/>
<Reference URI=""><Transforms><Transform Algorithm="${enveloped}"/><Transform Algorithm="${exclusive}"/></Transforms>
<DigestMethod Algorithm="${sha256}"/><DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>`;
    const [input, output] = [join(folder, 'template.xml'), join(folder, 'signed.xml')];
    writeFileSync(input, storm().replace('</alert>', `${template}</alert>`));
    const pair = `${join(folder, 'centre.key')},${join(folder, 'centre.pem')}`;
    execFileSync('xmlsec1', ['--sign', '--privkey-pem', pair, '--output', output, input], {
      stdio: 'ignore',
      timeout: 20_000,
    });
    const signed = readFileSync(output, 'utf8');
    expect(check(signed).is).toBe('signed');
    expect(check(signed, [stranger]).is).toBe('bad');
    expect(check(signed.replace('Severe', 'Minor')).is).toBe('bad');
    const ours = join(folder, 'ours.xml');
    writeFileSync(ours, sign(storm(), centre));
    execFileSync('xmlsec1', ['--verify', '--pubkey-cert-pem', join(folder, 'centre.pem'), ours], {
      stdio: 'ignore',
      timeout: 20_000,
    });
  },
);
