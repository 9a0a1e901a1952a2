import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

/*
 * Writes X.509 v3 certificates (RFC 5280) with ECDSA P-256 keys: only as much DER as our own authority needs, and
 * nothing that reads any. What others wrote is parsed by OpenSSL, through `X509Certificate` of node:crypto.
 */

const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface CertificateRequest {
  /** Common name; at most 64 characters (RFC 5280, ub-common-name). */
  readonly name: string;
  readonly publicKey: KeyObject;
  /** Who signs: its name and key. The authority itself is its own issuer. */
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  readonly use: 'authority' | 'server' | 'client';
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  /** ms since epoch; cut to whole seconds. */
  readonly from: number;
  readonly until: number;
}

export function newKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function privateKeyPem(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** The signed certificate as PEM. */
export function writeCertificate(request: CertificateRequest): string {
  const algorithm = sequence(objectId(oids.ecdsaWithSha256));
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))), // version 3
    integer(newSerial()),
    algorithm,
    distinguishedName(request.issuer.name),
    sequence(time(request.from), time(request.until)),
    distinguishedName(request.name),
    spki(request.publicKey),
    tagged(3, sequence(...extensionsOf(request))),
  );
  const signature = sign('sha256', body, request.issuer.key);
  const der = sequence(body, algorithm, bitString(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf({ use, names = [], publicKey, issuer }: CertificateRequest): Buffer[] {
  const isAuthority = use === 'authority';
  const found = [
    // The authority signs what it issues and nothing below it: path length 0.
    extension(
      oids.basicConstraints,
      isAuthority ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence(),
      true,
    ),
    // keyCertSign and cRLSign (bits 5, 6), or digitalSignature (bit 0).
    extension(oids.keyUsage, isAuthority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7), true),
    extension(oids.subjectKeyIdentifier, octets(keyId(publicKey))),
    extension(oids.authorityKeyIdentifier, sequence(tlv(0x80, keyId(createPublicKey(issuer.key))))),
  ];
  if (!isAuthority)
    found.push(
      extension(oids.extendedKeyUsage, sequence(objectId(use === 'server' ? oids.serverAuth : oids.clientAuth))),
    );
  if (names.length > 0) found.push(extension(oids.subjectAltName, sequence(...names.map(generalName))));
  return found;
}

/** RFC 7093 method 1: the leftmost 160 bits of SHA-256 of the public key. */
function keyId(publicKey: KeyObject): Buffer {
  // SubjectPublicKeyInfo of P-256 is 26 fixed bytes, then the point.
  return createHash('sha256').update(spki(publicKey).subarray(26)).digest().subarray(0, 20);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** 128 random bits, positive, never starting with a zero byte. */
function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function distinguishedName(commonName: string): Buffer {
  const part = (oid: string, text: string) => tlv(0x31, sequence(objectId(oid), tlv(0x0c, Buffer.from(text, 'utf8'))));
  return sequence(part(oids.organization, 'Campus Edge'), part(oids.commonName, commonName));
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return tlv(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return tlv(0x87, ipv6Bytes(name));
  return tlv(0x82, Buffer.from(name, 'latin1'));
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes the one canonical form, with an IPv4 tail as two groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0');
  const bytes = Buffer.alloc(16);
  for (const [i, group] of [...groups, ...rest].entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i);
  return bytes;
}

function extension(oid: string, value: Buffer, critical?: true): Buffer {
  return sequence(objectId(oid), ...(critical === undefined ? [] : [boolean(true)]), octets(value));
}

/** UTCTime through 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return text < '2050' ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text));
}

function objectId(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return tlv(0xa0 | tag, content);
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

function octets(bytes: Buffer): Buffer {
  return tlv(0x04, bytes);
}

function bitString(bytes: Buffer, unused = 0): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.from([unused]), bytes]));
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size: number[] = [];
  for (let left = length; left > 0; left >>>= 8) size.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length, ...size]), content]);
}
