import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { isSlug, slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from './clock.ts';
import { writeDurably } from './durable-file.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import { backdate, day, loadAuthority, type Pair } from './pki-authority.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from './pki-der.ts';
import { makePkiFolder, pkiPaths, readIfThere, withLock } from './pki-files.ts';

/*
 * Certificates of devices. Each one that was made is on a list, and only what is on the list and not revoked is let in:
 * the list, not the name in the certificate, says whose it is.
 */

const clientCertificate = z.strictObject({
  /** SHA-256 of the certificate, as Node and OpenSSL print it. */
  fingerprint: z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  serial: z.string().regex(/^[0-9A-F]{2,40}$/),
  client: z.string().regex(slugPattern),
  issued: z.int(),
  expires: z.int(),
  /** When it was taken back; null: it is good. */
  revoked: z.int().nullable(),
});
export type ClientCertificate = z.infer<typeof clientCertificate>;

const listSchema = z.strictObject({ version: z.literal(1), certificates: z.array(clientCertificate).max(20_000) });
const mostCertificates = 10_000;
export const defaultDays = 730;
const mostDays = 3_650;

export interface IssuedCertificate extends Pair, ClientCertificate {
  /** What the device must trust: our authority. */
  readonly authority: string;
}

/**
 * Makes a key and a certificate for a device. They are handed over and not kept. Throws PKI_CLIENT_INVALID,
 * PKI_TOO_MANY, PKI_LIST_BROKEN, PKI_BROKEN.
 */
export async function issueClientCertificate(
  data: string,
  client: string,
  clock: Clock,
  days: number = defaultDays,
): Promise<IssuedCertificate> {
  if (!isSlug(client)) {
    const what = `"${client}" is not a client id: a-z, 0-9, _ or -, at most 63 characters`;
    throw new CodedError('PKI_CLIENT_INVALID', what);
  }
  if (!Number.isInteger(days) || days < 1 || days > mostDays) {
    throw new CodedError('PKI_CLIENT_INVALID', `a certificate is good for 1 to ${mostDays} days, not ${days}`);
  }
  const authority = await loadAuthority(data, clock);
  const now = clock.now();
  // What outlives its authority is good for nobody.
  const until = Math.min(now + days * day, authority.certificate.validToDate.getTime());
  const { publicKey, privateKey } = newKeyPair();
  const issuer = { name: authority.name, key: authority.key };
  const cert = writeCertificate({ name: client, publicKey, issuer, use: 'client', from: now - backdate, until });
  const { fingerprint256: fingerprint, serialNumber: serial } = new X509Certificate(cert);
  const line = { fingerprint, serial, client, issued: now, expires: until, revoked: null };
  await changeList(data, (list) => {
    const kept = list.filter(({ expires }) => expires > now - 30 * day);
    if (kept.length >= mostCertificates) {
      throw new CodedError(
        'PKI_TOO_MANY',
        `there are ${kept.length} client certificates: at most ${mostCertificates} are kept`,
      );
    }
    return [...kept, line];
  });
  return { ...line, cert, key: privateKeyPem(privateKey), authority: authority.pem };
}

/** Takes back every certificate of a client; how many there were. Connections that use one end within seconds. */
export async function revokeClientCertificates(data: string, client: string, clock: Clock): Promise<number> {
  const now = clock.now();
  let count = 0;
  await changeList(data, (list) =>
    list.map((line) => {
      if (line.client !== client || line.revoked !== null || line.expires <= now) return line;
      count += 1;
      return { ...line, revoked: now };
    }),
  );
  return count;
}

/** By client, then by time. Throws PKI_LIST_BROKEN. */
export async function listClientCertificates(data: string): Promise<ClientCertificate[]> {
  const { clients } = pkiPaths(data);
  const text = await readIfThere(clients);
  if (text === null) return [];
  try {
    return listSchema.parse(JSON.parse(text)).certificates;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new CodedError('PKI_LIST_BROKEN', `cannot use ${clients}: ${why}`, { cause: error });
  }
}

async function changeList(data: string, change: (list: ClientCertificate[]) => ClientCertificate[]): Promise<void> {
  await makePkiFolder(data);
  const { clients, lock } = pkiPaths(data);
  await withLock(lock, async () => {
    const certificates = change(await listClientCertificates(data)).sort((a, b) =>
      a.client < b.client ? -1 : a.client > b.client ? 1 : a.issued - b.issued,
    );
    await writeDurably(clients, `${JSON.stringify({ version: 1, certificates }, null, 1)}\n`);
  });
}

export type CertificateState = 'good' | 'unknown' | 'revoked' | 'expired';

/** The list as it now is on disk; a broken file keeps the last good one and is logged once. */
export class ClientRegister {
  readonly #data: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #certificates: ReadonlyMap<string, ClientCertificate> = new Map();
  #version = '';
  #looking: Promise<void> | null = null;

  constructor(options: { readonly data: string; readonly clock: Clock; readonly log: Log }) {
    this.#data = options.data;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Reads the list again if it changed; one look serves all who ask while it lasts. Never rejects. */
  async refresh(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  /** As far as the list was read. */
  find(fingerprint: string): ClientCertificate | null {
    return this.#certificates.get(fingerprint) ?? null;
  }

  stateOf(fingerprint: string): CertificateState {
    const line = this.find(fingerprint);
    if (line === null) return 'unknown';
    if (line.revoked !== null) return 'revoked';
    return line.expires <= this.#clock.now() ? 'expired' : 'good';
  }

  async #look(): Promise<void> {
    const version = await this.#readVersion();
    if (version === this.#version) return;
    this.#version = version;
    try {
      const list = await listClientCertificates(this.#data);
      this.#certificates = new Map(list.map((line) => [line.fingerprint, line]));
      if (list.length > 0) this.#log.info({ certificates: list.length }, 'client certificates loaded');
    } catch (error) {
      this.#log.error({ error }, 'the list of client certificates is broken, the last good one stays');
    }
  }

  async #readVersion(): Promise<string> {
    try {
      const { mtimeNs, ino, size } = await stat(pkiPaths(this.#data).clients, { bigint: true });
      return `${mtimeNs}-${ino}-${size}`;
    } catch (error) {
      return codeOf(error);
    }
  }
}
